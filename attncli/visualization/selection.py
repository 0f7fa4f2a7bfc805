"""Which clips are shown: those every run has an answer for, and of these the ones asked for."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
from jaxtyping import Float64

from attncli.errors import AttncliError, UsageError
from attncli.files.attention import Attention, ClipRecord

Order = Literal["random", "first", "sharpest", "least-sharp"]
_View = tuple[str, tuple[int, ...], tuple[int, ...], bool]


@dataclass(frozen=True)
class CommonClip:
    """A clip that all runs saw alike: the same frames, cropped and mirrored in the same way."""

    id: str
    """The video's id in its dataset."""
    label: str
    """Name of its class; empty where the dataset gives none."""
    rows: tuple[int, ...]
    """Its row in each run's attention maps."""


@dataclass(frozen=True)
class Wish:
    """Which of the clips to show."""

    ids: tuple[str, ...] = ()
    """Exactly these, in this order; the other fields then do not matter."""
    labels: tuple[str, ...] = ()
    """Only clips of these classes; of all where empty."""
    order: Order = "random"
    """What comes first; `first` is the order of the dataset's list. Of these two each class comes
    once before any comes twice."""
    clips: int = 4
    """How many are shown at most."""
    seed: int = 0
    """Seed of the random order."""


def common_clips(runs: Sequence[Attention]) -> list[CommonClip]:
    """Return the clips that stand in every run's `clips.csv`, in the order of the first run's.

    Raises:
        AttncliError: The runs have no clip in common, or a line of `clips.csv` says no clip.
    """
    records = [[run.record(row) for row in range(len(run.clips))] for run in runs]
    rows = [{_view(record): row for row, record in enumerate(lines)} for lines in records]
    clips = [
        CommonClip(record.id, record.label, tuple(run[_view(record)] for run in rows))
        for record in records[0]
        if all(_view(record) in run for run in rows)
    ]
    if not clips:
        in_all = set.intersection(*({record.id for record in lines} for lines in records))
        raise AttncliError(
            f"the runs show other frames or crops of the {len(in_all)} videos they share"
            if in_all
            else "the runs have no clip in common",
            remedy="evaluate runs with the same data, frames and crop",
        )
    return clips


def choose(
    clips: Sequence[CommonClip],
    wish: Wish,
    entropies: Callable[[Sequence[CommonClip]], Float64[np.ndarray, " n"]],
) -> list[CommonClip]:
    """Return the clips wished for, in the order in which they are shown.

    Args:
        clips: What there is to choose from.
        wish: What is asked for.
        entropies: Gives each clip's entropy, in bits; asked only where sharpness matters.

    Raises:
        UsageError: There is no clip with such an id, or none of that class.
    """
    if wish.ids:
        by_id = {clip.id: clip for clip in clips}
        return [by_id[known_name(n, list(by_id), "--id")] for n in dict.fromkeys(wish.ids)]
    if wish.labels:
        names = sorted({clip.label for clip in clips} - {""})
        labels = {known_name(label, names, "--class") for label in wish.labels}
        clips = [clip for clip in clips if clip.label in labels]
    return [clips[i] for i in _ranking(clips, wish, entropies)[: wish.clips]]


def _ranking(
    clips: Sequence[CommonClip],
    wish: Wish,
    entropies: Callable[[Sequence[CommonClip]], Float64[np.ndarray, " n"]],
) -> list[int]:
    match wish.order:
        case "first":
            return _across_classes(clips, range(len(clips)))
        case "random":
            order = np.random.default_rng(wish.seed).permutation(len(clips)).tolist()
            return _across_classes(clips, order)
        case "sharpest":
            return np.argsort(entropies(clips), kind="stable").tolist()
        case "least-sharp":
            return np.argsort(-entropies(clips), kind="stable").tolist()


def _across_classes(clips: Sequence[CommonClip], order: Iterable[int]) -> list[int]:
    """Return the first clip of each class in that order, then the second of each, and so on."""
    seen: Counter[str] = Counter()
    rounds: list[tuple[int, int]] = []
    for number in order:
        rounds.append((seen[clips[number].label], number))
        seen[clips[number].label] += 1
    return [number for _, number in sorted(rounds, key=lambda turn: turn[0])]


def known_name(name: str, names: Sequence[str], option: str) -> str:
    """Return `name` if it is among `names`.

    Raises:
        UsageError: It is not; the message has the nearest ones.
    """
    if name in names:
        return name
    if not names:
        raise UsageError(f"no such name: {name!r} (nothing here has a name)", where=option)
    near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
    raise UsageError(
        f"no such name: {name!r} in the runs",
        where=option,
        remedy=f"there is {', '.join(near)}",
    )


def _view(record: ClipRecord) -> _View:
    # Runs at different resolutions write crop edges that differ by a rounding error.
    return record.id, record.frames, tuple(round(edge) for edge in record.crop), record.flip

"""The apex of expressions: the frame of each sequence of faces in which it is strongest.

A sequence gives several clips. The apex is its last frame; of its clips the one that ends there is
taken, and of that clip's maps the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attncli.errors import AttncliError
from attncli.files.attention import ClipRecord
from attncli.files.runs import load
from attncli.visualization.selection import CommonClip, Wish, common_clips, known_name
from attncli.workflows.visualize.attention import NamedAttention


@dataclass(frozen=True)
class Apex:
    """The last frame of a sequence, as all runs saw it."""

    clip: CommonClip
    """The clip that ends there."""
    record: ClipRecord
    """What the first run says of that clip."""

    @property
    def frame(self) -> int:
        """Its position in the sequence."""
        return max(self.record.frames)

    @property
    def step(self) -> int:
        """Its position in the clip, the last one where the clip repeats it."""
        return max(i for i, frame in enumerate(self.record.frames) if frame == self.frame)


def find_apexes(runs: Sequence[NamedAttention]) -> list[Apex]:
    """Return the apex of each sequence whose last frame all runs saw in the same clip.

    Raises:
        AttncliError: There is none, or a line of a run's `clips.csv` says no clip.
    """
    common = common_clips([run.attention for run in runs])
    last: dict[str, int] = {}
    for run in runs:
        clips = run.attention.clips
        for id_, frames in zip(clips["id"], clips["frames"], strict=True):
            last[id_] = max(last.get(id_, 0), *(int(frame) for frame in frames.split()))
    found: dict[str, Apex] = {}
    for clip in common:
        apex = Apex(clip, runs[0].attention.record(clip.rows[0]))
        if apex.frame == last[clip.id]:
            found[clip.id] = apex
    if not found:
        raise AttncliError(
            "the runs saw no sequence's last frame in the same clip",
            remedy="evaluate runs with the same frames and steps of clips",
        )
    return list(found.values())


def class_names(runs: Sequence[Path]) -> tuple[str, ...]:
    """Return the classes in the order of the first run; none where it is attention alone."""
    try:
        return load(runs[0]).classes
    except AttncliError:
        return ()


def by_class(
    apexes: Sequence[Apex], names: Sequence[str], wished: Sequence[str] = ()
) -> dict[str, list[Apex]]:
    """Return the sequences of each class: in the order wished for, else in that of `names`.

    Raises:
        UsageError: No sequence is of a class wished for.
        AttncliError: No sequence has a class.
    """
    groups: dict[str, list[Apex]] = {}
    for apex in apexes:
        if apex.clip.label:
            groups.setdefault(apex.clip.label, []).append(apex)
    if not groups:
        raise AttncliError("no sequence of these runs has a class", remedy="name some with --id")
    if wished:
        labels = [known_name(name, sorted(groups), "--class") for name in wished]
    else:
        labels = [name for name in names if name in groups]
        labels += sorted(set(groups) - set(labels))
    return {label: groups[label] for label in labels}


def choose_apexes(apexes: Sequence[Apex], names: Sequence[str], wish: Wish) -> list[Apex]:
    """Return the sequences wished for; which one of a class does not depend on the others."""
    if wish.ids:
        by_id = {apex.clip.id: apex for apex in apexes}
        ids = [known_name(name, list(by_id), "--id") for name in wish.ids]
        return [by_id[id_] for id_ in dict.fromkeys(ids)]
    rng = np.random.default_rng(wish.seed)
    drawn = {
        label: group[int(rng.integers(len(group)))]
        for label, group in by_class(apexes, names).items()
    }
    return [drawn[label] for label in by_class(apexes, names, wish.labels)]

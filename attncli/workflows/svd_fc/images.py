"""Which images features are made of, and what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from attncli.config.svd_fc import SvdFcCall
from attncli.data.layouts.images import open_images
from attncli.data.samples import MULTI_QUERY, ImageDataset, ImageSample
from attncli.errors import AttncliError, UsageError
from attncli.files.feature_writing import Rows

SPLITS: tuple[Literal["train", "val"], ...] = ("train", "val")


@dataclass(frozen=True)
class Images:
    """The images of a dataset, those for training first."""

    samples: tuple[ImageSample, ...]
    """The images."""
    rows: Rows
    """Id, class and split of each; subject, camera and role too, empty where they are not known."""
    layout: str
    """Layout that the dataset is in."""
    notes: tuple[str, ...]
    """What the user should be told about them."""

    def kept(self, numbers: Sequence[int]) -> Rows:
        """Return what is known of some of them."""
        rows = self.rows
        lists = (rows.ids, rows.labels, rows.splits)
        ids, labels, splits = ([values[n] for n in numbers] for values in lists)
        people = (rows.subjects, rows.cameras, rows.roles)
        subjects, cameras, roles = ([values[n] for n in numbers] for values in people)
        return Rows(ids, labels, splits, rows.classes, subjects, cameras, roles)


def open_rows(call: SvdFcCall) -> Images:
    """Return the images of the splits asked for.

    A dataset may have one split alone. The class of an image that shows several, or none, is left
    open.

    Raises:
        UsageError: There is no layout of that name, no such split, or no image that is a query
            together with others where such are asked for.
        AttncliError: The dataset is missing or malformed, or two images share an id.
    """
    parts = _open_parts(call)
    samples = tuple(sample for part in parts.values() for sample in part.samples)
    splits = [split for split, part in parts.items() for _ in part.samples]
    first = next(iter(parts.values()))
    _require_multi_queries(call, samples)
    _require_single_ids(samples, first)
    labels = [_label(sample, first.classes) for sample in samples]
    rows = Rows(
        [sample.id for sample in samples],
        labels,
        splits,
        first.classes,
        subjects=[sample.subject or "" for sample in samples],
        cameras=[sample.camera or "" for sample in samples],
        roles=[sample.role or "" for sample in samples],
    )
    notes = dict.fromkeys(note for part in parts.values() for note in part.notes)
    return Images(samples, rows, first.layout, (*notes, *_notes(call, parts, rows)))


def _open_parts(call: SvdFcCall) -> dict[str, ImageDataset]:
    """Return the splits by name; of all those, the ones that there are."""
    ways: Any = {"layout": call.layout, "multi_query": call.multi_query}
    if call.split != "all":
        return {call.split: open_images(call.data, split=call.split, **ways)}
    open_images(call.data, split="all", **ways)  # says what is wrong with the dataset
    found: dict[str, ImageDataset] = {}
    error: AttncliError | None = None
    for split in SPLITS:
        try:
            found[split] = open_images(call.data, split=split, **ways)
        except AttncliError as absent:
            error = error or absent
    if error is not None and not found:
        raise error
    return found


def _notes(call: SvdFcCall, parts: dict[str, ImageDataset], rows: Rows) -> tuple[str, ...]:
    absent = [split for split in SPLITS if call.split == "all" and split not in parts]
    notes = [f"{call.data} has no images of split {split!r}" for split in absent]
    # Queries and their gallery show people who are no class.
    n_open = sum(
        not label and not role for label, role in zip(rows.labels, rows.roles, strict=True)
    )
    if n_open:
        notes.append(
            f"{n_open} of {len(rows.ids)} images show no class, or several: it is left open"
        )
    return tuple(notes)


def _label(sample: ImageSample, classes: Sequence[str]) -> str:
    labels = sample.labels or ()
    return classes[next(iter(labels))] if len(labels) == 1 else ""


def _require_multi_queries(call: SvdFcCall, samples: Sequence[ImageSample]) -> None:
    if call.multi_query and all(sample.role != MULTI_QUERY for sample in samples):
        raise UsageError(
            f"no image of split {call.split!r} of {call.data} is a query together with others",
            where="--multi-query",
            remedy="leave it out: `eval --multi-query` then takes all query images of a person by a"
            " camera together",
        )


def _require_single_ids(samples: Sequence[ImageSample], dataset: ImageDataset) -> None:
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            remedy = "name one split with --split, or correct the lists"
            raise AttncliError(f"lists {sample.id} twice", where=dataset.root, remedy=remedy)
        seen.add(sample.id)

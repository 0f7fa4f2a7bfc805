"""A part of a dataset, for quick trials: some of its classes, and so many samples of each split.

What is drawn hangs on the dataset alone, and not on the seed of a training, so that trainings with
other seeds or methods see the same samples. Of a class that training samples are drawn of, samples
for validation are drawn, too.
"""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from attncli.config.training import TrainConfig
from attncli.data.samples import UNKNOWN_LABEL, ImageDataset, ImageSample, VideoDataset
from attncli.errors import AttncliError, UsageError

D = TypeVar("D", VideoDataset, ImageDataset)

SEED = 0
"""Of all draws here."""
PARTS = ("train", "val", "test", "people")
"""What samples are drawn of, each with random numbers of its own; `people` are those in folds."""


def choose(dataset: D, config: TrainConfig, part: str, *, whole_people: bool = False) -> D:
    """Return the samples of a dataset that a training's settings want, in their order.

    Args:
        dataset: Samples of one split.
        config: Says which classes (`classes`), and how many samples (`limit`).
        part: One of `PARTS`, or `all`, of which all samples are taken.
        whole_people: Take all images of a person or none, and of tests people only who are looked
            for and are to be found.

    Returns:
        Those samples, with labels by the classes that are left; `notes` say what was left out.

    Raises:
        UsageError: There is no such class, or the limit leaves too little.
        AttncliError: No sample is left.
    """
    if config.classes:
        dataset = _of_classes(dataset, config.classes)
    limit, found = config.limit, dataset.samples
    if limit is None or part == "all" or len(found) <= limit:
        return dataset
    rng = np.random.default_rng([SEED, PARTS.index(part)])
    if whole_people:
        rows = _rows_of_people(dataset.samples, limit, rng)
    else:
        rows = _rows_over_classes(_classes_of(dataset), limit, rng)
    where = "in all folds together" if part == "people" else f"of split {part!r}"
    note = f"--limit: {len(rows)} of {len(found)} {dataset.unit} {where} are used"
    return replace(dataset, samples=tuple(found[row] for row in rows), notes=(*dataset.notes, note))


def _of_classes(dataset: D, names: Sequence[str]) -> D:
    """Return a dataset of some of its classes; samples without a label stay."""
    for name in names:
        if name not in dataset.classes:
            near = difflib.get_close_matches(name, dataset.classes, n=3)
            remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else _some(dataset)
            raise UsageError(f"no such class: {name!r}", where="--classes", remedy=remedy)
    kept = tuple(name for name in dataset.classes if name in names)
    numbers = {dataset.classes.index(name): number for number, name in enumerate(kept)}
    relabelled = [_relabelled(sample, numbers) for sample in dataset.samples]
    samples = tuple(sample for sample in relabelled if sample is not None)
    if not samples:
        what = f"holds no {dataset.unit} of these classes: {', '.join(kept)}"
        raise AttncliError(what, where=dataset.root, remedy="name others with --classes")
    note = f"--classes: {len(kept)} of {len(dataset.classes)} classes are used"
    return replace(dataset, classes=kept, samples=samples, notes=(*dataset.notes, note))


def _some(dataset: VideoDataset | ImageDataset) -> str:
    return f"there are {len(dataset.classes)}, such as {', '.join(dataset.classes[:3])}"


def _relabelled(sample: Any, numbers: Mapping[int, int]) -> Any:
    """Return a sample with the new numbers of its classes; None where it shows none of them."""
    if not sample.is_labelled:
        return sample
    if isinstance(sample, ImageSample):
        assert sample.labels is not None  # noqa: S101 - narrows the type: it is labelled
        labels = frozenset(numbers[label] for label in sample.labels if label in numbers)
        return replace(sample, labels=labels) if labels else None
    return replace(sample, label=numbers[sample.label]) if sample.label in numbers else None


def _classes_of(dataset: VideoDataset | ImageDataset) -> list[int]:
    """Return a class of each sample; of several the one that fewest samples show."""
    shown = [_labels(sample) for sample in dataset.samples]
    counts = Counter(label for labels in shown for label in labels)
    return [min(labels, key=lambda label: (counts[label], label)) for labels in shown]


def _labels(sample: Any) -> Sequence[int]:
    labels = sample.labels if isinstance(sample, ImageSample) else {sample.label}
    return sorted(labels or ()) or [UNKNOWN_LABEL]


def _rows_over_classes(classes: Sequence[int], limit: int, rng: np.random.Generator) -> list[int]:
    """Return the rows of samples drawn of all classes in turn, as evenly as they allow."""
    distinct = sorted(set(classes))
    # The same for all splits: where there are more classes than samples, it is the same classes.
    ranks = np.random.default_rng(SEED).random(max(distinct) + 2)
    seen: Counter[int] = Counter()
    turns = []
    for row in rng.permutation(len(classes)).tolist():
        label = classes[row]
        turns.append((seen[label], ranks[label + 1], row))
        seen[label] += 1
    return sorted(row for _, _, row in sorted(turns)[:limit])


def _rows_of_people(samples: Sequence[Any], limit: int, rng: np.random.Generator) -> list[int]:
    """Return the rows of all images of people drawn at random, as many as the limit holds."""
    by_person: dict[str, list[int]] = {}
    for row, sample in enumerate(samples):
        if sample.subject is not None:
            by_person.setdefault(sample.subject, []).append(row)
    are_tests = any(sample.role == "query" for sample in samples)
    people = [rows for rows in by_person.values() if not are_tests or _is_found(samples, rows)]
    drawn: list[list[int]] = []
    left = limit
    for number in rng.permutation(len(people)).tolist():
        if len(people[number]) <= left:
            drawn.append(people[number])
            left -= len(people[number])
    if len(drawn) < 2:
        what = f"{limit} images hold fewer than two people, who are taken whole"
        raise UsageError(what, where="--limit", remedy="raise it")
    return sorted(row for rows in drawn for row in rows)


def _is_found(samples: Sequence[Any], rows: Sequence[int]) -> bool:
    roles = {samples[row].role for row in rows}
    return {"query", "gallery"} <= roles

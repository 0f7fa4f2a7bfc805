"""Cross-validation over people: whoever is tested was never seen in training.

The paper divides CK+ into ten folds without saying how. Here `StratifiedGroupKFold` of scikit-learn
deals people out, those whose sequences are the least evenly spread over the classes first, each to
the fold that leaves the classes most even over the folds, and of equal ones to the smaller; `seed`
shuffles them before. People are taken in the order of their names, so that the order in which a
dataset lists them changes nothing.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from attncli.data.samples import UNKNOWN_LABEL, VideoDataset, VideoSample
from attncli.errors import AttncliError
from attncli.files.folds import FoldRow, read_fold_rows, write_fold_rows


@dataclass(frozen=True)
class Folds:
    """Which fold each labelled sequence of a dataset is tested in."""

    n_folds: int
    """Number of folds, at least 2."""
    fold_of: Mapping[str, int]
    """Fold of a sequence by its id, from 1; sequences without a label are in none."""


def assign_folds(dataset: VideoDataset, *, folds: int, seed: int) -> Folds:
    """Deal out the people of a dataset to folds alike in classes and in size.

    Args:
        dataset: The sequences; those without a label are left out.
        folds: Number of folds, at least 2.
        seed: What the result follows from, beside the dataset; its lower 32 bits count.

    Raises:
        AttncliError: A sequence has no subject, there are fewer people than folds, fewer
            sequences of every class, or a fold would have none.
    """
    samples = _labelled(dataset)
    subjects = [_subject(dataset, sample) for sample in samples]
    n_people = len(set(subjects))
    if n_people < folds:
        raise AttncliError(
            f"shows {n_people} people, too few for {folds} folds",
            where=dataset.root,
            remedy=f"use --folds {n_people} or fewer" if n_people >= 2 else "add more people",
        )
    labels = np.array([sample.label for sample in samples])
    n_most = int(np.bincount(labels).max())
    if n_most < folds:
        raise AttncliError(
            f"has at most {n_most} sequences of a class, too few for {folds} folds",
            where=dataset.root,
            remedy=f"use --folds {n_most} or fewer" if n_most >= 2 else "add more sequences",
        )
    numbers = _dealt_out(labels, np.array(subjects), folds, seed)
    if empty := set(range(1, folds + 1)) - set(numbers):
        raise AttncliError(
            f"fold {min(empty)} of {folds} would have no sequence",
            where=dataset.root,
            remedy="use fewer --folds or another --folds-seed",
        )
    ids = (sample.id for sample in samples)
    return Folds(folds, dict(zip(ids, numbers, strict=True)))


def fold_part(
    dataset: VideoDataset, folds: Folds, fold: int, part: Literal["train", "val"]
) -> VideoDataset:
    """Return the sequences that one fold's network is trained on, or those it is tested on.

    Sequences that are in no fold are in neither part. All else stays as it is, the order too.

    Args:
        dataset: The sequences, or their clips.
        folds: The fold of each sequence.
        fold: Number of the fold, from 1.
        part: `val` for the sequences of that fold, `train` for those of all others.

    Raises:
        ValueError: There is no fold of that number.
    """
    if not 1 <= fold <= folds.n_folds:
        raise ValueError(f"no fold {fold} among {folds.n_folds}")
    samples = tuple(
        sample
        for sample in dataset.samples
        if (tested_in := folds.fold_of.get(sample.id)) is not None
        and (tested_in == fold) == (part == "val")
    )
    return replace(dataset, samples=samples)


def write_folds(path: Path, dataset: VideoDataset, folds: Folds) -> None:
    """Write the `folds.csv` of a dataset that `folds` was made for, sorted by id."""
    rows = (
        FoldRow(id_, subject, label, folds.fold_of[id_])
        for id_, (subject, label) in _known(dataset).items()
    )
    write_fold_rows(path, rows)


def read_folds(path: Path, dataset: VideoDataset) -> Folds:
    """Return the folds in a `folds.csv` that an earlier run or a person wrote for the same dataset.

    Raises:
        AttncliError: A sequence has no subject, or the file is not one of exactly the labelled
            sequences of the dataset, or puts one person into two folds; the message names the line.
    """
    rows = read_fold_rows(path, known=_known(dataset))
    return Folds(max(row.fold for row in rows), {row.id: row.fold for row in rows})


def _known(dataset: VideoDataset) -> dict[str, tuple[str, str]]:
    """Return subject and class of every labelled sequence by its id."""
    return {
        sample.id: (_subject(dataset, sample), dataset.classes[sample.label])
        for sample in _labelled(dataset)
    }


def _labelled(dataset: VideoDataset) -> list[VideoSample]:
    """Return the sequences that have a label, each once, sorted by id."""
    samples = {s.id: s for s in dataset.samples if s.label != UNKNOWN_LABEL}
    return [samples[id_] for id_ in sorted(samples)]


def _subject(dataset: VideoDataset, sample: VideoSample) -> str:
    if sample.subject is None:
        raise AttncliError(
            f"does not say which person {sample.id!r} shows",
            where=dataset.root,
            remedy="use CK+, or a manifest with a column `subject`",
        )
    return sample.subject


def _dealt_out(labels: np.ndarray, subjects: np.ndarray, folds: int, seed: int) -> list[int]:
    """Return the fold of each sequence, from 1."""
    from sklearn.model_selection import StratifiedGroupKFold  # takes half a second

    numbers = np.zeros(len(labels), dtype=np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        # It warns of classes with fewer sequences than folds, which cannot be in all of them.
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, tested) in enumerate(splitter.split(labels, labels, subjects), start=1):
            numbers[tested] = fold
    return numbers.tolist()

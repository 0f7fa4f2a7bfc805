"""Which images an estimator is fitted to and which it is tested on: once, or several times."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from attncli.errors import AttncliError
from attncli.files.divisions import read_parts, write_parts
from attncli.files.features import FeatureDirectory
from attncli.training.estimator import UNKNOWN

OWN = 0
"""Number of the dataset's own division; random ones are counted from 1."""
PARTS = ("train", "val")


@dataclass(frozen=True)
class Division:
    """A division of images into those an estimator is fitted to, and those it is tested on."""

    number: int
    """`OWN`, or which of the random ones it is, from 1."""
    train: Int64[np.ndarray, " _"]
    """Rows of training images, in rising order."""
    val: Int64[np.ndarray, " _"]
    """Rows of test images, in rising order."""

    def part(self, name: str) -> Int64[np.ndarray, " _"]:
        """Return the rows of `train` or `val`."""
        return self.train if name == "train" else self.val


def own_division(directory: FeatureDirectory) -> Division:
    """Return the division of the dataset itself."""
    parts = (np.flatnonzero(np.array(directory.splits) == name) for name in PARTS)
    train, val = (part.astype(np.int64) for part in parts)
    return Division(OWN, train, val)


def draw_divisions(
    labels: Int64[np.ndarray, " n"],
    classes: Sequence[str],
    *,
    count: int,
    per_class: int | None,
    seed: int,
    where: Path,
) -> tuple[Division, ...]:
    """Return random divisions of all images with a label, each alike in classes.

    Args:
        labels: Class of each image.
        classes: Names of the classes.
        count: How many divisions.
        per_class: Training images of each class; half of them, rounded down, where None.
        seed: What they follow from, besides the labels; division n is the same for any `count`.
        where: Where the images are, for the message.

    Raises:
        AttncliError: A class has too few images; it is named.
    """
    sizes = np.bincount(labels[labels != UNKNOWN], minlength=len(classes)).tolist()
    wanted = {k: size // 2 if per_class is None else per_class for k, size in enumerate(sizes)}
    for number, size in enumerate(sizes):
        if size > 0 and not 0 < wanted[number] < size:
            raise AttncliError(
                f"class {classes[number]!r} has {size} images, too few for"
                f" {max(1, wanted[number])} to train on and one to test on",
                where=where,
                remedy="give a smaller --train-per-class, or leave the class out",
            )
    return tuple(_draw(labels, wanted, number, seed) for number in range(1, count + 1))


def write_divisions(path: Path, divisions: Sequence[Division], directory: FeatureDirectory) -> None:
    """Write `splits.csv`: split, id and part (`train` or `val`), a row an image and division."""
    parts = {one.number: {name: one.part(name).tolist() for name in PARTS} for one in divisions}
    write_parts(path, parts, directory.ids)


def read_divisions(path: Path, directory: FeatureDirectory) -> tuple[Division, ...]:
    """Return what `write_divisions` wrote.

    Raises:
        AttncliError: It is no such table, or names an image that has no features.
    """
    return tuple(
        Division(number, *(np.array(sorted(rows[name]), dtype=np.int64) for name in PARTS))
        for number, rows in read_parts(path, directory.ids, PARTS).items()
    )


def _draw(
    labels: Int64[np.ndarray, " n"], wanted: dict[int, int], number: int, seed: int
) -> Division:
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    train = [rng.permutation(np.flatnonzero(labels == k))[:size] for k, size in wanted.items()]
    trained = np.zeros(len(labels), dtype=bool)
    trained[np.concatenate(train)] = True
    val = ~trained & (labels != UNKNOWN)
    return Division(number, np.flatnonzero(trained), np.flatnonzero(val))

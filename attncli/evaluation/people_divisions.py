"""Whom a distance is learnt from, and who is looked for among whom: once, or several times."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from attncli.data.identities import NOBODY, identity_split
from attncli.data.samples import MULTI_QUERY, ImageDataset, ImageSample, Role
from attncli.errors import AttncliError
from attncli.evaluation.people import People, Search, require_cameras, search_among
from attncli.files.divisions import read_parts, write_parts
from attncli.files.features import FeatureDirectory

OWN = 0
"""Number of the dataset's own division; random ones are counted from 1."""
TWO_VIEWS = 2
"""Cameras of datasets of which one camera's images are looked for among the other's."""
PARTS = ("train", "query", "gallery")


@dataclass(frozen=True)
class PeopleDivision:
    """A division of images into those that are learnt from, and those that are ranked."""

    number: int
    """`OWN`, or which of the random ones it is, from 1."""
    train: Int64[np.ndarray, " _"]
    """Rows of training images, in rising order."""
    search: Search
    """Who is looked for among whom."""

    def part(self, name: str) -> Int64[np.ndarray, " _"]:
        """Return the rows of `train`, `query` or `gallery`."""
        parts = (self.train, self.search.queries, self.search.gallery)
        return dict(zip(PARTS, parts, strict=True))[name]


def own_people(directory: FeatureDirectory, people: People) -> PeopleDivision:
    """Return the division of the dataset itself, with images to learn from.

    Raises:
        AttncliError: There are none, nobody knows whom one shows, or nobody is looked for.
    """
    train = training_rows(directory)
    if not len(train):
        remedy = "divide people at random with --splits"
        raise AttncliError("no image is of split 'train'", where=directory.path, remedy=remedy)
    for row in train[people.identities[train] == NOBODY].tolist():
        what = f"does not say whom training image {people.ids[row]} shows"
        raise AttncliError(what, where=directory.path, remedy="label it or leave it out")
    require_cameras(people, train)
    return PeopleDivision(OWN, train, search_among(people, validation_rows(directory)))


def training_rows(directory: FeatureDirectory) -> Int64[np.ndarray, " _"]:
    """Return the rows of training images."""
    return np.flatnonzero(np.array(directory.splits) == "train")


def validation_rows(directory: FeatureDirectory) -> Int64[np.ndarray, " _"]:
    """Return the rows of images for validation."""
    return np.flatnonzero(np.array(directory.splits) == "val")


def draw_people(
    people: People, *, count: int, share: float, seed: int
) -> tuple[PeopleDivision, ...]:
    """Return random divisions of all people.

    Where there are two cameras, people seen by the one whose images are queries already (else by
    the first by name) are looked for among the other's; of more cameras the queries are drawn
    (`attncli.data.identities`). Images that are queries together are in no part: they show what
    queries show.

    Args:
        people: All images.
        count: How many divisions.
        share: Part of the people that is learnt from.
        seed: What they follow from, besides the images; division n is the same for any `count`.

    Raises:
        AttncliError: A camera is not known, or there are too few people.
        UsageError: The share leaves nobody in a part.
    """
    samples = tuple(_samples(people))
    dataset = ImageDataset("features", people.where, (), samples, "features")
    return tuple(_draw(people, dataset, number, share, seed) for number in range(1, count + 1))


def write_people(path: Path, divisions: Sequence[PeopleDivision], people: People) -> None:
    """Write `splits.csv`: split, id and part (`train`, `query` or `gallery`), a row an image."""
    parts = {one.number: {name: one.part(name).tolist() for name in PARTS} for one in divisions}
    write_parts(path, parts, people.ids)


def read_people(path: Path, people: People) -> tuple[PeopleDivision, ...]:
    """Return what `write_people` wrote.

    Raises:
        AttncliError: It is no such table, or names an image that has no features.
    """
    found = read_parts(path, people.ids, PARTS)
    return tuple(_division(number, rows) for number, rows in found.items())


def _samples(people: People) -> list[ImageSample]:
    roles = _roles(people)
    return [
        ImageSample(
            id_,
            Path(id_),
            None,
            subject=people.names[row] or None,
            camera=people.cameras[row] or None,
            role=roles[row],
        )
        for row, id_ in enumerate(people.ids)
        if people.roles[row] != MULTI_QUERY
    ]


def _roles(people: People) -> Sequence[Role | None]:
    """Return what all images are for, those of the dataset's training too."""
    cameras = sorted(set(people.cameras) - {""})
    if len(cameras) != TWO_VIEWS:
        return [None] * len(people.ids)
    pairs = zip(people.cameras, people.roles, strict=True)
    asking = {camera for camera, role in pairs if role == "query"}
    first = asking.pop() if len(asking) == 1 else cameras[0]
    return ["query" if camera == first else "gallery" for camera in people.cameras]


def _draw(
    people: People, dataset: ImageDataset, number: int, share: float, seed: int
) -> PeopleDivision:
    own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    split = identity_split(dataset, own_seed, share)
    rows = {id_: row for row, id_ in enumerate(people.ids)}
    tested = split.test.samples
    return _division(
        number,
        {
            "train": [rows[sample.id] for sample in split.train.samples],
            "query": [rows[sample.id] for sample in tested if sample.role == "query"],
            "gallery": [rows[sample.id] for sample in tested if sample.role == "gallery"],
        },
    )


def _division(number: int, rows: dict[str, list[int]]) -> PeopleDivision:
    train, queries, gallery = (np.array(sorted(rows[name]), dtype=np.int64) for name in PARTS)
    return PeopleDivision(number, train, Search(queries, gallery))

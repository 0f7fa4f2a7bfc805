"""People in images: who is seen, by which camera, who is looked for, and among whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from attncli.data.identities import NOBODY, identity_numbers
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.features import FeatureDirectory
from attncli.metrics.ranking import Sightings

REMEDY = "use images of people, with `subject`, `camera` and `role`"


@dataclass(frozen=True)
class People:
    """Images of people; a text is empty where nothing is known."""

    ids: tuple[str, ...]
    """Id of each image."""
    names: tuple[str, ...]
    """Who is seen; empty where it is nobody who is looked for."""
    cameras: tuple[str, ...]
    """Which camera took it."""
    roles: tuple[str, ...]
    """`query`, `gallery` or empty."""
    where: Path
    """Where the images are from, for messages."""

    @cached_property
    def identities(self) -> Int64[np.ndarray, " n"]:
        """Number of the person in each image, from 1; `NOBODY` where there is no name."""
        return identity_numbers([name or None for name in self.names])

    @cached_property
    def camera_numbers(self) -> Int64[np.ndarray, " n"]:
        """Number of the camera of each image."""
        return np.unique(self.cameras, return_inverse=True)[1].astype(np.int64)

    def sightings(self, rows: Int64[np.ndarray, " _"]) -> Sightings:
        """Return who is seen in some images, and by which camera."""
        return Sightings(self.identities[rows], self.camera_numbers[rows])


@dataclass(frozen=True)
class Search:
    """Who is looked for, and among which images."""

    queries: Int64[np.ndarray, " _"]
    """Rows of the images that show whom to look for."""
    gallery: Int64[np.ndarray, " _"]
    """Rows of the images to look among."""


def people_of_features(directory: FeatureDirectory) -> People:
    """Return the people that features are of; an image without a subject shows its class.

    Raises:
        AttncliError: Features are not of people.
    """
    if not any(directory.cameras):
        what = "does not say by which camera people are seen"
        raise AttncliError(what, where=directory.path, remedy=f"{REMEDY}, and extract features")
    pairs = zip(directory.subjects, directory.labels, strict=True)
    names = tuple(subject or label for subject, label in pairs)
    return People(directory.ids, names, directory.cameras, directory.roles, directory.path)


def people_of_samples(samples: Sequence[ImageSample], where: Path) -> People:
    """Return the people of images of a dataset."""
    return People(
        ids=tuple(sample.id for sample in samples),
        names=tuple(sample.subject or "" for sample in samples),
        cameras=tuple(sample.camera or "" for sample in samples),
        roles=tuple(sample.role or "" for sample in samples),
        where=where,
    )


def search_among(people: People, rows: Int64[np.ndarray, " _"]) -> Search:
    """Return who is looked for among some images.

    Where no image has a role, everybody known is looked for among all images: a query itself is
    left out of its ranking as an image by its own camera.

    Args:
        people: All images.
        rows: Which of them.

    Raises:
        AttncliError: There is no query or no gallery, nobody knows which camera took an image, or
            whom a query shows.
    """
    roles = np.array(people.roles)[rows]
    if (roles == "").all():
        search = Search(rows[people.identities[rows] != NOBODY], rows)
    else:
        search = Search(rows[roles == "query"], rows[roles == "gallery"])
    require_searchable(people, search)
    return search


def require_searchable(people: People, search: Search) -> None:
    """Make sure that there are queries and a gallery, of known cameras.

    Raises:
        AttncliError: They are not there, a camera is not known, or whom a query shows.
    """
    for rows, kind in ((search.queries, "query"), (search.gallery, "gallery image")):
        if not len(rows):
            raise AttncliError(f"there is no {kind}", where=people.where, remedy=REMEDY)
    nobody = search.queries[people.identities[search.queries] == NOBODY]
    if len(nobody):
        what = f"query {people.ids[nobody[0]]} shows nobody who is known"
        raise AttncliError(what, where=people.where, remedy="say its `subject`, or leave it out")
    require_cameras(people, np.concatenate([search.queries, search.gallery]))


def require_cameras(people: People, rows: Int64[np.ndarray, " _"]) -> None:
    """Make sure that it is known which camera took each of some images.

    Raises:
        AttncliError: It is not known of one, which is named.
    """
    for row in rows.tolist():
        if not people.cameras[row]:
            what = f"does not say which camera took {people.ids[row]}"
            raise AttncliError(what, where=people.where, remedy=REMEDY)

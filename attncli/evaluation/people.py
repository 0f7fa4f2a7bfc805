"""People in images: who is seen, by which camera, who is looked for, and among whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Int64

from attncli.data.identities import NOBODY, identity_numbers
from attncli.data.samples import MULTI_QUERY, ImageSample, Role
from attncli.errors import AttncliError, UsageError
from attncli.files.features import INDEX, FeatureDirectory
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
    """`query`, `gallery`, `multi-query` or empty."""
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

    def rows_of(
        self, rows: Int64[np.ndarray, " _"]
    ) -> dict[tuple[int, int], Int64[np.ndarray, " _"]]:
        """Return some rows by the numbers of person and camera, in rising order of these."""
        pairs = np.stack([self.identities, self.camera_numbers], axis=1)[rows]
        known, numbers = np.unique(pairs, axis=0, return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(1, len(known)))
        parts = np.split(rows[order], starts)
        return {(int(p), int(c)): own for (p, c), own in zip(known, parts, strict=True)}


@dataclass(frozen=True)
class Search:
    """Who is looked for, and among which images."""

    queries: Int64[np.ndarray, " _"]
    """Rows of the images that show whom to look for."""
    gallery: Int64[np.ndarray, " _"]
    """Rows of the images to look among."""
    together: Int64[np.ndarray, " _"] = field(default_factory=lambda: np.empty(0, np.int64))
    """Rows of the images that are queries together, where several are asked for; where there are
    none, all queries of a person by a camera are."""


def people_of_features(directory: FeatureDirectory) -> People:
    """Return the people that features are of; an image without a subject shows its class.

    Raises:
        AttncliError: Features are not of people, or a role is none.
    """
    if not any(directory.cameras):
        what = "does not say which camera took each image"
        raise AttncliError(what, where=directory.path, remedy=f"{REMEDY}, and extract features")
    for id_, role in zip(directory.ids, directory.roles, strict=True):
        if role and role not in get_args(Role):
            what = f"role of {id_} must be one of {', '.join(get_args(Role))}, not {role!r}"
            raise AttncliError(what, where=directory.path / INDEX, remedy="correct it")
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
        parts = [rows[roles == role] for role in ("query", "gallery", MULTI_QUERY)]
        search = Search(*parts)
    require_searchable(people, search)
    return search


@dataclass(frozen=True)
class MultiQueries:
    """Queries of several images each."""

    search: Search
    """Who is looked for among whom, with one query image for each query."""
    groups: tuple[Int64[np.ndarray, " _"], ...]
    """Rows of the images of each query."""


def multi_queries(people: People, search: Search) -> MultiQueries:
    """Return queries of several images: those of a person by a camera, which are queries together.

    Raises:
        UsageError: Nobody has several by one camera.
        AttncliError: None of the images that are queries together is of a query.
    """
    rows = search.together if len(search.together) else search.queries
    by_pair = people.rows_of(rows)
    firsts = {pair: int(own[0]) for pair, own in people.rows_of(search.queries).items()}
    for pair, row in firsts.items():
        if pair not in by_pair:
            what = f"no image is a query together with {people.ids[row]}, or none could be read"
            raise AttncliError(what, where=people.where, remedy="leave out --multi-query")
    groups = tuple(by_pair[pair] for pair in firsts)
    if not len(search.together) and all(len(group) == 1 for group in groups):
        raise UsageError(
            f"{people.where} has only one image of each query",
            where="--multi-query",
            remedy="use images of role `multi-query`, as those of Market-1501's gt_bbox/ are"
            " (`attncli svd-fc --multi-query` extracts features of them)",
        )
    queries = np.array(list(firsts.values()), dtype=np.int64)
    return MultiQueries(Search(queries, search.gallery), groups)


def require_searchable(people: People, search: Search) -> None:
    """Make sure that there are queries and a gallery, of known cameras.

    Raises:
        AttncliError: They are not there, a camera is not known, or whom a query shows.
    """
    for rows, kind in ((search.queries, "query"), (search.gallery, "gallery image")):
        if not len(rows):
            raise AttncliError(f"holds no {kind}", where=people.where, remedy=REMEDY)
    nobody = search.queries[people.identities[search.queries] == NOBODY]
    if len(nobody):
        what = f"query {people.ids[nobody[0]]} shows an unknown person"
        raise AttncliError(what, where=people.where, remedy="give its `subject`, or leave it out")
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

"""Whom to learn from and whom to find again: random divisions of people, not of images.

Nobody who is learnt from is looked for. Of the others a query is an image of the first view where
the dataset has two, the gallery those of the second; of other datasets the queries are drawn, as
Market-1501's were: one of each person from each camera.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int64

from attncli.data.samples import ImageDataset, ImageSample, Role
from attncli.errors import AttncliError, UsageError

NOBODY = 0
"""Number of whoever is not known, and so is no right answer to a query."""
_ALMOST_ONE = 1e-9
"""What the share of a number may lack to be a whole number, as 0.29 x 100 does."""


@dataclass(frozen=True)
class IdentitySplit:
    """A dataset divided by the people it shows."""

    train: ImageDataset
    """All images of those to learn from, who are its classes."""
    test: ImageDataset
    """Queries and gallery of the others, with `role` and without a class."""


def identity_split(dataset: ImageDataset, seed: int, share: float = 0.5) -> IdentitySplit:
    """Divide people at random into those to learn from and those to find again.

    Only people who can be found again are dealt out: those in both a query and the gallery where
    images have a `role`, else those whom two cameras saw. Gallery images of all others, and those
    that show nobody known, stay in the gallery of the test part as wrong answers; the others' query
    images are left out, which `notes` of the test part says. The result follows from seed and
    images, not from their order.

    Args:
        dataset: Images with `subject` and `camera`.
        seed: Seed of the division, at least 0.
        share: Part of the people to learn from, between 0 and 1; rounded down to whole people.

    Raises:
        AttncliError: A camera is not known, or fewer than two people can be found again.
        UsageError: The share leaves nobody in a part.
    """
    _require_cameras(dataset)
    matched = _matched(dataset)
    if len(matched) < 2:
        raise AttncliError(
            f"shows {len(matched)} people whom two cameras saw, too few to divide",
            where=dataset.root,
            remedy="use a dataset that says who each image shows, and which camera took it",
        )
    learnt, sought = split_identities(matched, seed, share)
    return IdentitySplit(_train_part(dataset, learnt), _test_part(dataset, learnt, sought, seed))


def split_identities(
    names: Sequence[str], seed: int, share: float = 0.5
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide names at random; each part is sorted.

    Args:
        names: The people, in any order, each any number of times.
        seed: Seed of the division, at least 0.
        share: Part of the people to learn from; rounded down to whole people.

    Returns:
        Those to learn from, and those to find again.

    Raises:
        UsageError: The share leaves nobody in a part.

    >>> split_identities(["a", "b", "c", "b"], seed=0, share=0.4)
    (('c',), ('a', 'b'))
    """
    people = sorted(set(names))
    n_train = math.floor(share * len(people) + _ALMOST_ONE)
    if not 0 < n_train < len(people):
        what = f"a share of {share:g} of {len(people)} people leaves one part without people"
        raise UsageError(what, where="--train-share", remedy="choose another share, or add people")
    order = np.random.default_rng(seed).permutation(len(people))
    learnt = {people[index] for index in order[:n_train]}
    return tuple(sorted(learnt)), tuple(name for name in people if name not in learnt)


def identity_numbers(names: Sequence[str | None]) -> Int64[np.ndarray, " n"]:
    """Return a number for each name, from 1 in alphabetical order; `NOBODY` where there is none.

    Queries and gallery are numbered together, so that one number is one person.

    >>> identity_numbers(["b", None, "a", "b"]).tolist()
    [2, 0, 1, 2]
    """
    people = sorted({name for name in names if name is not None})
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(people, start=1)}
    return np.array([numbers.get(name, NOBODY) for name in names], dtype=np.int64)


def _require_cameras(dataset: ImageDataset) -> None:
    for sample in dataset.samples:
        if sample.camera is None:
            raise AttncliError(
                f"does not say which camera took {sample.id!r}",
                where=dataset.root,
                remedy="use a dataset for re-identification, or a manifest with a column `camera`",
            )


def _matched(dataset: ImageDataset) -> list[str]:
    """Return the people who can be found again."""
    seen: defaultdict[str, set[str | None]] = defaultdict(set)
    cameras: defaultdict[str, set[str | None]] = defaultdict(set)
    for sample in dataset.samples:
        if sample.subject is not None:
            seen[sample.subject].add(sample.role)
            cameras[sample.subject].add(sample.camera)
    has_roles = _has_roles(dataset)
    return [
        person
        for person in seen
        if len(cameras[person]) > 1 and (not has_roles or {"query", "gallery"} <= seen[person])
    ]


def _has_roles(dataset: ImageDataset) -> bool:
    return any(sample.role is not None for sample in dataset.samples)


def _train_part(dataset: ImageDataset, learnt: tuple[str, ...]) -> ImageDataset:
    classes = {person: label for label, person in enumerate(learnt)}
    samples = tuple(
        replace(sample, labels=frozenset({classes[sample.subject]}), role=None)
        for sample in dataset.samples
        if sample.subject in classes
    )
    return replace(dataset, classes=learnt, samples=samples)


def _test_part(
    dataset: ImageDataset, learnt: tuple[str, ...], sought: tuple[str, ...], seed: int
) -> ImageDataset:
    others = [sample for sample in dataset.samples if sample.subject not in set(learnt)]
    roles = (
        {sample.id: sample.role for sample in others}
        if _has_roles(dataset)
        else _drawn_roles([s for s in others if s.subject in set(sought)], seed)
    )
    samples, left_out = [], []
    for sample in others:
        role = roles.get(sample.id) or "gallery"
        if role == "query" and sample.subject not in set(sought):
            left_out.append(sample)
        else:
            samples.append(replace(sample, labels=None, role=role))
    notes = (*dataset.notes, *_notes(left_out))
    return replace(dataset, classes=learnt, samples=tuple(samples), notes=notes)


def _notes(left_out: Sequence[ImageSample]) -> tuple[str, ...]:
    if not left_out:
        return ()
    n, first = len(left_out), left_out[0].id
    return (f"{n} query images left out, as their people are not in the gallery, such as {first}",)


def _drawn_roles(samples: Sequence[ImageSample], seed: int) -> Mapping[str, Role]:
    """Return one query of each person from each camera that took two images of them or more.

    Where no camera did, the query is the first camera's image; the gallery always keeps an image
    from another camera.
    """
    taken: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        taken[sample.subject or ""][sample.camera or ""].append(sample.id)
    rng = np.random.default_rng((seed, 1))
    roles: dict[str, Role] = {}
    for person in sorted(taken):
        by_camera = [sorted(ids) for _, ids in sorted(taken[person].items())]
        for ids in [ids for ids in by_camera if len(ids) > 1] or by_camera[:1]:
            roles[ids[int(rng.integers(len(ids)))]] = "query"
    return roles

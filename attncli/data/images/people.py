"""Images of people: told apart in training, looked for in tests."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from attncli.config.images import ImageConfig
from attncli.data.images.source import ImageSource
from attncli.data.samples import ImageDataset, ImageSample, Role, Split
from attncli.errors import AttncliError

ROLES: tuple[Role, ...] = ("query", "gallery")
"""What images of tests are for, where any is said to be for something: both there have to be."""


@dataclass(frozen=True)
class PeopleSource(ImageSource):
    """Images to learn from, a class a person, and queries and gallery of other people."""

    labelled: ClassVar[tuple[Split, ...]] = ("train",)
    fixed_classes: ClassVar[str] = "classes are people, and tests are of others; use --limit"
    whole_people: ClassVar[bool] = True

    @classmethod
    def of_run(cls, config: ImageConfig, run: Path, data: Path | None = None) -> "PeopleSource":
        """Return the run's own images, or those of other data in whatever layout they are."""
        return cls(ImageSource.of_run(config, run, data).config)

    def open(self, split: Split) -> ImageDataset:
        """Return the images of a split; those of tests have no classes, as people are others.

        Where images of tests have a role, some are queries and others the gallery.

        Raises:
            AttncliError: A training image shows several people, it is not known which camera took
                an image, or there is no query, no gallery, or nobody who can be found again.
        """
        dataset = super().open(split)
        _require_cameras(dataset)
        if split in self.labelled:
            _require_one_person(dataset)
            return dataset
        _require_both_roles(dataset)
        _require_match(dataset)
        samples = tuple(replace(sample, labels=None) for sample in dataset.samples)
        return replace(dataset, classes=(), samples=samples)


def _require_cameras(dataset: ImageDataset) -> None:
    unknown = [sample for sample in dataset.samples if sample.camera is None]
    if unknown:
        raise AttncliError(
            f"does not say which camera took {_first(unknown)}",
            where=dataset.root,
            remedy="use a dataset for re-identification, or a manifest with a column `camera`",
        )


def _require_one_person(dataset: ImageDataset) -> None:
    wrong = [s for s in dataset.samples if s.labels is not None and len(s.labels) != 1]
    if wrong:
        n_people = len(wrong[0].labels or ())
        raise AttncliError(
            f"shows {n_people} people, {_first(wrong)}",
            where=dataset.root,
            remedy="use images of one person each to learn from",
        )


def _require_both_roles(dataset: ImageDataset) -> None:
    roles = {sample.role for sample in dataset.samples}
    for role in ROLES:
        if roles != {None} and role not in roles:
            remedy = "use a dataset with queries and a gallery"
            raise AttncliError(f"has no image of role {role!r}", where=dataset.root, remedy=remedy)


def _require_match(dataset: ImageDataset) -> None:
    """Make sure that somebody can be found again, before a network is trained for it."""
    has_roles = any(sample.role is not None for sample in dataset.samples)
    seen: defaultdict[str, set[str | None]] = defaultdict(set)
    for sample in dataset.samples:
        if sample.subject is not None and (sample.role == "gallery" or not has_roles):
            seen[sample.subject].add(sample.camera)
    queries = [s for s in dataset.samples if s.role == "query" or not has_roles]
    nobody = [query for query in queries if has_roles and query.subject is None]
    if nobody:
        what, remedy = f"does not say whom query {_first(nobody)} shows", "give its `subject`"
        raise AttncliError(what, where=dataset.root, remedy=remedy)
    if not any(seen.get(query.subject or "", set()) - {query.camera} for query in queries):
        raise AttncliError(
            "no query has its person in the gallery by another camera",
            where=dataset.root,
            remedy="use tests of people whom two cameras saw",
        )


def _first(samples: Sequence[ImageSample]) -> str:
    others = f" and {len(samples) - 1} others" if len(samples) > 1 else ""
    return f"{samples[0].id}{others}"

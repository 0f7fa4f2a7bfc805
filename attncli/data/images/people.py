"""Images of people: told apart in training, looked for in tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, get_args

from attncli.config.images import ImageConfig
from attncli.data.images.source import ImageSource
from attncli.data.samples import ImageDataset, ImageSample, Role, Split
from attncli.errors import AttncliError


@dataclass(frozen=True)
class PeopleSource(ImageSource):
    """Images to learn from, a class a person, and queries and gallery of other people."""

    labelled: ClassVar[tuple[Split, ...]] = ("train",)

    @classmethod
    def of_run(cls, config: ImageConfig, run: Path, data: Path | None = None) -> "PeopleSource":
        """Return the run's own images, or those of other data in whatever layout they are."""
        return cls(ImageSource.of_run(config, run, data).config)

    def open(self, split: Split) -> ImageDataset:
        """Return the images of a split; those of tests have no classes, as people are others.

        Where images of tests have a role, some are queries and others the gallery.

        Raises:
            AttncliError: A training image shows several people, it is not known which camera took
                an image, or there is no query or no gallery.
        """
        dataset = super().open(split)
        _require_cameras(dataset)
        if split in self.labelled:
            _require_one_person(dataset)
            return dataset
        _require_both_roles(dataset)
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
    for role in get_args(Role):
        if roles != {None} and role not in roles:
            remedy = "use a dataset with queries and a gallery"
            raise AttncliError(f"no image is of the {role}", where=dataset.root, remedy=remedy)


def _first(samples: Sequence[ImageSample]) -> str:
    others = f" and {len(samples) - 1} others" if len(samples) > 1 else ""
    return f"{samples[0].id}{others}"

"""Where the images of a run come from: a dataset that says itself which are for validation."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from attncli.batches import ImageBatch
from attncli.config.images import ImageConfig
from attncli.config.ssdd import SegmenterConfig
from attncli.data.choice import choose
from attncli.data.images.batches import ImageReader
from attncli.data.images.full_masks import choose_full_masks
from attncli.data.images.seed_maps import SeedMaps, require_seeds
from attncli.data.layouts.images import NO_LABELS, open_images
from attncli.data.samples import ImageDataset, Split
from attncli.data.source import NoGuidance, Reader
from attncli.errors import UsageError
from attncli.files.seeds import open_seeds

SEED_STRIDE = 4
"""Pixels of a crop that a label of SSDD's stands for: that of its features."""


@dataclass(frozen=True)
class ImageSource:
    """The images of a dataset with the classes each shows."""

    labelled: ClassVar[tuple[Split, ...]] = ("train", "val")
    fixed_classes: ClassVar[str] = ""
    """Why no class can be left out; empty where that can be."""
    whole_people: ClassVar[bool] = False
    """Whether all images of a person are used or none."""

    config: ImageConfig
    """Which dataset, and how its images are cut."""
    label_maps: bool = False
    """Whether images are read together with the label maps that they have."""
    multi_query: bool = False
    """Whether images of people that are queries together are opened, too."""

    @classmethod
    def of_run(
        cls,
        config: ImageConfig,
        run: Path,  # noqa: ARG003 - the settings say it all
        data: Path | None = None,
    ) -> "ImageSource":
        """Return the run's own images, or those of other data in whatever layout they are."""
        if data is None:
            return cls(config)
        other = replace(config, data=data, layout="auto", train_list=None, labels="auto")
        return cls(replace(other, limit=None))

    def open(self, split: Split) -> ImageDataset:
        """Return the images of a split, with image labels where they are needed.

        Raises:
            UsageError: Some classes are to be used alone, where all are needed.
        """
        config = self.config
        if config.classes and self.fixed_classes:
            raise UsageError(self.fixed_classes, where="--classes", remedy="leave it out")
        dataset = open_images(
            config.data,
            layout=config.layout,
            split=split,
            labels=config.labels if split in self.labelled else NO_LABELS,
            train_list=config.train_list,
            multi_query=self.multi_query,
        )
        return choose(dataset, config, split, whole_people=self.whole_people)

    def keep(self, run: Path) -> None:
        """Write nothing: the dataset's own lists say it all."""

    def notes(self, dataset: ImageDataset) -> list[str]:
        """Return where image labels are from, and how many images have none."""
        notes = [f"image labels are from {dataset.labels_from}"]
        n_unlabelled = sum(not sample.is_labelled for sample in dataset.samples)
        if n_unlabelled:
            notes.append(f"{n_unlabelled} of {len(dataset.samples)} images have no labels")
        return notes

    def guidance(self, dataset: ImageDataset) -> Any:  # noqa: ARG002 - there is none
        """Return labels alone."""
        return NoGuidance()

    def reader(
        self,
        dataset: ImageDataset,
        *,
        training: bool,
        guidance: Any = None,  # noqa: ARG002 - there is none
    ) -> Reader[ImageBatch]:
        """Return what reads crops in training, else whole images."""
        return ImageReader(dataset, self.config, training=training, label_maps=self.label_maps)


@dataclass(frozen=True)
class SeedSource(ImageSource):
    """Images with the seeds that are learnt from, and for validation with their label maps."""

    labelled: ClassVar[tuple[Split, ...]] = ("train",)
    fixed_classes: ClassVar[str] = "cannot be used, as seeds and label maps hold all classes"

    config: SegmenterConfig
    """Which dataset and seeds, and how they are cut."""

    def guidance(self, dataset: ImageDataset) -> SeedMaps:
        """Return the seeds that the settings name.

        Raises:
            AttncliError: A directory holds none of these images, or is of other classes.
        """
        named = self.config.seed_directories
        opened = {name: open_seeds(path, classes=dataset.classes) for name, path in named.items()}
        require_seeds(opened, dataset)
        config = self.config
        return SeedMaps(
            opened,
            SEED_STRIDE,
            backgrounds=dict.fromkeys(opened, config.background),
            full_masks=choose_full_masks(dataset, config.full_mask_share, seed=config.seed),
        )

    def reader(
        self, dataset: ImageDataset, *, training: bool, guidance: Any = None
    ) -> Reader[ImageBatch]:
        """Return what reads crops with their seeds in training, else images with label maps."""
        return ImageReader(
            dataset, self.config, training=training, label_maps=not training, seeds=guidance
        )

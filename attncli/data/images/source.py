"""Where the images of a run come from: a dataset that says itself which are for validation."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from attncli.batches import ImageBatch
from attncli.config.images import ImageConfig
from attncli.data.images.batches import ImageReader
from attncli.data.layouts.images import open_images
from attncli.data.samples import ImageDataset, Split
from attncli.data.source import NoGuidance, Reader


@dataclass(frozen=True)
class ImageSource:
    """The images of a dataset with the classes each shows."""

    config: ImageConfig
    """Which dataset, and how its images are cut."""
    label_maps: bool = False
    """Whether images are read together with the label maps that they have."""

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
        return cls(replace(config, data=data, layout="auto", train_list=None, labels="auto"))

    def open(self, split: Split) -> ImageDataset:
        """Return the images of a split."""
        config = self.config
        return open_images(
            config.data,
            layout=config.layout,
            split=split,
            labels=config.labels,
            train_list=config.train_list,
        )

    def keep(self, run: Path) -> None:
        """Write nothing: the dataset's own lists say it all."""

    def notes(self, dataset: ImageDataset) -> list[str]:
        """Return where image labels are from, and how many images have none."""
        notes = [f"image labels are from {dataset.labels_from}"]
        n_unlabelled = sum(not sample.is_labelled for sample in dataset.samples)
        if n_unlabelled:
            notes.append(f"{n_unlabelled} of {len(dataset.samples)} images have no labels")
        return notes

    def guidance(self, dataset: ImageDataset) -> NoGuidance:  # noqa: ARG002 - there is none
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

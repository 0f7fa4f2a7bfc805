"""Clips of videos: a clip of each, of a dataset that says itself which are for validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from attncli.config.training import ClipConfig
from attncli.data.choice import choose
from attncli.data.clips.guides import ClipGuidance
from attncli.data.clips.mirroring import flip_notes
from attncli.data.clips.reading import ClipReader
from attncli.data.layouts import open_dataset
from attncli.data.samples import Split, VideoDataset


@dataclass(frozen=True)
class VideoSource:
    """A clip of each video of a dataset."""

    labelled: ClassVar[tuple[Split, ...]] = ("train", "val")

    config: ClipConfig
    """Which dataset, and how clips are cut."""

    @classmethod
    def of_run(cls, config: ClipConfig, run: Path, data: Path | None = None) -> "VideoSource":  # noqa: ARG003
        """Return the clips of a run's own dataset, or of `data`."""
        if data is None:
            return cls(config)
        return cls(replace(config, data=data, layout="auto", limit=None))

    def open(self, split: Split) -> VideoDataset:
        """Return the videos of a split."""
        config = self.config
        dataset = open_dataset(
            config.data, layout=config.layout, split=split, split_number=config.split_number
        )
        return choose(dataset, config, split)

    def keep(self, run: Path) -> None:
        """Write nothing: the dataset's own lists say it all."""

    def notes(self, dataset: VideoDataset) -> Sequence[str]:
        """Return why clips are not mirrored, where they are not though they might be."""
        return flip_notes(self.config.flip, dataset.classes)

    def guidance(self, dataset: VideoDataset) -> ClipGuidance:
        """Return the masks and edits that the settings name."""
        return ClipGuidance.open(self.config, dataset)

    def reader(
        self, dataset: VideoDataset, *, training: bool, guidance: ClipGuidance | None = None
    ) -> ClipReader:
        """Return what reads a clip of each video."""
        return ClipReader(
            dataset, self.config, training=training, guidance=guidance, seed=self.config.seed
        )

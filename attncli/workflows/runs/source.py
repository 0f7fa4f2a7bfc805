"""Where the clips of a run come from: a dataset's own lists, or the folds its people are in."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from attncli.config.ram import SequenceConfig
from attncli.config.training import ClipConfig, TrainConfig
from attncli.data.clips.guides import Guidance
from attncli.data.clips.reading import ClipDataset, Clips
from attncli.data.faces.people import People, read_people, write_people
from attncli.data.faces.sequences import SequenceClips, sequence_clips
from attncli.data.layouts import open_dataset
from attncli.data.samples import Split, VideoDataset
from attncli.errors import UsageError

ClipSettings = ClipConfig | SequenceConfig
"""Settings that say how clips are cut."""


@runtime_checkable
class Source(Protocol):
    """The clips that one network is trained on and tested with."""

    def open(self, split: Split) -> VideoDataset:
        """Return the clips of a split, a sample each; nothing is decoded yet."""
        ...

    def keep(self, run: Path) -> None:
        """Write into the directory of a run what is needed to open the same clips again."""
        ...

    def read(self, dataset: VideoDataset, *, training: bool, guidance: Guidance) -> Clips:
        """Return what reads clips that `open` returned, cut as in training or as in validation."""
        ...


@dataclass(frozen=True)
class VideoSource:
    """A clip of each video of a dataset that says itself which are for validation."""

    config: ClipConfig
    """Which dataset, and how clips are cut."""

    def open(self, split: Split) -> VideoDataset:
        """Return the videos of a split."""
        config = self.config
        return open_dataset(
            config.data, layout=config.layout, split=split, split_number=config.split_number
        )

    def keep(self, run: Path) -> None:
        """Write nothing: the dataset's own lists say it all."""

    def read(self, dataset: VideoDataset, *, training: bool, guidance: Guidance) -> Clips:
        """Return what reads a clip of each video, with masks and edits where there are some."""
        return ClipDataset(
            dataset,
            self.config,
            training=training,
            masks=guidance.masks,
            edits=guidance.edits,
            spatial_edits=guidance.spatial_edits,
            seed=self.config.seed,
        )


@dataclass(frozen=True)
class FoldSource:
    """All clips of the image sequences of a fold's people: `val`; of everybody else: `train`."""

    config: SequenceConfig
    """Which fold, and how clips are cut."""
    people: People
    """The sequences of all people, and who is in which fold."""

    def open(self, split: Split) -> VideoDataset:
        """Return the clips of a split."""
        return sequence_clips(self.people.part(self.config.fold, split), self.config)

    def keep(self, run: Path) -> None:
        """Write who is in which fold, and where faces are."""
        write_people(self.people, run)

    def read(
        self,
        dataset: VideoDataset,
        *,
        training: bool,
        guidance: Guidance,  # noqa: ARG002 - faces have neither masks nor edits
    ) -> Clips:
        """Return what reads the clips, whose sequences are held in memory."""
        return SequenceClips(
            dataset,
            self.config,
            store=self.people.store,
            training=training,
            seed=self.config.seed,
        )


def open_source(config: TrainConfig, run: Path, data: Path | None = None) -> Source:
    """Return where the clips of a run come from.

    Args:
        config: Settings of the run, which say how clips are cut.
        run: Its directory; that of a fold lies in the one that says who is in which fold.
        data: Dataset to read instead of the run's own.

    Raises:
        UsageError: A fold is asked about other people than its own.
        AttncliError: The folds, or the faces in them, cannot be read.
    """
    if not isinstance(config, SequenceConfig):
        own = cast(ClipConfig, config)
        return VideoSource(own if data is None else replace(own, data=data, layout="auto"))
    if data is not None:
        raise UsageError(
            "a fold is tested on its own people only", where="--data", remedy="leave it out"
        )
    if config.fold is None:
        raise UsageError(
            f"{run} is of {config.folds} folds", remedy=f"name one, such as {run / 'fold01'}"
        )
    return FoldSource(config, read_people(config, run.absolute()))

"""Clips of people's faces: those of a fold's people are for validation, the others to learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.config.ram import SequenceConfig
from attncli.data.clips.mirroring import flip_notes
from attncli.data.faces.people import People, read_people, write_people
from attncli.data.faces.sequences import SequenceReader, sequence_clips
from attncli.data.samples import Split, VideoDataset
from attncli.data.source import NoGuidance
from attncli.errors import UsageError


@dataclass(frozen=True)
class FoldSource:
    """All clips of the image sequences of a fold's people: `val`; of everybody else: `train`."""

    labelled: ClassVar[tuple[Split, ...]] = ("train", "val")

    config: SequenceConfig
    """Which fold, and how clips are cut."""
    people: People
    """The sequences of all people, and who is in which fold."""

    @classmethod
    def of_run(cls, config: SequenceConfig, run: Path, data: Path | None = None) -> "FoldSource":
        """Return the clips of a fold, whose directory lies in that which says who is in it.

        Raises:
            UsageError: A fold is asked about other people than its own, or all folds at once.
            AttncliError: The folds, or the faces in them, cannot be read.
        """
        if data is not None:
            raise UsageError(
                "a fold is tested on its own people only", where="--data", remedy="leave it out"
            )
        if config.fold is None:
            raise UsageError(
                f"{run} holds {config.folds} folds", remedy=f"name one, such as {run / 'fold01'}"
            )
        return cls(config, read_people(config, run.absolute()))

    def open(self, split: Split) -> VideoDataset:
        """Return the clips of a split."""
        return sequence_clips(self.people.part(self.config.fold, split), self.config)

    def keep(self, run: Path) -> None:
        """Write who is in which fold, and where faces are."""
        write_people(self.people, run)

    def notes(self, dataset: VideoDataset) -> Sequence[str]:
        """Return why clips are not mirrored, where they are not though they might be."""
        return flip_notes(self.config.flip, dataset.classes)

    def guidance(self, dataset: VideoDataset) -> NoGuidance:  # noqa: ARG002 - faces have none
        """Return nothing: faces have neither masks nor edits."""
        return NoGuidance()

    def reader(
        self,
        dataset: VideoDataset,
        *,
        training: bool,
        guidance: NoGuidance | None = None,  # noqa: ARG002 - as of all sources
    ) -> SequenceReader:
        """Return what reads the clips, whose sequences are held in memory."""
        return SequenceReader(
            dataset,
            self.config,
            store=self.people.store,
            training=training,
            seed=self.config.seed,
        )

"""Image sequences of faces of one's own: all clips of each, which vote, as in an evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.config.ram import SequenceConfig
from attncli.data.clips.reading import ClipSample, collate
from attncli.data.faces.boxes import Faces, find_faces
from attncli.data.faces.sequences import (
    FaceSequence,
    SequenceReader,
    SequenceStore,
    sequence_clips,
)
from attncli.data.samples import UNKNOWN_LABEL, VideoDataset, VideoSample
from attncli.data.source import in_turn
from attncli.errors import AttncliError, Failure
from attncli.metrics.voting import majority_vote
from attncli.reporting import Reporter, Silent
from attncli.types import BranchOutputs
from attncli.workflows.predict.answers import Answer
from attncli.workflows.predict.clips import answer_of_branches, own_videos
from attncli.workflows.predict.given_arrays import several
from attncli.workflows.predict.own_files import OwnFiles


@dataclass(frozen=True)
class OwnFaceSource:
    """What reads the clips of sequences whose faces were found."""

    config: SequenceConfig
    """How clips are cut."""
    store: SequenceStore
    """Reads the sequences."""

    def reader(
        self,
        dataset: VideoDataset,
        *,
        training: bool,
        guidance: None = None,  # noqa: ARG002
    ) -> SequenceReader:
        """Return what reads clips; all sequences are read now."""
        return SequenceReader(
            dataset, self.config, store=self.store, training=training, seed=self.config.seed
        )


class OwnFaces:
    """What image sequences are to a network that is shown clips of faces.

    Args:
        config: How clips are cut, where faces are, and how many make a batch.
        classes: Names of the classes.
        attention: Kinds of attention that the network makes.
    """

    def __init__(
        self,
        config: SequenceConfig,
        classes: tuple[str, ...],
        attention: tuple[str, ...],  # noqa: ARG002 - as of all kinds
    ) -> None:
        # Files of one's own come without landmarks; whoever trained on these meant faces found.
        crop = "auto" if config.face_crop == "landmarks" else config.face_crop
        self.config = replace(config, face_crop=crop)
        self.classes = classes

    def open(self, files: Sequence[Path], *, reporter: Reporter) -> OwnFiles:
        """Return all clips of videos and directories of frames, whose faces are looked for."""
        videos = own_videos(files, self.classes)
        found: dict[str, Faces] = {}
        clips: list[VideoSample] = []
        failures: list[Failure] = []
        for sample in reporter.track(videos.samples, label="looking for faces", unit="files"):
            alone = replace(videos, samples=(sample,))
            try:
                found[sample.id] = find_faces(alone, self.config.face_crop, reporter=Silent())
                clips += sequence_clips(alone, self.config).samples
            except AttncliError as error:
                failures.append(Failure(sample.id, str(sample.path), str(error)))
        boxes = dict(chain.from_iterable(faces.boxes.items() for faces in found.values()))
        source = OwnFaceSource(self.config, SequenceStore(self.config, Faces(boxes)))
        return OwnFiles(source, replace(videos, samples=tuple(clips)), tuple(failures))

    def batches(self, frames: UInt8[Tensor, "..."], *, cut: bool) -> Iterator[ClipBatch]:
        """Yield clips of faces in batches.

        A frame is a face: the largest square at its centre is resized and cut as in an evaluation,
        or taken as it is.

        Raises:
            UsageError: They are no clips.
        """
        clips = several(frames, axes=5, shape="T, H, W")
        for rows in in_turn(range(len(clips)), self.config.batch_size):
            yield self._cut(clips[rows]) if cut else _uncut(clips[rows])

    def answer(self, outputs: BranchOutputs) -> Answer:
        """Return class probabilities and attention of clips."""
        return answer_of_branches(outputs, self.classes)

    def of_one_file(self, answer: Answer) -> Answer:
        """Return the mean probabilities over the clips of a sequence, and the attention of each."""
        sequences = np.zeros(len(answer.scores), dtype=np.int64)

        def mean(scores: np.ndarray) -> np.ndarray:
            return majority_vote(scores, sequences).probabilities.astype(np.float32)

        branch = answer.attention_scores
        return replace(
            answer,
            scores=mean(answer.scores),
            attention_scores=None if branch is None else mean(branch),
        )

    def passes(self, file: Path) -> Iterator[ClipBatch]:
        """Yield batches of all clips of a sequence; the first frames of it may be in none.

        Raises:
            AttncliError: The sequence or its face cannot be read.
        """
        whole = OwnFaces(replace(self.config, clips="all"), self.classes, ())
        own = whole.open([file], reporter=Silent())
        for failure in own.failures:
            raise AttncliError(failure.error)
        reader = own.source.reader(own.dataset, training=False)
        for rows in reader.batches(range(len(reader)), self.config.batch_size):
            batch = reader.collate([reader[row] for row in rows])
            for failure in batch.failures:
                raise AttncliError(failure.error)
            yield batch

    def _cut(self, clips: UInt8[Tensor, "n t h w 3"]) -> ClipBatch:
        """Return clips as evaluation cuts them, whose frames are nothing but faces."""
        n, t = clips.shape[:2]
        config = replace(self.config, frames=t)
        sequences = tuple(_face_sequence(clip.numpy(), config) for clip in clips)
        samples = (VideoSample(id="", path=Path(), label=UNKNOWN_LABEL, start=0),) * n
        dataset = VideoDataset("arrays", Path(), self.classes, samples)
        store = _Given(sequences)
        reader = SequenceReader(dataset, config, store=store, training=False, seed=config.seed)
        return reader.collate([reader[row] for row in range(n)])


class _Given(SequenceStore):
    """Sequences that are in memory already."""

    def __init__(self, sequences: tuple[FaceSequence, ...]) -> None:
        self._sequences = sequences

    def read(self, samples: object) -> tuple[FaceSequence, ...]:  # noqa: ARG002
        return self._sequences


def _face_sequence(frames: UInt8[np.ndarray, "t h w 3"], config: SequenceConfig) -> FaceSequence:
    """Return faces in the size and colour that sequences are held in."""
    height, width = frames.shape[1:3]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    px = config.face_px + config.margin_px
    mode = "L" if config.color == "grey" else "RGB"
    faces = [
        np.asarray(
            Image.fromarray(one).convert(mode).resize((px, px), Image.Resampling.BILINEAR, box=box)
        ).reshape(px, px, -1)
        for one in frames
    ]
    return FaceSequence(torch.from_numpy(np.stack(faces)), box)


def _uncut(clips: UInt8[Tensor, "n t h w 3"]) -> ClipBatch:
    """Return clips that are to be shown as they are."""
    _, t, h, w, _ = clips.shape
    return collate(
        [
            ClipSample(
                clip, UNKNOWN_LABEL, row, torch.arange(t), (0.0, 0.0, float(w), float(h)), False
            )
            for row, clip in enumerate(clips)
        ]
    )

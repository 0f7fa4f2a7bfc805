"""Clips of image sequences of faces, cut out as RAM's training and evaluation take them.

All sequences are held in memory, cut to their faces and reduced: the 327 of CK+ in grey take 64 MB.
A clip depends on the seed, the epoch and its row alone, as in `attncli.data.clips.reading`.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.config.ram import SequenceConfig
from attncli.data.clips.geometry import ClipGeometry, ClipView
from attncli.data.clips.mirroring import labels_after_flip
from attncli.data.clips.reading import ClipSample, Purpose, SeededClips, empty_batch
from attncli.data.faces.boxes import Faces
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.video.reading import UnreadableVideoError, count_frames, iterate_frames, remark_on
from attncli.errors import AttncliError, Failure, Remark
from attncli.machine import usable_cores

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the source frame."""


@dataclass(frozen=True)
class FaceSequence:
    """All frames of one sequence, cut to the face."""

    frames: UInt8[Tensor, "n s s c"]
    """Grey values (one channel) or RGB, 0-255; at least one frame."""
    box: Box
    """Part of the source frames shown."""
    remark: str | None = None
    """What the user should know of it; None where all is well."""


@dataclass(frozen=True)
class Unreadable:
    """What is wrong with a sequence that could not be read, for whichever clip asks for it."""

    path: Path
    """The directory or file."""
    error: str
    """What is wrong with it, in one line; it names the frame."""


@dataclass(frozen=True)
class _Cut:
    """What a sequence is read as: equal ones are read once."""

    path: Path
    files: tuple[Path, ...]
    box: Box | None
    """None where no face is known."""
    side_px: int
    color: Literal["grey", "rgb"]


class SequenceStore:
    """The sequences that were read already, for all datasets of a process that are given it.

    Training and test clips of all folds of a cross-validation are of the same sequences.

    Args:
        config: Size and colour of the faces.
        faces: Where the faces are.
    """

    def __init__(self, config: SequenceConfig, faces: Faces) -> None:
        self._config = config
        self._faces = faces
        self._read: dict[_Cut, FaceSequence | Unreadable] = {}

    def read(self, samples: Iterable[VideoSample]) -> tuple[FaceSequence | Unreadable, ...]:
        """Return the sequence of each sample, or of the one that a clip is of.

        Those not read before are read side by side.
        """
        cuts = [_cut(sample, self._config, self._faces) for sample in samples]
        missing = [cut for cut in dict.fromkeys(cuts) if cut not in self._read]
        pool = ThreadPoolExecutor(max(2, min(8, usable_cores())))
        try:
            found = pool.map(_read_or_say_why_not, missing)
            self._read.update(zip(missing, found, strict=True))
        finally:
            pool.shutdown(cancel_futures=True)
        return tuple(self._read[cut] for cut in cuts)


class SequenceReader(SeededClips):
    """Reads clips of sequences, a row each; the sequences are read when it is made.

    A sequence of which any frame cannot be read is a `Failure` for each of its clips.

    Args:
        dataset: The clips, as `sequence_clips` returns them.
        config: Length of clips, size of faces, and how they are mirrored.
        store: Reads sequences in that size, where other datasets have not done so.
        training: Whether to cut out and mirror at random, or to show the centre.
        seed: What all random choices follow from, together with the epoch and the row.
    """

    def __init__(
        self,
        dataset: VideoDataset,
        config: SequenceConfig,
        *,
        store: SequenceStore,
        training: bool,
        seed: int,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.samples = dataset.samples
        self.config = config
        self._sequences = store.read(dataset.samples)
        self._labels_after_flip = labels_after_flip(
            config.flip if training else "none", dataset.classes
        )
        side_px = config.face_px + config.margin_px
        self._geometry = ClipGeometry(
            short_side_min_px=side_px,
            short_side_max_px=side_px,
            crop_px=config.face_px,
            random_crop=training,
        )

    def nothing(self) -> ClipBatch:
        """Return a batch of no clip, of the shape that clips have."""
        return empty_batch(self.config.clip_shape)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> ClipSample | Failure:
        sample, sequence = self.samples[row], self._sequences[row]
        if isinstance(sequence, Unreadable):
            return Failure(id=sample.id, path=str(sequence.path), error=sequence.error)
        view = self._geometry.draw(
            self.generator(row, Purpose.VIEW), may_flip=sample.label in self._labels_after_flip
        )
        indices = _clamped_indices(
            sample.start or 0, self.config.frames, n_frames=len(sequence.frames)
        )
        return ClipSample(
            frames=_shown(sequence.frames[indices], view).expand(-1, -1, -1, 3),
            label=self._labels_after_flip[sample.label] if view.flip else sample.label,
            row=row,
            frame_indices=torch.from_numpy(indices),
            crop=_source_crop(sequence, view),
            flip=view.flip,
            remark=Remark.on(sample.id, sample.path, sequence.remark),
        )


def sequence_clips(dataset: VideoDataset, config: SequenceConfig) -> VideoDataset:
    """Return every clip of every sequence as a sample of its own, of the same id.

    Clips of a sequence come in the order of their starts, which are counted back from its end in
    steps of `clip_step`, so that the last clip ends at the last frame. A sequence of n frames,
    fewer than a clip has, gives one clip, whose `start` is n - frames < 0 where it is filled up
    with the first frame, and 0 where it is with the last. A sequence that cannot be read, or has
    no frame, gives one clip too, so that reading it fails by name.

    Raises:
        AttncliError: A sequence is shorter than a clip and `padding` is `error`.
    """
    samples = tuple(
        replace(sample, start=start)
        for sample in dataset.samples
        for start in _starts(sample, _count(sample), config)
    )
    return replace(dataset, samples=samples)


def _count(sample: VideoSample) -> int:
    try:
        return count_frames(sample.path, files=sample.files)
    except UnreadableVideoError:
        return 0


def _starts(sample: VideoSample, n_frames: int, config: SequenceConfig) -> Sequence[int]:
    last = n_frames - config.frames
    if n_frames == 0:
        return (0,)
    if last < 0 and config.padding == "error":
        raise AttncliError(
            f"sequence {sample.id!r} has {n_frames} frames, a clip has {config.frames}",
            where=sample.path,
            remedy="use --padding first or last, or fewer --frames",
        )
    if last < 0:
        return (last if config.padding == "first" else 0,)
    return (
        (last,)
        if config.clips == "tail"
        else range(last % config.clip_step, last + 1, config.clip_step)
    )


def _clamped_indices(start: int, frames: int, *, n_frames: int) -> Int64[np.ndarray, " t"]:
    """Return the frames of a clip; where it reaches beyond the sequence, the end one repeats."""
    return np.clip(np.arange(start, start + frames, dtype=np.int64), 0, n_frames - 1)


def _cut(sample: VideoSample, config: SequenceConfig, faces: Faces) -> _Cut:
    face = faces.boxes.get(sample.id)
    return _Cut(
        path=sample.path,
        files=sample.files,
        box=None if face is None else face.box,
        side_px=config.face_px + config.margin_px,
        color=config.color,
    )


def _read_or_say_why_not(cut: _Cut) -> FaceSequence | Unreadable:
    try:
        frames = np.stack(list(_face_frames(cut)))
        if cut.box is None:
            raise AttncliError("has no face box", where=cut.path, remedy="look for faces again")
        return FaceSequence(torch.from_numpy(frames), cut.box, remark_on(cut.path, files=cut.files))
    except AttncliError as error:
        return Unreadable(cut.path, str(error))


def _face_frames(cut: _Cut) -> Iterator[UInt8[np.ndarray, "s s c"]]:
    """Yield the frames of a sequence, cut to the face where one is known."""
    size = cut.side_px, cut.side_px
    for frame in iterate_frames(cut.path, files=cut.files):
        height, width = frame.shape[:2]
        box = cut.box or (0, 0, width, height)
        left, top, right, bottom = box
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise AttncliError(
                f"face {left},{top} to {right},{bottom} is not inside a frame of {width}x{height}",
                where=cut.path,
                remedy="look for faces again",
            )
        picture = Image.fromarray(frame).convert("L" if cut.color == "grey" else "RGB")
        face = np.asarray(picture.resize(size, Image.Resampling.BILINEAR, box=box))
        yield face[..., None] if face.ndim == 2 else face


def _shown(frames: UInt8[Tensor, "t s s c"], view: ClipView) -> UInt8[Tensor, "t h w c"]:
    """Return the part of stored faces that a clip shows, in their own resolution."""
    left, top, right, bottom = _stored_box(frames.shape[1], view)
    shown = frames[:, top:bottom, left:right]
    return shown.flip(2) if view.flip else shown


def _stored_box(side_px: int, view: ClipView) -> Box:
    left, top, right, bottom = view.crop_box((side_px, side_px))
    return round(left), round(top), round(right), round(bottom)


def _source_crop(sequence: FaceSequence, view: ClipView) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of what a clip shows, in pixels of the source frame."""
    side_px = sequence.frames.shape[1]
    scale = (sequence.box[2] - sequence.box[0]) / side_px
    left, top, right, bottom = _stored_box(side_px, view)
    return (
        sequence.box[0] + scale * left,
        sequence.box[1] + scale * top,
        sequence.box[0] + scale * right,
        sequence.box[1] + scale * bottom,
    )

"""Clips as training and evaluation take them: decoded, sampled, cropped, batched.

A clip depends on the seed, the epoch and its row in the dataset alone, never on the process that
reads it or the batch it is in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.utils.data import default_collate

from attncli.batches import ClipBatch
from attncli.config.training import ClipConfig
from attncli.data.clips.geometry import ClipGeometry, validation_view
from attncli.data.clips.guides import ClipGuidance
from attncli.data.clips.mirroring import labels_after_flip
from attncli.data.clips.sampling import clip_indices
from attncli.data.samples import VideoDataset, VideoSample, require_listed_frames
from attncli.data.source import SeededReader, in_turn
from attncli.data.video.reading import read_clip
from attncli.errors import AttncliError, Failure, Remark


class Purpose(IntEnum):
    """What random numbers are drawn for; each has a stream of its own."""

    START = 0
    VIEW = 1


@dataclass(frozen=True)
class ClipSample:
    """One clip, ready to be batched."""

    frames: UInt8[Tensor, "t h w 3"]
    """RGB values 0-255."""
    label: int
    """Class of what is shown; -1 where the dataset gives none."""
    row: int
    """Position in the dataset."""
    frame_indices: Int64[Tensor, " t"]
    """Position of each frame in its video, counted from 0."""
    crop: tuple[float, float, float, float]
    """Part of the source frame shown: left, top, right, bottom in source pixels."""
    flip: bool
    """Whether the clip is mirrored left to right."""
    guides: Mapping[str, Tensor] = field(default_factory=dict)
    """What guides the attention, by the names of `attncli.data.clips.guides`."""
    remark: Remark | None = None
    """What the user should know of the video; None where all is well."""


class SeededClips(SeededReader):
    """A reader whose samples are clips."""

    batches = staticmethod(in_turn)

    def collate(self, items: Sequence[ClipSample | Failure]) -> ClipBatch:
        """Return the clips as one batch with the failures beside them; all may have failed."""
        return collate(items)


class ClipReader(SeededClips):
    """Reads one clip of every video of a dataset.

    Args:
        dataset: The videos.
        config: How clips are sampled and cropped.
        training: Whether to sample and crop as in training, or as in validation.
        guidance: What clips come with besides their labels.
        seed: What all random choices follow from, together with the epoch and the row.
    """

    def __init__(
        self,
        dataset: VideoDataset,
        config: ClipConfig,
        *,
        training: bool,
        guidance: ClipGuidance | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.samples = dataset.samples
        self.config = config
        self.guidance = ClipGuidance() if guidance is None else guidance
        self._geometry = ClipGeometry.of(config, training=training)
        self._labels_after_flip = labels_after_flip(
            config.flip if training else "none", dataset.classes
        )

    def nothing(self) -> ClipBatch:
        """Return a batch of no clip, of the shape that clips have."""
        grid = self.config.clip_shape
        return empty_batch(grid, self.guidance.nothing(grid))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, row: int) -> ClipSample | Failure:
        sample = self.samples[row]
        try:
            return self._read(sample, row)
        except AttncliError as error:
            return Failure(id=sample.id, path=str(sample.path), error=str(error))

    def _read(self, sample: VideoSample, row: int) -> ClipSample:
        view = self._geometry.draw(
            self.generator(row, Purpose.VIEW), may_flip=sample.label in self._labels_after_flip
        )
        clip = read_clip(sample.path, lambda n: self._indices(n, row), resize=view.decoded_hw)
        require_listed_frames(sample, clip.n_frames)
        guides = self.guidance.read(sample, clip, view)
        return ClipSample(
            frames=view.apply(clip.frames, clip.size_hw),
            label=self._labels_after_flip[sample.label] if view.flip else sample.label,
            row=row,
            frame_indices=torch.from_numpy(clip.indices),
            crop=view.crop_box(clip.size_hw),
            flip=view.flip,
            guides=guides,
            remark=Remark.on(sample.id, sample.path, clip.remark),
        )

    def _indices(self, n_frames: int, row: int) -> Int64[np.ndarray, " t"]:
        config = self.config
        return clip_indices(
            n_frames,
            sampling=config.sampling,
            frames=config.frames,
            stride=config.frame_stride,
            start="random" if self.training else config.val_start,
            short_videos=config.short_videos,
            generator=self.generator(row, Purpose.START),
        )


def collate(items: Sequence[ClipSample | Failure]) -> ClipBatch:
    """Return the clips as one batch with the failures beside them; all may have failed.

    In a worker process the large tensors are put where the main process can see them.
    """
    clips = [item for item in items if isinstance(item, ClipSample)]
    failures = tuple(item for item in items if isinstance(item, Failure))
    if not clips:
        return replace(empty_batch((0, 0, 0)), failures=failures)
    names = clips[0].guides
    return ClipBatch(
        frames=default_collate([clip.frames for clip in clips]).permute(0, 4, 1, 2, 3),
        labels=torch.tensor([clip.label for clip in clips]),
        rows=torch.tensor([clip.row for clip in clips]),
        frame_indices=torch.stack([clip.frame_indices for clip in clips]),
        crops=torch.tensor([clip.crop for clip in clips]),
        flips=torch.tensor([clip.flip for clip in clips]),
        guides={name: default_collate([clip.guides[name] for clip in clips]) for name in names},
        failures=failures,
        remarks=tuple(clip.remark for clip in clips if clip.remark is not None),
    )


def read_validation_clip(
    sample: VideoSample, config: ClipConfig, indices: Int64[np.ndarray, " t"]
) -> UInt8[Tensor, "1 3 t h w"]:
    """Return chosen frames of a video as validation shows them: a batch of one clip, channels last.

    Raises:
        IndexError: The video has no frame of one of the indices.
        AttncliError: The video cannot be read.
    """
    view = validation_view(config)
    clip = read_clip(sample.path, lambda _: indices, resize=view.decoded_hw)
    require_listed_frames(sample, clip.n_frames)
    frames = view.apply(clip.frames, clip.size_hw)
    return frames[None].contiguous().permute(0, 4, 1, 2, 3)


def empty_batch(
    grid: tuple[int, int, int], guides: Mapping[str, Tensor] | None = None
) -> ClipBatch:
    """Return a batch of no clip.

    Args:
        grid: Frames, rows and columns that clips have.
        guides: What guides no clip.
    """
    return ClipBatch(
        frames=torch.empty(0, 3, *grid, dtype=torch.uint8),
        labels=torch.empty(0, dtype=torch.int64),
        rows=torch.empty(0, dtype=torch.int64),
        frame_indices=torch.empty(0, grid[0], dtype=torch.int64),
        crops=torch.empty(0, 4),
        flips=torch.empty(0, dtype=torch.bool),
        guides=guides or {},
    )

"""Clips as training and evaluation take them: decoded, sampled, cropped, batched.

A clip depends on the seed, the epoch and its row in the dataset alone, never on the process that
reads it or the batch it is in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from attncli.config.training import ClipConfig
from attncli.data.clips.geometry import ClipGeometry, ClipView, validation_view
from attncli.data.clips.mirroring import labels_after_flip
from attncli.data.clips.sampling import clip_indices
from attncli.data.samples import VideoDataset, VideoSample, require_listed_frames
from attncli.data.video.reading import VideoClip, read_clip
from attncli.errors import AttncliError, Failure, Remark
from attncli.types import ClipBatch


@runtime_checkable
class UnionMasks(Protocol):
    """Where a dataset's masks come from, such as a mask directory."""

    def read(
        self, video_id: str, frame_indices: Int64[np.ndarray, " t"]
    ) -> Bool[np.ndarray, "t h w"]:
        """Return the union of instance masks of each frame, at the video's resolution."""
        ...


@runtime_checkable
class TemporalAttentionSource(Protocol):
    """Where temporal attention corrected by people comes from, such as an `edits.csv`."""

    def read(
        self, video_id: str, frame_indices: Int64[np.ndarray, " t"], *, n_frames: int
    ) -> Float32[np.ndarray, " t"] | None:
        """Return the attention of each frame, in [0, 1]; None where nobody edited the video.

        Raises:
            AttncliError: The video is edited, but not of as many frames as it has (`n_frames`).
        """
        ...


@runtime_checkable
class SpatialAttentionSource(Protocol):
    """Where spatial attention corrected by people comes from, such as a directory of edits."""

    def read(
        self, video_id: str, frame_indices: Int64[np.ndarray, " t"]
    ) -> tuple[Bool[np.ndarray, "t h w"], Bool[np.ndarray, " t"]] | None:
        """Return where attention belongs in each frame, at the video's resolution.

        Also return which of the frames were edited; None where nobody edited the video.
        """
        ...


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
    masks: Bool[Tensor, "t h w"] | None = None
    """Union of instance masks, in the same geometry as the frames."""
    temporal_edit: Float32[Tensor, " t"] | None = None
    """Temporal attention people gave each frame; NaN where nobody edited the video."""
    spatial_edit: Bool[Tensor, "t h w"] | None = None
    """Where people said attention belongs, in the same geometry as the frames."""
    spatially_edited: Bool[Tensor, " t"] | None = None
    """Frames that people said it of."""
    remark: Remark | None = None
    """What the user should know of the video; None where all is well."""


class SeededClips(Dataset[ClipSample | Failure]):
    """Clips whose random choices follow from a seed, the epoch, the row and what they are for.

    Args:
        training: Whether choices change from epoch to epoch.
        seed: The seed.
    """

    def __init__(self, *, training: bool, seed: int) -> None:
        self.training = training
        self.seed = seed
        # Workers that live through all epochs see the number change in memory shared with them.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """Make training clips those of `epoch`; validation clips are the same in every epoch.

        Call it before the loader's iteration begins, not while one is under way.
        """
        self._epoch.fill_(epoch)

    def generator(self, row: int, purpose: Purpose) -> np.random.Generator:
        """Return what draws the random numbers of one clip, anew at each call."""
        epoch = int(self._epoch) if self.training else 0
        return np.random.default_rng(np.random.SeedSequence([self.seed, epoch, row, purpose]))


class ClipDataset(SeededClips):
    """One clip of every video of a dataset.

    Args:
        dataset: The videos.
        config: How clips are sampled and cropped.
        training: Whether to sample and crop as in training, or as in validation.
        masks: Where masks are read; clips come without where None.
        edits: Where temporal attention corrected by people is read; as with masks.
        spatial_edits: Where spatial attention corrected by people is read; as with masks.
        seed: What all random choices follow from, together with the epoch and the row.
    """

    def __init__(
        self,
        dataset: VideoDataset,
        config: ClipConfig,
        *,
        training: bool,
        masks: UnionMasks | None = None,
        edits: TemporalAttentionSource | None = None,
        spatial_edits: SpatialAttentionSource | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(training=training, seed=seed)
        self.samples = dataset.samples
        self.config = config
        self.masks = masks
        self.edits = edits
        self.spatial_edits = spatial_edits
        self._geometry = ClipGeometry.of(config, training=training)
        self._labels_after_flip = labels_after_flip(
            config.flip if training else "none", dataset.classes
        )

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
        frames, masks = view.apply(clip.frames, self._read_masks(sample, clip), clip.size_hw)
        spatial_edit, spatially_edited = self._read_spatial_edit(sample, clip, view)
        return ClipSample(
            frames=frames,
            label=self._labels_after_flip[sample.label] if view.flip else sample.label,
            row=row,
            frame_indices=torch.from_numpy(clip.indices),
            crop=view.crop_box(clip.size_hw),
            flip=view.flip,
            masks=masks,
            temporal_edit=self._read_edit(sample, clip),
            spatial_edit=spatial_edit,
            spatially_edited=spatially_edited,
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

    def _read_masks(
        self, sample: VideoSample, clip: VideoClip
    ) -> Bool[np.ndarray, "t hm wm"] | None:
        if self.masks is None:
            return None
        masks = self.masks.read(sample.id, clip.indices)
        _require_same_size(masks, sample, clip, remedy="segment this video again")
        return masks

    def _read_edit(self, sample: VideoSample, clip: VideoClip) -> Float32[Tensor, " t"] | None:
        if self.edits is None:
            return None
        edit = self.edits.read(sample.id, clip.indices, n_frames=clip.n_frames)
        return torch.full((len(clip.indices),), torch.nan) if edit is None else torch.tensor(edit)

    def _read_spatial_edit(
        self, sample: VideoSample, clip: VideoClip, view: ClipView
    ) -> tuple[Bool[Tensor, "t s s"], Bool[Tensor, " t"]] | tuple[None, None]:
        """Return where attention belongs as the clip shows it, and the frames it is known of."""
        if self.spatial_edits is None:
            return None, None
        found = self.spatial_edits.read(sample.id, clip.indices)
        if found is None:
            t, side = len(clip.indices), view.crop_px
            return torch.zeros(t, side, side, dtype=torch.bool), torch.zeros(t, dtype=torch.bool)
        masks, is_edited = found
        _require_same_size(masks, sample, clip, remedy="select and edit this clip again")
        return view.apply_to_masks(masks), torch.from_numpy(is_edited)


def collate(items: Sequence[ClipSample | Failure]) -> ClipBatch:
    """Return the clips as one batch with the failures beside them; all may have failed.

    In a worker process the large tensors are put where the main process can see them.
    """
    clips = [item for item in items if isinstance(item, ClipSample)]
    failures = tuple(item for item in items if isinstance(item, Failure))
    if not clips:
        return _empty_batch(failures)
    masks = [clip.masks for clip in clips if clip.masks is not None]
    edits = [clip.temporal_edit for clip in clips if clip.temporal_edit is not None]
    spatial = [clip.spatial_edit for clip in clips if clip.spatial_edit is not None]
    edited = [clip.spatially_edited for clip in clips if clip.spatially_edited is not None]
    return ClipBatch(
        frames=default_collate([clip.frames for clip in clips]).permute(0, 4, 1, 2, 3),
        labels=torch.tensor([clip.label for clip in clips]),
        rows=torch.tensor([clip.row for clip in clips]),
        frame_indices=torch.stack([clip.frame_indices for clip in clips]),
        crops=torch.tensor([clip.crop for clip in clips]),
        flips=torch.tensor([clip.flip for clip in clips]),
        masks=default_collate(masks) if masks else None,
        temporal_edits=torch.stack(edits) if edits else None,
        spatial_edits=default_collate(spatial) if spatial else None,
        spatially_edited=torch.stack(edited) if edited else None,
        failures=failures,
        remarks=tuple(clip.remark for clip in clips if clip.remark is not None),
    )


@runtime_checkable
class Clips(Protocol):
    """Clips by their rows, such as a `ClipDataset` has them."""

    def set_epoch(self, epoch: int) -> None:
        """Make training clips those of `epoch`."""
        ...

    def __getitem__(self, row: int) -> ClipSample | Failure:
        """Return a clip, or what kept it from being read."""
        ...


def clip_loader(
    dataset: Clips,
    *,
    batches: Iterable[list[int]],
    workers: int,
    pin: bool = False,
) -> DataLoader[ClipSample | Failure]:
    """Return a loader that yields a `ClipBatch` for every list of rows in `batches`.

    Args:
        dataset: The clips.
        batches: Rows of each batch; iterated anew for each pass over the loader.
        workers: Processes that read; 0 reads in this one.
        pin: Whether batches are put where a GPU can fetch them by itself.
    """
    return DataLoader(
        cast(Dataset[ClipSample | Failure], dataset),
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin,
        persistent_workers=workers > 0,
        # Else each pass draws the workers' seed from torch's global generator.
        generator=torch.Generator(),
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
    frames, _ = view.apply(clip.frames, None, clip.size_hw)
    return frames[None].contiguous().permute(0, 4, 1, 2, 3)


def _require_same_size(
    masks: Bool[np.ndarray, "t hm wm"], sample: VideoSample, clip: VideoClip, *, remedy: str
) -> None:
    if masks.shape[1:] != clip.size_hw:
        (mask_rows, mask_columns), (rows, columns) = masks.shape[1:], clip.size_hw
        raise AttncliError(
            f"masks are {mask_columns}x{mask_rows}, the video is {columns}x{rows}",
            where=sample.id,
            remedy=remedy,
        )


def _empty_batch(failures: tuple[Failure, ...]) -> ClipBatch:
    return ClipBatch(
        frames=torch.empty(0, 3, 0, 0, 0, dtype=torch.uint8),
        labels=torch.empty(0, dtype=torch.int64),
        rows=torch.empty(0, dtype=torch.int64),
        frame_indices=torch.empty(0, 0, dtype=torch.int64),
        crops=torch.empty(0, 4),
        flips=torch.empty(0, dtype=torch.bool),
        failures=failures,
    )

"""What guides the attention of training clips: masks, and attention people gave.

A kind of guidance is one class, found by the setting that names its files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from attncli.config.training import TrainConfig
from attncli.data.clips.geometry import ClipView
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.source import Ready
from attncli.data.video.reading import VideoClip
from attncli.errors import AttncliError
from attncli.files.masks import MaskDirectory
from attncli.files.spatial_edits import open_spatial_edits
from attncli.files.temporal_edits import TemporalEdits, partly_scored, read_temporal_edits

MASKS = "masks"
"""Union of a frame's instance masks, Bool `b t h w`, in the clip's own geometry."""
TEMPORAL_EDITS = "temporal_edits"
"""Temporal attention people gave each frame, Float32 `b t` in [0, 1]; NaN over clips nobody
edited."""
SPATIAL_EDITS = "spatial_edits"
"""Where people said attention belongs, Bool `b t h w`, in the clip's own geometry."""
SPATIALLY_EDITED = "spatially_edited"
"""Frames that people said it of, Bool `b t`."""

Tensors = dict[str, Tensor]
Grid = tuple[int, int, int]
"""Frames, rows and columns of a clip."""


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


@runtime_checkable
class Guide(Protocol):
    """One kind of guidance."""

    setting: ClassVar[str]
    """Setting that names the directory or file it is read from."""

    @classmethod
    def open(
        cls, path: Path, dataset: VideoDataset, data: Path, *, skip_partial: bool = False
    ) -> "Guide":
        """Return what is at `path`.

        Args:
            path: Where the setting says it is.
            dataset: The training split.
            data: How the user named the dataset.
            skip_partial: Whether clips that are half done, where there can be any, are left out.

        Raises:
            AttncliError: It is of none of the clips, or no such directory or file.
        """
        ...

    def notes(self) -> list[str]:
        """Return what the user should know of it."""
        ...

    def facts(self) -> Mapping[str, int]:
        """Return what is counted of it before a training begins."""
        ...

    def read(self, sample: VideoSample, clip: VideoClip, view: ClipView) -> Tensors:
        """Return what is known of one clip, as the clip shows it, by the names of this module."""
        ...

    def nothing(self, grid: Grid) -> Tensors:
        """Return what `read` returns, of no clip, for a batch without any."""
        ...


@dataclass(frozen=True)
class MaskGuide:
    """Instance masks of every frame."""

    setting: ClassVar[str] = "masks"

    masks: UnionMasks
    """Where they are read."""

    @classmethod
    def open(
        cls,
        path: Path,
        dataset: VideoDataset,
        data: Path,
        *,
        skip_partial: bool = False,  # noqa: ARG003 - as all
    ) -> "MaskGuide":
        """Return the masks at `path`; a clip without any is named when it is read."""
        if not path.is_dir():
            remedy = f"make it: attncli segment {data} -o {path}"
            raise AttncliError("no such directory of masks", where=path, remedy=remedy)
        masks = MaskDirectory(path)
        if not any(masks.finished(sample.id) for sample in dataset.samples):
            raise AttncliError(
                "holds no masks of the training clips",
                where=path,
                remedy=f"make them: attncli segment {data} -o {path}",
            )
        return cls(masks)

    def notes(self) -> list[str]:
        """Return nothing."""
        return []

    def facts(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}

    def read(self, sample: VideoSample, clip: VideoClip, view: ClipView) -> Tensors:
        """Return the union of each frame's masks."""
        masks = self.masks.read(sample.id, clip.indices)
        _require_same_size(masks, sample, clip, remedy="segment this video again")
        return {MASKS: view.apply_to_masks(masks)}

    def nothing(self, grid: Grid) -> Tensors:
        """Return masks of no clip."""
        return {MASKS: torch.empty(0, *grid, dtype=torch.bool)}


@dataclass(frozen=True)
class TemporalEditGuide:
    """Temporal attention that people gave some of the clips."""

    setting: ClassVar[str] = "temporal_edits"

    edits: TemporalAttentionSource
    """Where it is read."""
    clips: int = 0
    """Training clips that are edited."""
    unedited: int = 0
    """Clips listed without any score."""
    left_out: str = ""
    """Which clips have scores for some of their frames only, in words; they count as not edited."""

    @classmethod
    def open(
        cls,
        path: Path,
        dataset: VideoDataset,
        data: Path,  # noqa: ARG003 - as all
        *,
        skip_partial: bool = False,
    ) -> "TemporalEditGuide":
        """Return the edits in the file `path`."""
        known = {sample.id for sample in dataset.samples}
        edits: TemporalEdits = read_temporal_edits(path, known=known, allow_partial=skip_partial)
        if not edits.ids:
            raise AttncliError(
                "holds no edits of the training clips",
                where=path,
                remedy="give each frame of a clip a score",
            )
        partly = {id_: edits.scores[id_] for id_ in edits.partly_edited}
        left_out = partly_scored(partly) if partly else ""
        return cls(edits, len(edits.ids), len(edits.unedited), left_out)

    def notes(self) -> list[str]:
        """Return how many clips are edited."""
        more = f"; {self.unedited} without any score count as not edited" if self.unedited else ""
        left_out = [f"left out of the temporal edits: {self.left_out}"] if self.left_out else []
        return [f"{self.clips} training clips have edited temporal attention{more}", *left_out]

    def facts(self) -> Mapping[str, int]:
        """Return how many clips are edited."""
        return {"edited_clips": self.clips}

    def read(self, sample: VideoSample, clip: VideoClip, view: ClipView) -> Tensors:  # noqa: ARG002
        """Return the attention of each frame, NaN where nobody edited the video."""
        edit = self.edits.read(sample.id, clip.indices, n_frames=clip.n_frames)
        unknown = torch.full((len(clip.indices),), torch.nan)
        return {TEMPORAL_EDITS: unknown if edit is None else torch.tensor(edit)}

    def nothing(self, grid: Grid) -> Tensors:
        """Return edits of no clip."""
        return {TEMPORAL_EDITS: torch.empty(0, grid[0])}


@dataclass(frozen=True)
class SpatialEditGuide:
    """Spatial attention that people gave some of the clips."""

    setting: ClassVar[str] = "spatial_edits"

    edits: SpatialAttentionSource
    """Where it is read."""
    clips: int = 0
    """Training clips that are edited."""

    @classmethod
    def open(
        cls,
        path: Path,
        dataset: VideoDataset,
        data: Path,  # noqa: ARG003 - as all
        *,
        skip_partial: bool = False,  # noqa: ARG003 - as all
    ) -> "SpatialEditGuide":
        """Return the edits in the directory `path`."""
        known = {sample.id for sample in dataset.samples}
        edits = open_spatial_edits(path).read_edits(known=known)
        if not edits.ids:
            remedy = f"paint some frames: attncli edit-spatial serve {path}"
            raise AttncliError("holds no edits of the training clips", where=path, remedy=remedy)
        return cls(edits, clips=len(edits.ids))

    def notes(self) -> list[str]:
        """Return how many clips are edited."""
        return [f"{self.clips} training clips have edited spatial attention"]

    def facts(self) -> Mapping[str, int]:
        """Return how many clips are edited."""
        return {"spatially_edited_clips": self.clips}

    def read(self, sample: VideoSample, clip: VideoClip, view: ClipView) -> Tensors:
        """Return where attention belongs, and the frames it is known of; none where unedited."""
        found = self.edits.read(sample.id, clip.indices)
        if found is None:
            t, side = len(clip.indices), view.crop_px
            masks, edited = torch.zeros(t, side, side), torch.zeros(t)
            return {SPATIAL_EDITS: masks.bool(), SPATIALLY_EDITED: edited.bool()}
        masks_at_source, is_edited = found
        _require_same_size(masks_at_source, sample, clip, remedy="select and edit this clip again")
        return {
            SPATIAL_EDITS: view.apply_to_masks(masks_at_source),
            SPATIALLY_EDITED: torch.from_numpy(is_edited),
        }

    def nothing(self, grid: Grid) -> Tensors:
        """Return edits of no clip."""
        return {
            SPATIAL_EDITS: torch.empty(0, *grid, dtype=torch.bool),
            SPATIALLY_EDITED: torch.empty(0, grid[0], dtype=torch.bool),
        }


GUIDES: tuple[type[Guide], ...] = (MaskGuide, TemporalEditGuide, SpatialEditGuide)
"""All kinds there are."""


@dataclass(frozen=True)
class ClipGuidance(Ready):
    """All that guides one training."""

    guides: Sequence[Guide] = ()
    """One of each kind there is."""

    @classmethod
    def open(cls, config: TrainConfig, dataset: VideoDataset) -> "ClipGuidance":
        """Return what the settings name, where the method has any such setting.

        Args:
            config: Settings of the training.
            dataset: The training split.

        Raises:
            AttncliError: It is of none of the clips, or no such directory or file.
        """
        named: list[tuple[type[Guide], Any]] = [
            (kind, getattr(config, kind.setting, None)) for kind in GUIDES
        ]
        skip = getattr(config, "skip_partial", False)
        return cls(
            [
                kind.open(path, dataset, config.data, skip_partial=skip)
                for kind, path in named
                if path
            ]
        )

    def notes(self) -> list[str]:
        """Return what the user should know of it."""
        return [note for guide in self.guides for note in guide.notes()]

    def facts(self) -> Mapping[str, int]:
        """Return what is counted of it before a training begins."""
        return {name: count for guide in self.guides for name, count in guide.facts().items()}

    def read(self, sample: VideoSample, clip: VideoClip, view: ClipView) -> Tensors:
        """Return what is known of one clip, as the clip shows it."""
        read = [guide.read(sample, clip, view) for guide in self.guides]
        return {name: tensor for tensors in read for name, tensor in tensors.items()}

    def nothing(self, grid: Grid) -> Tensors:
        """Return what `read` returns, of no clip."""
        empty = [guide.nothing(grid) for guide in self.guides]
        return {name: tensor for tensors in empty for name, tensor in tensors.items()}


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

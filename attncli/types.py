"""What passes between data, methods and training, and the letters of its shapes.

Shape letters, the same in every annotation:

=======  ==========================================================
b        clips in a batch
c        channels
t        frames of a clip
h w      rows and columns of this tensor's own grid
k        classes
n        instances, or samples of a dataset
=======  ==========================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from attncli.errors import Failure, Remark


@dataclass(frozen=True)
class ClipBatch:
    """Clips of one batch, as read from disk: a step of training or evaluation."""

    frames: UInt8[Tensor, "b 3 t h w"]
    """RGB values 0-255, channels-last in memory."""
    labels: Int64[Tensor, " b"]
    """Class of each clip; -1 where the dataset gives none."""
    rows: Int64[Tensor, " b"]
    """Position of each clip in its dataset."""
    frame_indices: Int64[Tensor, "b t"]
    """Position of each frame in its video, counted from 0 in presentation order."""
    crops: Float[Tensor, "b 4"]
    """Part of the source frame that the clip shows: left, top, right, bottom in source pixels."""
    flips: Bool[Tensor, " b"]
    """Whether the clip is mirrored left to right."""
    masks: Bool[Tensor, "b t h w"] | None = None
    """Union of a frame's instance masks in the clip's own geometry; None without `--masks`."""
    temporal_edits: Float[Tensor, "b t"] | None = None
    """Temporal attention people gave each frame, in [0, 1]; NaN over clips nobody edited. None
    without `--temporal-edits`."""
    spatial_edits: Bool[Tensor, "b t h w"] | None = None
    """Where people said attention belongs, in the clip's own geometry; None without
    `--spatial-edits`."""
    spatially_edited: Bool[Tensor, "b t"] | None = None
    """Frames that people said it of, where there are `spatial_edits`; those are empty elsewhere."""
    failures: tuple[Failure, ...] = ()
    """Samples of this batch that could not be read, and so are not in it."""
    remarks: tuple[Remark, ...] = ()
    """Samples of this batch that may not be what they should be."""

    def to(self, device: torch.device) -> "ClipBatch":
        """Return the batch with its tensors on `device`, copied without waiting."""
        return self._with_tensors(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "ClipBatch":
        """Return the batch in page-locked memory, which a GPU fetches while the CPU goes on."""
        return self._with_tensors(Tensor.pin_memory)

    def _with_tensors(self, change: Callable[[Tensor], Tensor]) -> "ClipBatch":
        tensors: dict[str, Any] = {
            field.name: change(value)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **tensors)


@dataclass(frozen=True)
class BranchOutputs:
    """Answer of a model: class scores of its branches and the attention behind them."""

    scores: Float[Tensor, "b k"]
    """Class scores (logits) of the perception branch, or of a model without branches."""
    attention_scores: Float[Tensor, "b k"] | None = None
    """Class scores (logits) of the attention branch."""
    spatial_attention: Float[Tensor, "b t h w"] | None = None
    """Spatial attention map of each frame, in [0, 1]."""
    temporal_attention: Float[Tensor, "b t"] | None = None
    """Temporal attention of each frame, in [0, 1]."""


@dataclass(frozen=True)
class AttentionEdit:
    """What stands in the place of a network's own attention when it answers."""

    invert_spatial: bool = False
    """Whether 1 - M stands for spatial attention M."""
    temporal: Float[Tensor, "b t"] | None = None
    """Temporal attention in [0, 1] instead of the network's own."""


@runtime_checkable
class BranchNetwork(Protocol):
    """A network that an attention branch cuts in two: features are had once, answers many times."""

    def extract(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hf wf"]:
        """Return the features of clips of RGB values 0-255."""
        ...

    def answer(
        self, features: Float[Tensor, "b c t hf wf"], edit: AttentionEdit | None = None
    ) -> BranchOutputs:
        """Return class scores and attention; attention is what acted on the features."""
        ...


@dataclass(frozen=True)
class Losses:
    """What a step minimises, and the named terms it is the weighted sum of."""

    total: Float[Tensor, ""]
    """The weighted sum; its gradient is the step's."""
    terms: Mapping[str, Float[Tensor, ""]]
    """Unweighted terms by the paper's name (`per`, `att`, `mask`), for the log."""


Criterion = Callable[[BranchOutputs, ClipBatch], Losses]
"""What a network minimises: a mean over the clips of a batch."""

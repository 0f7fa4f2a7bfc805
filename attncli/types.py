"""What networks and losses answer, and the letters of shapes.

Shape letters, the same in every annotation:

=======  ==========================================================
b        samples in a batch
c        channels
t        frames of a clip
h w      rows and columns of this tensor's own grid
k        classes
n        instances, or samples of a dataset
=======  ==========================================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int64, UInt8
from torch import Tensor


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
    hits: Mapping[str, Int64[Tensor, ""]] = field(default_factory=dict)
    """Samples of the batch that something holds for, such as `top1`: logged as `train_top1`."""

"""Settings of ST-ABN and its baseline, with the paper's values as defaults."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from attncli.config.training import ClipConfig, Optimizer, Sampling, Schedule, require

LARGEST_FACTOR = 100
"""Largest factor on the width of a network; beyond it is a slip of the hand."""
EDITS = ("temporal_edits", "spatial_edits")
"""Settings that name attention corrected by people."""
TUNING_LR = 1e-4
"""Learning rate at the start of fine-tuning on edits."""


@dataclass(frozen=True, kw_only=True)
class Resnet3dConfig(ClipConfig):
    """3D ResNet (the slow pathway of SlowFast), trained by cross entropy alone."""

    heading: ClassVar[str] = "ST-ABN"

    frames: int = 32
    """Frames of a clip."""
    sampling: Sampling = "uniform"
    """`uniform` takes a frame of each of as many equal parts of the whole video as a clip has
    frames (the paper's 32); `dense` every frame-stride-th (32x2 with stride 2); `uniform-floor`
    cuts the parts to whole frames, as the reference code does."""
    frame_stride: int = 1
    """Distance in frames between two frames of a clip, in dense sampling: 2 takes every second
    one, so that a clip spans frames x frame-stride."""
    short_videos: Literal["loop", "clamp", "error"] = "clamp"
    """A video shorter than a clip's span is looped, held at its last frame, or an error."""
    crop: Literal["short-side", "area"] = "area"
    """A training crop has the short side resized to a drawn length, or covers a drawn area."""
    epochs: int = 150
    """Passes over the training clips."""
    batch_size: int = 64
    """Clips in a step, over all processes and accumulated parts together."""
    optimizer: Optimizer = "sgd"
    """Optimisation algorithm."""
    lr: float = 0.01
    """Learning rate at the start, after any warm-up."""
    weight_decay: float = 5e-4
    """Weight decay; never applied to biases and normalisation."""
    schedule: Schedule = "step"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    milestones: tuple[int, ...] = (75, 125)
    """Epochs after which `--schedule step` divides the learning rate by 10."""
    clip_grad_norm: float | None = 20.0
    """Largest total gradient norm; `inf` clips nothing."""
    depth: Literal["18", "50", "101"] = "50"
    """Layers of the network; 18 is for small machines."""
    width_factor: float = 1.0
    """Channels of every stage over the published ones."""
    weights: str = "imagenet"
    """Initial weights: `imagenet` (2-D, published, inflated), `kinetics400` (published, depth 50),
    a state-dict file of either kind, or `none`."""
    dropout: float = 0.5
    """Probability with which each head drops a feature."""
    checkpoint_gradients: bool = False
    """Compute activations twice instead of keeping them: less memory, about a third more time."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        within = 0 < self.width_factor <= LARGEST_FACTOR
        require(within, "width_factor", f"must be positive and at most {LARGEST_FACTOR}")
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")

    def without_published_weights(self) -> "Resnet3dConfig":
        """Return settings that build the same network and fetch nothing, for weights to come."""
        return replace(self, weights="none")


@dataclass(frozen=True, kw_only=True)
class StAbnConfig(Resnet3dConfig):
    """Spatio-temporal Attention Branch Network on a 3D ResNet."""

    lambda_att: float = 1.0
    """Weight of the attention branch's class loss; the paper adds both alike."""
    temporal_edits: Path | None = None
    """Temporal attention corrected by people, as `attncli edit-temporal` writes it: attention and
    perception branch are fine-tuned towards it, the feature extractor stays as `--init` has it.
    Where no --lr is given, it is the paper's 1e-4 then."""
    skip_partial: bool = False
    """Leave out clips of which some frames only have a score in --temporal-edits; else they are
    refused, and all named."""
    gamma_t: float = 10.0
    """Weight of the loss towards temporal edits."""
    spatial_edits: Path | None = None
    """Directory with spatial attention corrected by people, as `attncli edit-spatial` writes it:
    tunes like --temporal-edits, and may be given with it; it is no part of the paper."""
    gamma_s: float = 10.0
    """Weight of the loss towards spatial edits; our choice, the paper has none."""
    masks: Path | None = None
    """Mask directory, as `attncli segment` writes it: adds Object-ABN's mask loss, which pulls
    spatial attention towards the masks."""
    lambda_mask: float = 10.0
    """Weight of the mask loss."""
    mask_resize: Literal["nearest", "area", "max"] = "nearest"
    """How masks and spatial edits come to the map's grid: nearest pixel, covered share, or any
    pixel covered."""
    empty_frames: Literal["zero", "ignore"] = "zero"
    """A frame without instances asks for attention 0 everywhere, or for nothing."""

    def __post_init__(self) -> None:
        """Refuse settings that make no loss.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        for name in ("lambda_att", "gamma_t", "gamma_s", "lambda_mask"):
            require(0 <= getattr(self, name) < math.inf, name, "must be finite, not negative")
        for name in EDITS:
            given = getattr(self, name) is not None
            rule = f"is needed with --{name.replace('_', '-')}: the run to tune"
            require(self.init is not None or not given, "init", rule)

    @property
    def is_tuning(self) -> bool:
        """Whether attention and perception branch are tuned on edits, and nothing else."""
        return any(getattr(self, name) is not None for name in EDITS)

    @classmethod
    def implied(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults that follow from settings that were given; those go before them."""
        tuning = {"lr": TUNING_LR} if any(name in given for name in EDITS) else {}
        return {**super().implied(given), **tuning}

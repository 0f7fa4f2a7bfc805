"""Settings of Object-ABN and its two baselines, with the paper's values as defaults."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from attncli.config.training import ClipConfig, require

LARGEST_FACTOR = 100
"""Largest factor on the width or depth of a network; beyond it is a slip of the hand."""


@dataclass(frozen=True, kw_only=True)
class X3DConfig(ClipConfig):
    """X3D, trained by cross entropy alone."""

    heading: ClassVar[str] = "Object-ABN"

    size: Literal["xs", "s", "m", "l"] = "m"
    """Member of the X3D family; frames and crop are set on their own."""
    width_factor: float = 2.0
    """Channels of the stem over 12; 2.0 is the published width."""
    depth_factor: float | None = None
    """Blocks of the stages over 1, 2, 5, 3; the size's published depth where unset."""
    weights: str = "kinetics400"
    """Initial weights: `kinetics400` (published, from the hub), a state-dict file, or `none`."""
    dropout: float = 0.5
    """Probability with which the head drops a feature."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        for name in ("width_factor", "depth_factor"):
            factor = getattr(self, name)
            within = factor is None or 0 < factor <= LARGEST_FACTOR
            require(within, name, f"must be positive and at most {LARGEST_FACTOR}")
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")

    def without_published_weights(self) -> "X3DConfig":
        """Return settings that build the same network and fetch nothing, for weights to come."""
        return replace(self, weights="none")


@dataclass(frozen=True, kw_only=True)
class AbnConfig(X3DConfig):
    """Attention Branch Network on X3D."""

    attention_branch: Literal["abn", "light"] = "abn"
    """Layers of the attention branch: a stride-1 copy of the next stage, or one convolution."""
    mechanism: Literal["residual", "product"] = "residual"
    """How the map acts on the features: h(1+M), equation 3, or hM, equation 2."""
    lambda_att: float = 1.0
    """Weight of the attention branch's class loss."""

    def __post_init__(self) -> None:
        """Refuse weights that make no loss.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 <= self.lambda_att < math.inf, "lambda_att", "must be finite, not negative")


@dataclass(frozen=True, kw_only=True)
class ObjectAbnConfig(AbnConfig):
    """ABN whose attention is pulled towards instance masks."""

    masks: Path
    """Mask directory, as `attncli segment` writes it."""
    lambda_mask: float = 10.0
    """Weight of the mask loss."""
    mask_resize: Literal["nearest", "area", "max"] = "nearest"
    """How masks come to the map's grid: nearest pixel, covered share, or any pixel covered."""
    empty_frames: Literal["zero", "ignore"] = "zero"
    """A frame without instances asks for attention 0 everywhere, or for nothing."""

    def __post_init__(self) -> None:
        """Refuse weights that make no loss.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 <= self.lambda_mask < math.inf, "lambda_mask", "must be finite, not negative")

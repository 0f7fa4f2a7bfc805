"""Settings of SSDD's networks; what the paper leaves open follows PSA's published code."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from attncli.config.images import ImageConfig
from attncli.config.training import Optimizer, Schedule, require


@dataclass(frozen=True, kw_only=True)
class CamConfig(ImageConfig):
    """A classifier of images whose class activation maps are the first seeds."""

    heading: ClassVar[str] = "SSDD"

    epochs: int = 15
    """Passes over the training images."""
    batch_size: int = 16
    """Images in a step, over all processes and accumulated parts together."""
    optimizer: Optimizer = "sgd"
    """Optimisation algorithm."""
    lr: float = 0.01
    """Learning rate at the start, after any warm-up."""
    weight_decay: float = 5e-4
    """Weight decay; never applied to biases and normalisation."""
    schedule: Schedule = "cosine"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    backbone: str = "resnet50"
    """Network that makes the features: one of torchvision (resnet18 to resnet152,
    shufflenet_v2_x0_5 to x2_0), `efficientnet-lite0` or `1`, or `timm:NAME`."""
    weights: str = "imagenet"
    """Initial weights: `imagenet` (published), `efficientnet-lite0` or `1` (inside a package, see
    the extra offline-weights), a state-dict file, or `none`."""
    normalization: Literal["imagenet", "half", "none"] | None = None
    """How the weights were trained to see colours: ImageNet's mean and deviation, 0.5 and 0.5, or
    values in [0, 1] as they are; what is published of them where unset."""
    allow_missing_weights: bool = False
    """Take a weights file that lacks some of the network's tensors, which then start at random and
    are named."""
    output_stride: Literal["8", "16", "32"] = "16"
    """Pixels that a cell of the map stands for; below 32 the last stages are dilated."""
    freeze_norms: bool = True
    """Keep the backbone's batch normalisations as the weights have them."""
    head_rate: float = 10.0
    """Factor on the learning rate of the classifier, which starts at random."""
    dropout: float = 0.5
    """Probability with which the classifier drops a feature."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 < self.head_rate < math.inf, "head_rate", "must be positive and finite")
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")

    def without_published_weights(self) -> "CamConfig":
        """Return settings that build the same network and fetch nothing, for weights to come."""
        return replace(self, weights="none")

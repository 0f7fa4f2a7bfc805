"""Settings of SSDD's networks; what the paper leaves open follows PSA's and its own code."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from attncli.config.crf import CrfConfig
from attncli.config.fields import Option, require_declared
from attncli.config.images import ImageConfig
from attncli.config.seeds import Background
from attncli.config.training import Optimizer, Schedule, require

Config = TypeVar("Config", bound="NetworkConfig")

CELL_PX = 8
"""Side in pixels of a cell of the features; crops are of whole cells."""


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(ImageConfig):
    """A backbone with heads that learn faster."""

    heading: ClassVar[str] = "Network"

    optimizer: Optimizer = "sgd"
    """Optimisation algorithm."""
    weight_decay: float = 5e-4
    """Weight decay; never applied to biases and normalisation."""
    schedule: Schedule = "cosine"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    backbone: str = "resnet50"
    """Network that makes the features: one of torchvision (resnet18 to resnet152,
    shufflenet_v2_x0_5 to x2_0), `efficientnet-lite0` or `1`, `timm:NAME`, or `wide-resnet38`."""
    weights: str = "imagenet"
    """Initial weights: `imagenet` (published), `efficientnet-lite0` or `1` (inside a package, see
    the extra offline-weights), a state-dict file, a run with the same backbone such as one of
    `cam`, or `none`."""
    normalization: Literal["imagenet", "half", "none"] | None = None
    """How the weights were trained to see colours: ImageNet's mean and deviation, 0.5 and 0.5, or
    values in [0, 1] as they are; what is published of them where unset."""
    allow_missing_weights: bool = False
    """Take a weights file that lacks some of the network's tensors, which then start at random and
    are named."""
    output_stride: Literal["8", "16", "32"] = "8"
    """Pixels that a cell of the features stands for; below 32 the last stages are dilated."""
    freeze_norms: bool = True
    """Keep batch normalisations as the weights have them; those of new layers as they begin."""
    freeze_stages: Annotated[int, Option(least=0, most=4)] = 0
    """Stages of the backbone that do not learn, counted from the image."""
    head_rate: float = 10.0
    """Factor on the learning rate of the layers after the backbone, which start at random."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require_declared(self)
        require(0 < self.head_rate < math.inf, "head_rate", "must be positive and finite")

    def without_published_weights(self: Config) -> Config:
        """Return settings that build the same network and fetch nothing, for weights to come."""
        return replace(self, weights="none")


@dataclass(frozen=True, kw_only=True)
class CamConfig(NetworkConfig):
    """A classifier of images whose class activation maps are the first seeds."""

    heading: ClassVar[str] = "SSDD"

    epochs: int = 15
    """Passes over the training images."""
    lr: float = 0.01
    """Learning rate at the start, after any warm-up."""
    output_stride: Literal["8", "16", "32"] = "16"
    """Pixels that a cell of the map stands for; below 32 the last stages are dilated."""
    dropout: float = 0.5
    """Probability with which the classifier drops a feature."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class PsaConfig(NetworkConfig, CrfConfig):
    """A network of affinities between neighbouring cells, taught by class activation maps."""

    heading: ClassVar[str] = "SSDD"

    cams: Path
    """Run of `cam` that was evaluated on the split `train`, or a directory of its maps."""
    low_power: Annotated[float, Option(least=0)] = 4.0
    """Power of the background's score beside which foreground is sure (the code's `la`)."""
    high_power: Annotated[float, Option(least=0)] = 32.0
    """Power of the background's score beside which background is sure (the code's `ha`)."""
    radius: Annotated[int, Option(least=2)] = 5
    """Cells of 8 pixels that a pair is less far apart than."""
    resize: Literal["long-side", "square", "none"] = "none"
    """Resize training images so that their long side is drawn, to squares of such a side, or not
    at all as PSA does."""
    compat_reference: bool = False
    """Pair cells as PSA's code does, far from borders alone, and take its learning rate of 0.1 with
    a momentum as large as the weight decay."""
    epochs: int = 8
    """Passes over the training images."""
    batch_size: int = 8
    """Images in a step, over all processes and accumulated parts together."""
    lr: float = 0.01
    """Learning rate at the start, after any warm-up: a tenth of PSA's, which has hardly any
    momentum."""
    freeze_stages: Annotated[int, Option(least=0, most=4)] = 1
    """Stages of the backbone that do not learn, counted from the image."""

    def __post_init__(self) -> None:
        """Refuse crops that are not whole cells, and powers in the wrong order.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.crop_px % CELL_PX == 0, "crop_px", f"must be a multiple of {CELL_PX}")
        require(self.low_power <= self.high_power, "low_power", "must be at most --high-power")

    @classmethod
    def implied(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults that follow from settings that were given; those go before them."""
        own = dict(super().implied(given))
        if given.get("compat_reference", False):
            own |= {"lr": 0.1, "momentum": given.get("weight_decay", cls.weight_decay)}
        return own


@dataclass(frozen=True, kw_only=True)
class SegmenterConfig(NetworkConfig, ABC):
    """A network that says of what class each pixel is, and how it is asked."""

    heading: ClassVar[str] = "SSDD"

    batch_size: int = 8
    """Images in a step, over all processes and accumulated parts together."""
    lr: float = 1e-3
    """Learning rate at the start, after any warm-up."""
    momentum: float = 0.0
    """Momentum of sgd: the paper's code names 0.9, but begins anew at each step."""
    weight_decay: float = 2e-4
    """Weight decay; never applied to biases and normalisation."""
    resize: Literal["long-side", "square", "none"] = "square"
    """Resize training images so that their long side is drawn, to squares of such a side as the
    paper's code does, or not at all."""
    long_side_max_px: int = 512
    """Largest long side a training image is resized to before it is cut, in pixels."""
    width: Annotated[int, Option(least=1)] = 512
    """Channels of the hidden layer of the segmentation head."""
    dilation: Annotated[int, Option(least=1)] = 12
    """Dilation of the segmentation head's convolutions, in cells."""
    full_mask_share: Annotated[float, Option(least=0, most=1)] = 0.0
    """Share of the training images whose true label maps are learnt from in the place of seeds,
    beyond the paper; which ones follows from their ids and the seed alone."""
    eval_scales: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5)
    """Sizes in which an image is looked at when the network is evaluated."""
    eval_flip: bool = True
    """Look at mirrored images too when the network is evaluated."""
    eval_crf: bool = True
    """Refine evaluated label maps by a dense CRF over all classes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained or asked.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.crop_px % CELL_PX == 0, "crop_px", f"must be a multiple of {CELL_PX}")
        is_usable = bool(self.eval_scales) and all(0 < s <= 8 for s in self.eval_scales)
        require(is_usable, "eval_scales", "must be in (0, 8]")

    @property
    @abstractmethod
    def seed_directories(self) -> Mapping[str, Path]:
        """The seed directories that training images are read with, by what they are called."""

    @property
    def background(self) -> Background:
        """The background's score where seeds are class activation maps."""
        return Background()


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig(SegmenterConfig):
    """A network that learns from fixed seeds: the comparison of SSDD."""

    seeds: Path
    """Seed directory to learn from."""
    epochs: int = 16
    """Passes over the training images."""

    @property
    def seed_directories(self) -> Mapping[str, Path]:
        """The seeds."""
        return {"seed": self.seeds}


@dataclass(frozen=True, kw_only=True)
class DifferenceConfig(SegmenterConfig):
    """How differences between two label maps are learnt."""

    difference_width: Annotated[int, Option(least=1)] = 256
    """Channels of the difference-detection network."""
    difference_rate: float = 10.0
    """Factor on the learning rate of the difference-detection network."""
    exclude: Literal["any", "all", "none"] = "any"
    """Leave an image out of the difference loss where any of its classes shrinks from knowledge to
    advice (the code, and the paper on the dynamic method), where all do (the paper on the static
    one), or never."""
    shrink_below: Annotated[float, Option(least=0)] = 0.5
    """A class shrinks where its pixels in the advice are fewer than this share of those in the
    knowledge."""
    segmentation_epochs: Annotated[int, Option(least=0)] = 0
    """Epochs at the beginning in which segmentation is learnt alone."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        is_rate = 0 < self.difference_rate < math.inf
        require(is_rate, "difference_rate", "must be positive and finite")
        is_in_time = self.segmentation_epochs < self.epochs
        require(is_in_time, "segmentation_epochs", "must be fewer than --epochs")


@dataclass(frozen=True, kw_only=True)
class SsddConfig(DifferenceConfig):
    """The static method: which of two seeds is right where they differ."""

    knowledge: Path
    """Seed directory that is refined, such as that of PSA."""
    advice: Path
    """Seed directory of what may be better, such as that of PSA with a CRF."""
    epochs: int = 10
    """Passes over the training images: the paper's code takes the tenth of 16."""

    @property
    def seed_directories(self) -> Mapping[str, Path]:
        """Knowledge and advice."""
        return {"knowledge": self.knowledge, "advice": self.advice}


@dataclass(frozen=True, kw_only=True)
class SsddDynamicConfig(DifferenceConfig, CrfConfig):
    """The dynamic method: seeds are refined while a network learns from them."""

    seeds: Path
    """Seed directory to begin with, such as that of the static method."""
    epochs: int = 41
    """Passes over the training images."""
    long_side_min_px: int = 512
    """Smallest long side a training image is resized to before it is cut, in pixels."""
    long_side_max_px: int = 768
    """Largest long side a training image is resized to before it is cut, in pixels."""
    advice_bias: float = 0.4
    """Added to the confidence in the advice (the paper's b with a hat)."""
    background_bias: float = 0.0
    """Added where the advice says background, taken off where the knowledge does."""
    class_bias: float = 1.0
    """Added where the advice is of a class that shrinks, taken off where the knowledge is."""
    crf_iterations: Annotated[int, Option(least=0)] = 3
    """Mean-field iterations of the dense CRF in a training step."""

    @property
    def seed_directories(self) -> Mapping[str, Path]:
        """The seeds."""
        return {"seed": self.seeds}

"""Settings of networks that tell people apart; defaults are those of the papers."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Option
from attncli.config.images import LARGEST_IMAGE, ImageConfig
from attncli.config.ssdd import NetworkConfig
from attncli.config.training import Schedule, require

CUT = ("crop_px", "long_side_min_px", "long_side_max_px", "resize")
"""Settings of images that are cut, which PCB's are not."""


@dataclass(frozen=True, kw_only=True)
class PcbConfig(NetworkConfig):
    """A classifier of people by horizontal stripes."""

    heading: ClassVar[str] = "PCB"

    size_hw: tuple[int, int] = (384, 128)
    """Rows and columns that every image is resized to, in training and in tests."""
    stripes: Annotated[int, Option(least=1)] = 6
    """Horizontal stripes that people are told by."""
    width: Annotated[int, Option(least=1)] = 256
    """Channels that a stripe is reduced to before it is classified."""
    dropout: float = 0.5
    """Probability with which a feature of a stripe is dropped in training."""
    output_stride: Literal["8", "16", "32"] = "16"
    """Pixels that a cell of the features stands for; below 32 the last stages keep their grid."""
    dilate: bool = False
    """Dilate stages that keep their grid, as segmentation does; PCB does not."""
    freeze_norms: bool = False
    """Keep batch normalisations as the weights have them; those of new layers as they begin."""
    epochs: int = 60
    """Passes over the training images."""
    batch_size: int = 64
    """Images in a step, over all processes and accumulated parts together."""
    lr: float = 0.01
    """Learning rate of the backbone at the start, after any warm-up; `--head-rate` times as much
    for the other layers."""
    schedule: Schedule = "step"
    """Course of the learning rate: constant, cosine to zero, or divided by 10 at milestones."""
    milestones: tuple[int, ...] = (40,)
    """Epochs after which `--schedule step` divides the learning rate by 10."""
    jitter_brightness: float = 0.0
    """Largest change of a training image's brightness, as a share: 0.3 is a factor of 0.7 to 1.3;
    0 leaves it."""
    jitter_contrast: float = 0.0
    """Largest change of its contrast, as a share."""
    jitter_saturation: float = 0.0
    """Largest change of its saturation, as a share."""
    jitter_hue: float = 0.0
    """Largest change of its hue, as a part of the colour circle, at most 0.5."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built, and ways of cutting, as images are shown whole.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        within = all(1 <= side <= LARGEST_IMAGE for side in self.size_hw)
        require(within, "size_hw", f"must be in [1, {LARGEST_IMAGE}]")
        require(0 <= self.dropout < 1, "dropout", "must be in [0, 1)")
        for name in CUT:
            is_default = getattr(self, name) == getattr(ImageConfig, name)
            require(
                is_default, name, "is for images that are cropped; pcb resizes them to --size-hw"
            )
        is_free = self.dilate or self.backbone != "wide-resnet38"
        require(is_free, "dilate", "is needed for wide-resnet38, which has no other form")
        most = -(-self.size_hw[0] // int(self.output_stride))
        rule = f"must be at most {most}, the rows of features at this --size-hw and --output-stride"
        require(self.stripes <= most, "stripes", rule)

    @property
    def whole_hw(self) -> tuple[int, int]:
        """Rows and columns that every image is resized to."""
        return self.size_hw

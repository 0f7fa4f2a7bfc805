"""Settings that say how images are read, labelled and cut; defaults are those of PSA's CAM."""

from dataclasses import dataclass
from typing import Literal

from attncli.config.training import TrainConfig, require

LARGEST_IMAGE = 10_000
"""Largest side in pixels of a training image; beyond it is a slip of the hand."""


@dataclass(frozen=True, kw_only=True)
class ImageConfig(TrainConfig):
    """What training on images can be told besides."""

    train_list: str | None = None
    """List of training images in ImageSets/Segmentation of VOC2012, such as `train`, or a file;
    `train_aug` where it is there, else `train`, where unset."""
    labels: str = "auto"
    """Where image labels of VOC2012 are from: `annotations` (XML), `label-maps`, or a CSV file with
    id and label or with id and a column of 0 and 1 a class; `auto` takes annotations where every
    image has them, else label maps."""
    crop_px: int = 448
    """Side of the square a training image is cut or padded to, in pixels."""
    long_side_min_px: int = 448
    """Smallest long side a training image is resized to before it is cut, in pixels."""
    long_side_max_px: int = 768
    """Largest long side a training image is resized to before it is cut, in pixels."""
    resize: Literal["long-side", "square", "none"] = "long-side"
    """Resize training images so that their long side is drawn, to squares of such a side, or not
    at all."""
    flip: Literal["none", "plain"] = "plain"
    """Mirror half the training images left to right (`plain`), or `none`."""
    jitter_brightness: float = 0.3
    """Largest change of a training image's brightness, as a share: 0.3 is a factor of 0.7 to 1.3;
    0 leaves it."""
    jitter_contrast: float = 0.3
    """Largest change of its contrast, as a share."""
    jitter_saturation: float = 0.3
    """Largest change of its saturation, as a share."""
    jitter_hue: float = 0.1
    """Largest change of its hue, as a part of the colour circle, at most 0.5."""

    def __post_init__(self) -> None:
        """Refuse images that cannot be cut.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.labels != "", "labels", "must not be empty")
        require(self.train_list != "", "train_list", "must not be empty")
        for name in ("crop_px", "long_side_min_px", "long_side_max_px"):
            within = 1 <= getattr(self, name) <= LARGEST_IMAGE
            require(within, name, f"must be in [1, {LARGEST_IMAGE}]")
        require(
            self.long_side_min_px <= self.long_side_max_px,
            "long_side_min_px",
            f"must be at most --long-side-max-px, {self.long_side_max_px}",
        )
        for name in ("jitter_brightness", "jitter_contrast", "jitter_saturation"):
            require(0 <= getattr(self, name) <= 1, name, "must be in [0, 1]")
        require(0 <= self.jitter_hue <= 0.5, "jitter_hue", "must be in [0, 0.5]")

    @property
    def whole_hw(self) -> tuple[int, int] | None:
        """Rows and columns that every image is resized to, in training and in tests.

        None where training images are cut, and others stay as they are.
        """
        return None

    @property
    def crop_hw(self) -> tuple[int, int]:
        """Rows and columns of a training image."""
        return self.whole_hw or (self.crop_px, self.crop_px)

"""What an image becomes before a classifier sees it."""

from dataclasses import dataclass
from typing import Literal

from attncli.backbones.images.normalization import Normalization


@dataclass(frozen=True)
class Preprocessing:
    """The size, part and colours in which a network was trained to see images."""

    resize_px: int
    """The image's short side."""
    crop_px: int
    """Side of the square in its centre that is kept."""
    interpolation: Literal["bilinear", "bicubic"]
    """How the image is resized."""
    normalization: Normalization
    """What becomes of its colours."""

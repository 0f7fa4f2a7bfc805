"""The part of an image that training shows: resized by its long side, mirrored, cut or padded.

These are the choices of PSA's classification network (Ahn and Kwak, CVPR 2018): the long side is
drawn, then a square is cut from where the image is larger and put anywhere on it where smaller.
Where settings ask for whole images, these are resized to one size, whatever their aspect.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Shaped, UInt8
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from attncli.config.images import ImageConfig
from attncli.files.label_maps import IGNORE_LABEL

PADDING_COLOR = (124, 116, 104)
"""What normalisation maps to zero, as nearly as whole numbers are: 255 (0.485, 0.456, 0.406)."""


def long_side_hw(size_hw: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """Return rows and columns whose longer is `long_side_px`, in the aspect of `size_hw`.

    >>> long_side_hw((375, 500), 448)
    (336, 448)
    """
    longer = max(size_hw)
    height, width = (max(1, round(side * long_side_px / longer)) for side in size_hw)
    return height, width


@dataclass(frozen=True)
class ImageView:
    """Which part of an image a training sample shows, and how large."""

    resized_hw: tuple[int, int]
    """Rows and columns that the whole image is resized to."""
    flip: bool
    """Whether it is mirrored left to right then."""
    top: int
    """Row of the resized image that the crop begins at; negative where rows are put above it."""
    left: int
    """Column of it that the crop begins at; negative as with rows."""
    crop_hw: tuple[int, int]
    """Rows and columns of the crop."""

    @classmethod
    def draw(
        cls, config: ImageConfig, size_hw: tuple[int, int], generator: np.random.Generator
    ) -> "ImageView":
        """Return the view of an image of `size_hw` that the generator's next numbers make."""
        if config.whole_hw is not None:
            flip = bool(generator.random() < 0.5) and config.flip == "plain"
            return cls.whole(config.whole_hw, flip=flip)
        side = generator.integers(config.long_side_min_px, config.long_side_max_px, endpoint=True)
        resized_hw = _resized_hw(config, size_hw, int(side))
        flip = bool(generator.random() < 0.5) and config.flip == "plain"
        top, left = (
            _start(length, shown, generator)
            for length, shown in zip(resized_hw, config.crop_hw, strict=True)
        )
        return cls(resized_hw, flip, top, left, config.crop_hw)

    @classmethod
    def whole(cls, size_hw: tuple[int, int], *, flip: bool = False) -> "ImageView":
        """Return the view of all of an image, resized to `size_hw`."""
        return cls(size_hw, flip, 0, 0, size_hw)

    def resize(self, image: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "3 hr wr"]:
        """Return the whole image in its new size (bicubic, smoothed where reduced) and mirrored."""
        resized = transforms.resize(
            image, list(self.resized_hw), InterpolationMode.BICUBIC, antialias=True
        )
        return transforms.horizontal_flip(resized) if self.flip else resized

    def cut(self, image: UInt8[Tensor, "3 hr wr"]) -> UInt8[Tensor, "3 hc wc"]:
        """Return the crop of a resized image, whose padding is of the images' mean colour."""
        return self._cut(image, torch.tensor(PADDING_COLOR, dtype=torch.uint8))

    def apply_to_label_map(self, labels: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "hc wc"]:
        """Return the labels (nearest ones) of the pixels of the crop; its padding is ignored."""
        resized = transforms.resize(labels[None], list(self.resized_hw), InterpolationMode.NEAREST)
        if self.flip:
            resized = transforms.horizontal_flip(resized)
        return self._cut(resized, torch.tensor([IGNORE_LABEL], dtype=torch.uint8))[0]

    def apply_to_scores(self, scores: Float32[Tensor, "k h w"]) -> Float32[Tensor, "k hc wc"]:
        """Return the scores (interpolated ones) of the pixels of the crop; 0 in its padding."""
        resized = functional.interpolate(scores[None], self.resized_hw, mode="bilinear")[0]
        return self._cut(resized.flip(2) if self.flip else resized, scores.new_zeros(len(scores)))

    def _cut(
        self, picture: Shaped[Tensor, "c hr wr"], padding: Shaped[Tensor, " c"]
    ) -> Shaped[Tensor, "c hc wc"]:
        crop = padding[:, None, None].repeat(1, *self.crop_hw)
        (rows, from_rows), (columns, from_columns) = (
            _overlap(start, length, shown)
            for start, length, shown in zip(
                (self.top, self.left), picture.shape[1:], self.crop_hw, strict=True
            )
        )
        crop[:, rows, columns] = picture[:, from_rows, from_columns]
        return crop


def _resized_hw(
    config: ImageConfig, size_hw: tuple[int, int], long_side_px: int
) -> tuple[int, int]:
    if config.resize == "none":
        return size_hw
    if config.resize == "square":
        return long_side_px, long_side_px
    return long_side_hw(size_hw, long_side_px)


def _start(length: int, shown: int, generator: np.random.Generator) -> int:
    """Draw where a crop begins along an axis: within a longer one, before a shorter one."""
    spare = length - shown
    return int(generator.integers(min(spare, 0), max(spare, 0), endpoint=True))


def _overlap(start: int, length: int, shown: int) -> tuple[slice, slice]:
    """Return where a crop shows something along an axis, and which part of the axis it is."""
    begin, end = max(start, 0), min(start + shown, length)
    return slice(begin - start, end - start), slice(begin, end)

"""Where a clip looks: resizing, cropping and mirroring, the same for its frames and its masks."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from attncli.config.training import ClipConfig
from attncli.data.scaling import reduced_hw

SMALLEST_RATIO, LARGEST_RATIO = 3 / 4, 4 / 3
"""Width over height of windows drawn by area (Szegedy et al., 2015, section 6)."""
TRIES = 10
"""Windows drawn by area, of which the first that fits into the frame is taken."""


@dataclass(frozen=True)
class ClipView:
    """The part of a video that one clip shows, whatever the video's size.

    To resize the short side and cut out a square is to cut out a smaller square and resize that,
    which is what happens here; the sides of what is cut out are rounded to whole pixels.
    """

    short_side_px: int
    """What the frames' short side would be resized to, where there are no `shapes`."""
    crop_px: int
    """Side of the square that would then be cut out: rows and columns of the clip."""
    top_share: float
    """Place of the window among those that fit, from 0 (top) up to, not including, 1 (bottom)."""
    left_share: float
    """The same from left to right."""
    flip: bool
    """Whether the clip is mirrored left to right."""
    shapes: tuple[tuple[float, float], ...] = ()
    """Windows given by their share of the frame's area and their width over height. The first that
    fits is cut out and resized to the square; if none does, the largest one of a legal ratio."""

    def decoded_hw(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """Return what frames of `size_hw` may be reduced to before `apply`: it loses nothing."""
        return reduced_hw(
            size_hw, round(self.crop_px * min(size_hw) / min(self._window_hw(size_hw)))
        )

    def crop_box(self, size_hw: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what is shown, in pixels of a video of `size_hw`."""
        grid_hw = self.decoded_hw(size_hw)
        top, left, height, width = self._box(size_hw, grid_hw)
        rows, columns = size_hw[0] / grid_hw[0], size_hw[1] / grid_hw[1]
        return left * columns, top * rows, (left + width) * columns, (top + height) * rows

    def apply(
        self, frames: UInt8[np.ndarray, "t hg wg 3"], size_hw: tuple[int, int]
    ) -> UInt8[Tensor, "t s s 3"]:
        """Return frames as the clip shows them, interpolated.

        Args:
            frames: RGB frames, reduced to `decoded_hw`.
            size_hw: Rows and columns of the video.
        """
        box = self._box(size_hw, (frames.shape[1], frames.shape[2]))
        channels_first = torch.from_numpy(frames).permute(0, 3, 1, 2)
        return self._cut(channels_first, box, InterpolationMode.BILINEAR).permute(0, 2, 3, 1)

    def apply_to_masks(self, masks: Bool[np.ndarray, "t hm wm"]) -> Bool[Tensor, "t s s"]:
        """Return masks of a video's frames, at its own resolution, as the clip shows them.

        A mask's pixel is the one at the centre of what it covers.
        """
        size_hw = masks.shape[1], masks.shape[2]
        grid_hw = self.decoded_hw(size_hw)
        # Masks as tv_tensors.Mask would lie half a pixel off: there, pixels start at their corner.
        nearest = InterpolationMode.NEAREST_EXACT
        on_grid = functional.resize(torch.from_numpy(masks), list(grid_hw), nearest)
        return self._cut(on_grid, self._box(size_hw, grid_hw), nearest)

    def _cut(
        self, tensor: Tensor, box: tuple[int, int, int, int], how: InterpolationMode
    ) -> Tensor:
        size = [self.crop_px, self.crop_px]
        shown = functional.resized_crop(tensor, *box, size, how, antialias=True)
        return functional.horizontal_flip(shown) if self.flip else shown

    def _box(self, size_hw: tuple[int, int], grid_hw: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return top, left, height, width of the window on the grid that frames come on."""
        scale = min(grid_hw) / min(size_hw)
        height, width = (
            min(limit, max(1, round(side * scale)))
            for side, limit in zip(self._window_hw(size_hw), grid_hw, strict=True)
        )
        top = int(self.top_share * (grid_hw[0] - height + 1))
        left = int(self.left_share * (grid_hw[1] - width + 1))
        return top, left, height, width

    def _window_hw(self, size_hw: tuple[int, int]) -> tuple[float, float]:
        """Return rows and columns of what is shown, in pixels of a video of `size_hw`."""
        height, width = map(float, size_hw)
        if not self.shapes:
            side = self.crop_px * min(height, width) / self.short_side_px
            return side, side
        for share, ratio in self.shapes:
            window_hw = (
                math.sqrt(share * height * width / ratio),
                math.sqrt(share * height * width * ratio),
            )
            if window_hw[0] <= height and window_hw[1] <= width:
                return window_hw
        return min(height, width / SMALLEST_RATIO), min(width, height * LARGEST_RATIO)


@dataclass(frozen=True, kw_only=True)
class ClipGeometry:
    """What views are drawn from.

    Training resizes the short side to a length drawn uniformly and crops at random (Object-ABN,
    section 4), or crops a window of random area and ratio (the reference code of ST-ABN);
    validation resizes to one length and crops the centre.
    """

    short_side_min_px: int
    """Smallest short side."""
    short_side_max_px: int
    """Largest short side, itself included."""
    crop_px: int
    """Side of the square, at most the smallest short side."""
    random_crop: bool
    """Whether the window may lie anywhere; at the centre otherwise."""
    area_min: float | None = None
    """Smallest share of the frame's area that a window covers; None takes the short side's way."""

    @classmethod
    def of(cls, config: ClipConfig, *, training: bool) -> "ClipGeometry":
        """Return the geometry that `config` asks for in training or in validation."""
        shorts = (config.short_side_min_px, config.short_side_max_px)
        short_min, short_max = shorts if training else (config.short_side_val_px,) * 2
        return cls(
            short_side_min_px=short_min,
            short_side_max_px=short_max,
            crop_px=config.crop_px,
            random_crop=training,
            area_min=config.crop_area_min if training and config.crop == "area" else None,
        )

    def draw(self, generator: np.random.Generator, *, may_flip: bool = False) -> ClipView:
        """Draw one view; the same numbers are drawn whatever the settings.

        Args:
            generator: Where they are drawn from.
            may_flip: Whether the view is mirrored half the time, or never.
        """
        short_side = generator.integers(self.short_side_min_px, self.short_side_max_px + 1)
        top, left, flip = generator.random(3).tolist()
        areas, ratios = generator.random((2, TRIES))
        return ClipView(
            short_side_px=int(short_side),
            crop_px=self.crop_px,
            top_share=top if self.random_crop else 0.5,
            left_share=left if self.random_crop else 0.5,
            flip=may_flip and flip < 0.5,
            shapes=() if self.area_min is None else _shapes(self.area_min, areas, ratios),
        )


def validation_view(config: ClipConfig) -> ClipView:
    """Return what every validation clip shows."""
    return ClipGeometry.of(config, training=False).draw(np.random.default_rng(0))


def _shapes(
    area_min: float, areas: Float64[np.ndarray, " n"], ratios: Float64[np.ndarray, " n"]
) -> tuple[tuple[float, float], ...]:
    """Return shares uniform in [area_min, 1] and ratios whose logarithm is uniform."""
    shares = area_min + (1 - area_min) * areas
    drawn = SMALLEST_RATIO * (LARGEST_RATIO / SMALLEST_RATIO) ** ratios
    return tuple(zip(shares.tolist(), drawn.tolist(), strict=True))

"""Where a clip looks: resizing, cropping and mirroring, the same for its frames and its masks."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from attncli.config.training import ClipConfig
from attncli.data.scaling import reduced_hw


@dataclass(frozen=True)
class ClipView:
    """The part of a video that one clip shows, whatever the video's size.

    To resize the short side and cut out a square is to cut out a smaller square and resize that,
    which is what happens here; its side is rounded to whole pixels.
    """

    short_side_px: int
    """What the frames' short side would be resized to."""
    crop_px: int
    """Side of the square that would then be cut out: rows and columns of the clip."""
    top_share: float
    """Place of the square among those that fit, from 0 (top) up to, not including, 1 (bottom)."""
    left_share: float
    """The same from left to right."""
    flip: bool
    """Whether the clip is mirrored left to right."""

    def crop_box(self, size_hw: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what is shown, in pixels of a video of `size_hw`."""
        grid_hw = reduced_hw(size_hw, self.short_side_px)
        top, left, side = self._square(grid_hw)
        rows, columns = size_hw[0] / grid_hw[0], size_hw[1] / grid_hw[1]
        return left * columns, top * rows, (left + side) * columns, (top + side) * rows

    def apply(
        self, frames: UInt8[np.ndarray, "t h w 3"], masks: Bool[np.ndarray, "t hm wm"] | None
    ) -> tuple[UInt8[Tensor, "t s s 3"], Bool[Tensor, "t s s"] | None]:
        """Return frames and masks as the clip shows them.

        Frames are interpolated; a mask's pixel is the one at the centre of what it covers.

        Args:
            frames: RGB frames, reduced to the view's short side where theirs is longer.
            masks: Masks of the same frames at the video's own resolution.
        """
        grid_hw = frames.shape[1], frames.shape[2]
        channels_first = torch.from_numpy(frames).permute(0, 3, 1, 2)
        shown = self._cut(channels_first, grid_hw, InterpolationMode.BILINEAR).permute(0, 2, 3, 1)
        if masks is None:
            return shown, None
        # Masks as tv_tensors.Mask would lie half a pixel off: there, pixels start at their corner.
        nearest = InterpolationMode.NEAREST_EXACT
        on_grid = functional.resize(torch.from_numpy(masks), list(grid_hw), nearest)
        return shown, self._cut(on_grid, grid_hw, nearest)

    def _cut(self, tensor: Tensor, grid_hw: tuple[int, int], how: InterpolationMode) -> Tensor:
        top, left, side = self._square(grid_hw)
        size = [self.crop_px, self.crop_px]
        shown = functional.resized_crop(tensor, top, left, side, side, size, how, antialias=True)
        return functional.horizontal_flip(shown) if self.flip else shown

    def _square(self, grid_hw: tuple[int, int]) -> tuple[int, int, int]:
        height, width = grid_hw
        side = round(self.crop_px * min(grid_hw) / self.short_side_px)
        top = int(self.top_share * (height - side + 1))
        left = int(self.left_share * (width - side + 1))
        return top, left, side


@dataclass(frozen=True, kw_only=True)
class ClipGeometry:
    """What views are drawn from.

    Training resizes the short side to a length drawn uniformly, crops at random and mirrors by
    chance; validation resizes to one length and crops the centre (Object-ABN, section 4).
    """

    short_side_min_px: int
    """Smallest short side."""
    short_side_max_px: int
    """Largest short side, itself included."""
    crop_px: int
    """Side of the square, at most the smallest short side."""
    flip: float
    """Probability of mirroring left to right."""
    random_crop: bool
    """Whether the square may lie anywhere; at the centre otherwise."""

    @classmethod
    def of(cls, config: ClipConfig, *, training: bool) -> "ClipGeometry":
        """Return the geometry that `config` asks for in training or in validation."""
        shorts = (config.short_side_min_px, config.short_side_max_px)
        short_min, short_max = shorts if training else (config.short_side_val_px,) * 2
        return cls(
            short_side_min_px=short_min,
            short_side_max_px=short_max,
            crop_px=config.crop_px,
            flip=config.flip if training else 0.0,
            random_crop=training,
        )

    def draw(self, generator: np.random.Generator) -> ClipView:
        """Draw one view; the same numbers are drawn whatever the settings."""
        short_side = generator.integers(self.short_side_min_px, self.short_side_max_px + 1)
        top, left, flip = generator.random(3).tolist()
        return ClipView(
            short_side_px=int(short_side),
            crop_px=self.crop_px,
            top_share=top if self.random_crop else 0.5,
            left_share=left if self.random_crop else 0.5,
            flip=flip < self.flip,
        )

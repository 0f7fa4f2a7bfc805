"""Heat maps and mask outlines over the frames they belong to, as uint8 images."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image

from attncli.visualization.colormap import COLORS, bins_of, colorize


def cut_view(
    frames: UInt8[np.ndarray, "t h w *c"],
    box_xyxy: tuple[float, float, float, float],
    *,
    flip: bool,
    height_px: int,
) -> UInt8[np.ndarray, "t h2 w2 *c"]:
    """Return the part of each frame that the network saw, `height_px` rows high.

    Args:
        frames: Frames at source resolution.
        box_xyxy: Left, top, right, bottom of the part, in source pixels; fractions count,
            and what a rounding error puts outside the frame is left out.
        flip: Whether the network saw it mirrored left to right.
        height_px: Rows of the answer; its columns follow from the box's aspect ratio.
    """
    left, top, right, bottom = box_xyxy
    size_wh = (max(1, round(height_px * (right - left) / (bottom - top))), height_px)
    inside = (max(left, 0), max(top, 0), min(right, frames.shape[2]), min(bottom, frames.shape[1]))
    views = [
        np.asarray(Image.fromarray(frame).resize(size_wh, Image.Resampling.BICUBIC, inside))
        for frame in frames
    ]
    stacked = np.stack(views)
    return np.ascontiguousarray(stacked[:, :, ::-1]) if flip else stacked


def enlarge(
    attention: Float32[np.ndarray, "t hm wm"], size_hw: tuple[int, int]
) -> Float32[np.ndarray, "t h w"]:
    """Return the maps at the frames' resolution: bicubic, cut back to [0, 1] where it overshoots.

    A map covers the whole frame, so cell edges, not cell centres, meet the frame's border.
    """
    height, width = size_hw
    maps = [cv2.resize(m, (width, height), interpolation=cv2.INTER_CUBIC) for m in attention]
    return np.clip(np.stack(maps), 0, 1)


def overlay(
    frames: UInt8[np.ndarray, "t h w 3"],
    attention: Float32[np.ndarray, "t hm wm"],
    *,
    table: UInt8[np.ndarray, "256 3"],
    opacity: float | Float32[np.ndarray, "256"],
) -> UInt8[np.ndarray, "t h w 3"]:
    """Return the frames under their heat maps: `share * colour + (1 - share) * frame`.

    Args:
        frames: What the network saw.
        attention: A map for each frame, in [0, 1], at any resolution.
        table: Colours from attention 0 to 1.
        opacity: Share of each colour in the answer, in [0, 1]; of all where there is but one.
    """
    shares = np.ascontiguousarray(np.broadcast_to(np.float32(opacity), (COLORS,)))
    maps = enlarge(attention, (frames.shape[1], frames.shape[2]))
    mixed = (_mix(*both, table, shares) for both in zip(frames, maps, strict=True))
    return np.stack(list(mixed))


def _mix(
    frame: UInt8[np.ndarray, "h w 3"],
    values: Float32[np.ndarray, "h w"],
    table: UInt8[np.ndarray, "256 3"],
    shares: Float32[np.ndarray, "256"],
) -> UInt8[np.ndarray, "h w 3"]:
    share = shares[bins_of(values)]
    return cv2.blendLinear(colorize(values, table), frame, share, 1 - share)


def outline(
    frames: UInt8[np.ndarray, "t h w 3"],
    masks: Bool[np.ndarray, "t h w"],
    *,
    color: tuple[int, int, int] = (255, 255, 0),
    thickness_px: int = 3,
) -> UInt8[np.ndarray, "t h w 3"]:
    """Return the frames with the border of each mask drawn on them, inside the mask."""
    side = 2 * thickness_px + 1
    kernel = np.ones((side, side), np.uint8)
    border = [
        mask & ~cv2.erode(mask.astype(np.uint8), kernel, borderValue=1).astype(bool)
        for mask in masks
    ]
    drawn = frames.copy()
    drawn[np.stack(border)] = color
    return drawn

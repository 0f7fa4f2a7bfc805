"""How well attention maps agree with masks of the objects in the frame.

Masks are brought to the map's grid, where a cell belongs to an object when at least half of it is
covered. Frames without such a cell are left out, and counted. Of the others:

=========  =========================================================================
iou        intersection over union of the object's cells and those whose attention
           reaches a threshold
inside     share of the map's sum that lies on objects, each cell by its covered part
pointing   whether the largest value lies on an object (the pointing game); of
           several equal ones, the share that does
=========  =========================================================================

A clip's figure is the mean over its frames. A flat map scores the objects' share of the frame, as
a blind guess does.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

COVERED = 0.5  # the share of a cell from which on it belongs to an object
ROUNDING = 1e-4  # of shares: sums of float32, of crops known to a thousandth of a pixel


@dataclass(frozen=True)
class MaskAgreement:
    """Agreement of one clip's maps with its masks; NaN where no frame has an object."""

    iou: float
    """Mean intersection over union, in [0, 1]."""
    inside: float
    """Mean share of the attention that lies on objects, in [0, 1]."""
    pointing: float
    """Share of frames whose largest value lies on an object, in [0, 1]."""
    empty_frames: int
    """Frames left out because no cell is half covered."""


def covered_share(
    masks: Bool[np.ndarray, "t hs ws"],
    crop_xyxy: tuple[float, float, float, float],
    *,
    flip: bool,
    grid_hw: tuple[int, int],
) -> Float[np.ndarray, "t h w"]:
    """Return which share of each cell of a clip's grid its masks cover.

    Args:
        masks: Union of the instances in the whole source frame.
        crop_xyxy: Part of it the grid lies over: left, top, right, bottom in source pixels.
        flip: Whether the clip is mirrored left to right after the crop.
        grid_hw: Rows and columns of the grid.
    """
    left, top, right, bottom = crop_xyxy
    rows = _overlaps(top, bottom, grid_hw[0], masks.shape[1])
    columns = _overlaps(left, right, grid_hw[1], masks.shape[2])
    share = rows @ masks.astype(np.float32) @ columns.T
    return share[:, :, ::-1] if flip else share


def _overlaps(start: float, stop: float, cells: int, pixels: int) -> np.ndarray:
    """Return the share of each cell (row) of [start, stop] that lies in each pixel (column)."""
    edges = np.linspace(start, stop, cells + 1)[:, None]
    pixel = np.arange(pixels)
    length = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (np.maximum(length, 0) * cells / (stop - start)).astype(np.float32)


def mask_agreement(
    attention: Float[np.ndarray, "t h w"],
    covered: Float[np.ndarray, "t h w"],
    *,
    threshold: float = 0.5,
) -> MaskAgreement:
    """Return how well the maps of a clip agree with its masks.

    Args:
        attention: Maps in [0, 1], as `attncli.metrics.value_range.stretched` makes them.
        covered: Share of each cell that objects cover, as `covered_share` gives it.
        threshold: Attention from which on a cell counts as attended, in [0, 1].
    """
    object_cells = covered >= COVERED - ROUNDING
    used = object_cells.any(axis=(1, 2))
    if not used.any():
        return MaskAgreement(np.nan, np.nan, np.nan, empty_frames=used.size)
    attention, covered, object_cells = attention[used], covered[used], object_cells[used]
    attended = attention >= threshold
    total = attention.sum(axis=(1, 2))
    inside = (attention * covered).sum(axis=(1, 2)) / np.where(total > 0, total, 1)
    peak = attention == attention.max(axis=(1, 2), keepdims=True)
    return MaskAgreement(
        iou=float(np.mean(_count(attended & object_cells) / _count(attended | object_cells))),
        inside=float(np.mean(inside)),
        pointing=float(np.mean(_count(peak & object_cells) / _count(peak))),
        empty_frames=int(np.sum(~used)),
    )


def _count(cells: np.ndarray) -> np.ndarray:
    return np.count_nonzero(cells, axis=(1, 2))

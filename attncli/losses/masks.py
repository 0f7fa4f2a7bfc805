"""Losses that pull spatial attention towards masks: of instances (Object-ABN, eq. 7) and edits."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

MaskResize = Literal["nearest", "area", "max"]
EmptyFrames = Literal["zero", "ignore"]


def resize_masks(
    masks: Bool[Tensor, "b t h w"], *, size_hw: tuple[int, int], how: MaskResize
) -> Float[Tensor, "b t hf wf"]:
    """Return masks on the map's grid, in [0, 1].

    Args:
        masks: Which pixels of the clip's frames show an object.
        size_hw: Rows and columns of the map.
        how: `nearest` takes the pixel at each cell's centre, `area` the share of the cell that is
            covered, `max` 1 where any of its pixels is.
    """
    values = masks.float()
    if how == "area":
        return functional.adaptive_avg_pool2d(values, size_hw)
    if how == "max":
        return functional.adaptive_max_pool2d(values, size_hw)
    return functional.interpolate(values, size_hw, mode="nearest-exact")


def mask_loss(
    attention: Float[Tensor, "b t h w"],
    masks: Bool[Tensor, "b t hm wm"],
    *,
    mask_resize: MaskResize = "nearest",
    empty_frames: EmptyFrames = "zero",
) -> Float[Tensor, ""]:
    """Return the mean squared error of maps M against masks M's (eq. 7).

    The mean is over frames, rows and columns of a clip, then over clips.

    Args:
        attention: Maps, in [0, 1].
        masks: Union of each frame's instance masks, in the clip's own geometry.
        mask_resize: How masks come to the map's grid, see `resize_masks`.
        empty_frames: A frame without instances counts as mask 0 (`zero`) or not at all
            (`ignore`); a clip of such frames then has loss 0.
    """
    of_frames = _frame_errors(attention, masks, mask_resize)
    if empty_frames == "zero":
        return of_frames.mean()
    counts = masks.any(dim=3).any(dim=2).to(of_frames.dtype)
    return ((of_frames * counts).sum(1) / counts.sum(1).clamp(min=1)).mean()


def spatial_edit_loss(
    attention: Float[Tensor, "b t h w"],
    edits: Bool[Tensor, "b t hm wm"],
    is_edited: Bool[Tensor, "b t"],
    *,
    mask_resize: MaskResize = "nearest",
) -> Float[Tensor, ""]:
    """Return the mean squared error of maps against those people gave.

    The mean is over frames, rows and columns of a clip, then over all clips; a frame that is not
    edited counts as 0. So what an edited frame weighs does not depend on how many others there are.

    Args:
        attention: Maps, in [0, 1].
        edits: Where attention belongs, in the clip's own geometry.
        is_edited: Frames that people edited.
        mask_resize: How edits come to the map's grid, see `resize_masks`.
    """
    of_frames = _frame_errors(attention, edits, mask_resize)
    return torch.where(is_edited, of_frames, 0.0).mean()


def _frame_errors(
    attention: Float[Tensor, "b t h w"], masks: Bool[Tensor, "b t hm wm"], how: MaskResize
) -> Float[Tensor, "b t"]:
    """Return the mean squared error of each frame's map."""
    targets = resize_masks(masks, size_hw=(attention.shape[2], attention.shape[3]), how=how)
    return (attention.float() - targets).square().mean((2, 3))

"""How an attention branch begins, and how its attention acts on the features."""

from copy import deepcopy
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.errors import AttncliError
from attncli.layers.convolutions import PointwiseConv3d
from attncli.layers.fusion import FusedConvolution, fold_norm_before, fuse_for_inference
from attncli.types import AttentionEdit

Mechanism = Literal["residual", "product"]


class ClassMapBranch(nn.Module):
    """The layers that every attention branch begins with: features to one map a class.

    Args:
        trunk: Layers that keep the grid of the features, such as those of `stage_at_stride_1`.
        channels: Channels that come out of `trunk`.
        n_classes: Number of classes.
    """

    def __init__(self, trunk: nn.Module, *, channels: int, n_classes: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.norm = nn.BatchNorm3d(channels)
        self.to_classes = new_convolution(channels, n_classes)
        self.class_norm = nn.BatchNorm3d(n_classes)

    def class_maps(self, features: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b k t h w"]:
        """Return the class maps z of features, none of them negative."""
        return functional.relu_(self.class_norm(self.to_classes(self.norm(self.trunk(features)))))

    def fused(self) -> nn.Module:
        """Return a branch whose class maps come from its trunk in one step."""
        copy = fuse_for_inference(self)
        convolution = fold_norm_before(self.norm, self.to_classes)
        fused = {
            "norm": nn.Identity(),
            "to_classes": FusedConvolution(convolution, self.class_norm, relu=True),
            "class_norm": nn.Identity(),
        }
        for name, layer in fused.items():
            setattr(copy, name, layer)
        return copy


def attend(
    features: Float[Tensor, "b c t h w"],
    attention: Float[Tensor, "b t #h #w"],
    *,
    mechanism: Mechanism,
) -> Float[Tensor, "b c t h w"]:
    """Return features f that attention M weighs: f M (`product`), or f (1 + M) (`residual`).

    Args:
        features: Features f.
        attention: Attention M, in [0, 1]: of each cell, or of each frame with one row and column.
        mechanism: Which of the two products.
    """
    weight = attention if mechanism == "product" else 1 + attention
    return features * weight.unsqueeze(1).to(features.dtype)


def acting_map(
    attention: Float[Tensor, "b t h w"], edit: AttentionEdit | None
) -> Float[Tensor, "b t h w"]:
    """Return what acts in the place of spatial attention M: 1 - M if it is inverted, else M.

    Args:
        attention: The network's own map M, in [0, 1].
        edit: What was asked for; None leaves the map.
    """
    return 1 - attention if edit is not None and edit.invert_spatial else attention


def refuse_temporal_edit(edit: AttentionEdit | None, *, network: str) -> None:
    """Make sure that nobody wants to replace temporal attention where there is none.

    Raises:
        AttncliError: The edit is of temporal attention.
    """
    if edit is not None and edit.temporal is not None:
        what = f"{network} has no temporal attention to replace"
        raise AttncliError(what, remedy="use a run of st-abn")


def stage_at_stride_1(stage: nn.Module) -> nn.Module:
    """Return a copy of a stage, weights and all, that keeps the grid of its input."""
    copy = deepcopy(stage)
    for module in copy.modules():
        if isinstance(module, nn.Conv3d):
            module.stride = (1, 1, 1)
    return copy


def new_convolution(in_channels: int, out_channels: int, *, size: int = 1) -> nn.Conv3d:
    """Return a convolution that keeps the grid, drawn so that rectified gradients keep their size.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        size: Frames, rows and columns of the kernel, odd.
    """
    convolution = (
        PointwiseConv3d(in_channels, out_channels)
        if size == 1
        else nn.Conv3d(in_channels, out_channels, size, padding=size // 2, bias=False)
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def spatial_mean(maps: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch"]:
    """Return the mean of each map over rows and columns, in at least 32 bits."""
    # Not Tensor.mean: its backward pass divides a tensor of the size of the maps.
    dtype = torch.promote_types(maps.dtype, torch.float32)
    return maps.sum((-2, -1), dtype=dtype) / maps.shape[-2:].numel()


def new_identity(size: int) -> nn.Linear:
    """Return a linear layer that begins as the identity.

    Args:
        size: Values that come in, and go out.
    """
    layer = nn.Linear(size, size)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def begin_rising(convolution: nn.Conv3d) -> None:
    """Let no weight be negative: what comes out begins as a rising function of what comes in."""
    with torch.no_grad():
        convolution.weight.abs_()


def new_sum(channels: int) -> nn.Conv3d:
    """Return a 1x1x1 convolution of 2C channels that begins as the sum of their two halves.

    Args:
        channels: Channels C of each half, and of what comes out.
    """
    convolution = new_convolution(2 * channels, channels)
    half = torch.eye(channels)
    with torch.no_grad():
        convolution.weight.copy_(torch.cat([half, half], dim=1)[..., None, None, None])
    return convolution

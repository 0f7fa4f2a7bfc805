"""Convolutions of SSDD's new layers: reflected at borders, normalised with a constant of 0.001."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

NORM_EPS = 1e-3
"""Added to variances: a norm that is frozen as it starts divides by the root of 1.001."""


class ReflectedConv(nn.Conv2d):
    """A convolution that keeps the grid, beyond whose borders it sees the grid reflected.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        size: Rows and columns of the kernel, odd.
        dilation: Cells from one tap to the next.
        bias: Whether to add a constant to each channel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        *,
        dilation: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, size, dilation=dilation, bias=bias)
        self.reach = dilation * (size // 2)

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:  # noqa: A002
        """Return the convolution of `input`."""
        return super().forward(reflected(input, self.reach))


class ConvNormReLU(nn.Module):
    """A reflected convolution, normalised and rectified.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        size: Rows and columns of the kernel, odd.
        dilation: Cells from one tap to the next.
        bias: Whether the convolution adds a constant to each channel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: int,
        *,
        dilation: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = ReflectedConv(in_channels, out_channels, size, dilation=dilation, bias=bias)
        self.norm = nn.BatchNorm2d(out_channels, eps=NORM_EPS)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        """Return values that are 0 or more."""
        return functional.relu(self.norm(self.conv(x)))


class Bottleneck(nn.Module):
    """Convolutions of 1x1, 3x3 and 1x1, added to a projection of their input (ResNet's block).

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out, and are between the convolutions.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.narrow = ConvNormReLU(in_channels, out_channels, 1)
        self.look = ConvNormReLU(out_channels, out_channels, 3)
        self.widen = nn.Conv2d(out_channels, out_channels, 1, bias=False)
        self.widen_norm = nn.BatchNorm2d(out_channels, eps=NORM_EPS)
        self.project = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.project_norm = nn.BatchNorm2d(out_channels, eps=NORM_EPS)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c2 h w"]:
        """Return values that are 0 or more."""
        seen = self.widen_norm(self.widen(self.look(self.narrow(x))))
        return functional.relu(seen + self.project_norm(self.project(x)))


def start(module: nn.Module) -> None:
    """Draw the weights of a module's convolutions anew (He et al., ICCV 2015); biases are 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def reflected(
    x: Float[Tensor, "b c h w"], padding: int
) -> Float[Tensor, "b c h+2*{padding} w+2*{padding}"]:
    """Return maps with their reflections at all four borders, which are not repeated themselves.

    A grid that is no larger than the padding is reflected to and fro as often as it takes, and a
    single row or column is repeated.

    Args:
        x: Maps of any size.
        padding: Rows and columns to add at each border.

    >>> reflected(torch.tensor([[[[1.0, 2.0]]]]), 2)[0, 0, 0]
    tensor([1., 2., 1., 2., 1., 2.])
    """
    rows, columns = padding, padding
    if x.shape[2] == 1:
        x, rows = x.expand(-1, -1, 1 + 2 * padding, -1), 0
    if x.shape[3] == 1:
        x, columns = x.expand(-1, -1, -1, 1 + 2 * padding), 0
    while rows or columns:
        steps = min(rows, x.shape[2] - 1), min(columns, x.shape[3] - 1)
        x = _Reflection.apply(x, *steps)
        rows, columns = rows - steps[0], columns - steps[1]
    return x


class _Reflection(torch.autograd.Function):
    """torch's own, whose gradient no deterministic algorithm of a GPU gives: it is summed here."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: int, columns: int) -> Tensor:
        ctx.rows, ctx.columns = rows, columns
        return functional.pad(x, (columns, columns, rows, rows), mode="reflect")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _folded(_folded(gradient, ctx.rows, axis=2), ctx.columns, axis=3), None, None


def _folded(gradient: Tensor, step: int, *, axis: int) -> Tensor:
    """Return the gradient of a grid from that of the grid with `step` reflections on both sides."""
    size = gradient.shape[axis] - 2 * step
    before, inner, after = torch.split(gradient, [step, size, step], axis)
    inner = inner.clone()
    inner.narrow(axis, 1, step).add_(before.flip(axis))
    inner.narrow(axis, size - 1 - step, step).add_(after.flip(axis))
    return inner

"""The activations of a recurrent layer's gates."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def gated(gate: Float[Tensor, "..."], value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return sigma(gate) tanh(value), of at least 32 bits: sums over frames need them."""
    return _Gated.apply(gate, value)


def tanh_(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Replace x by its hyperbolic tangent, and return it."""
    # On a CPU torch's own takes up to ten times as long as its logistic function. The error, of
    # the last bit of 1, is nothing to a gate.
    return x.mul_(2).sigmoid_().mul_(2).sub_(1) if x.device.type == "cpu" else x.tanh_()


class _Gated(torch.autograd.Function):
    """sigma(a) tanh(b), which keeps both factors alone for its gradient."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, value: Tensor) -> Tensor:
        dtype = torch.promote_types(torch.promote_types(gate.dtype, value.dtype), torch.float32)
        opening, content = gate.to(dtype).sigmoid(), tanh_(value.to(dtype, copy=True))
        ctx.save_for_backward(opening, content)
        ctx.dtypes = gate.dtype, value.dtype
        return opening * content

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        opening, content = ctx.saved_tensors
        of_gate = torch.ops.aten.sigmoid_backward(gradient * content, opening)
        of_value = torch.ops.aten.tanh_backward(gradient * opening, content)
        return of_gate.to(ctx.dtypes[0]), of_value.to(ctx.dtypes[1])

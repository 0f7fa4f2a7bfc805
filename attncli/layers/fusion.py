"""Networks with fewer, larger steps, for when they only answer and no longer learn."""

from copy import deepcopy
from typing import Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)


@runtime_checkable
class Fusable(Protocol):
    """A layer that has an equal in fewer steps."""

    def fused(self) -> nn.Module:
        """Return a layer that answers as this one does in evaluation, and cannot be trained."""


def fuse_for_inference(model: Network) -> Network:
    """Return a copy of `model`, in evaluation mode, that answers the same in less time.

    Batch normalisation moves into the convolution before it, and on a CPU the activation after it
    too. The copy cannot be trained, and its state-dict has other keys.
    """
    copy = deepcopy(model).eval()
    _fuse_children(copy)
    return copy


class FusedConvolution(nn.Module):
    """A convolution, its batch normalisation and rectification in one step.

    Args:
        convolution: Convolution of three axes.
        norm: Batch normalisation of what comes out of it, or none.
        relu: Whether negative values become 0 in the end.
    """

    def __init__(self, convolution: nn.Conv3d, norm: nn.Module, *, relu: bool = False) -> None:
        super().__init__()
        if isinstance(norm, nn.BatchNorm3d):
            convolution = fuse_conv_bn_eval(convolution, norm)
        weight, bias = convolution.weight, convolution.bias
        self.weight: Tensor
        memory_format = torch.channels_last_3d
        self.register_buffer("weight", weight.detach().contiguous(memory_format=memory_format))
        self.bias: Tensor | None
        self.register_buffer("bias", None if bias is None else bias.detach())
        self.relu = relu
        self.stride = list(convolution.stride)
        self.padding = [int(size) for size in convolution.padding]
        self.groups = convolution.groups

    def forward(
        self,
        x: Float[Tensor, "b c t h w"],
        addend: Float[Tensor, "b c2 t h2 w2"] | None = None,
    ) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the normalised convolution of `x`, plus `addend`, rectified if so asked."""
        if x.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and _onednn_fuses():
            return self._in_one_step(x, addend)
        y = functional.conv3d(
            x, self.weight, self.bias, self.stride, self.padding, groups=self.groups
        )
        if addend is not None:
            y += addend
        return functional.relu_(y) if self.relu else y

    def _in_one_step(self, x: Tensor, addend: Tensor | None) -> Tensor:
        onednn = torch.ops.mkldnn._convolution_pointwise
        geometry = (self.padding, self.stride, [1, 1, 1], self.groups)
        if addend is None:
            activation = "relu" if self.relu else "none"
            return onednn(x, self.weight, self.bias, *geometry, activation, [], "")
        operands = (x, addend, self.weight, self.bias)
        return onednn.binary(
            *operands, *geometry, "add", 1.0, "relu" if self.relu else None, [], None
        )


def fold_norm_before(norm: nn.BatchNorm3d, convolution: nn.Conv3d) -> nn.Conv3d:
    """Return a convolution that answers in evaluation as `norm` and then `convolution` do.

    Args:
        norm: Batch normalisation of what goes into the convolution.
        convolution: Convolution without padding, whose zeros would not be normalised.
    """
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    bias = convolution.weight.sum((2, 3, 4)) @ (norm.bias - mean * scale)
    folded = deepcopy(convolution)
    folded.weight = nn.Parameter(convolution.weight * scale.view(1, -1, 1, 1, 1))
    folded.bias = nn.Parameter(bias if convolution.bias is None else bias + convolution.bias)
    return folded


def _fuse_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, Fusable):
            setattr(module, name, child.fused())
        else:
            _fuse_children(child)


def _onednn_fuses() -> bool:
    # Not public, but what torch.compile calls on a CPU; without it each step is its own.
    return torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")

"""Networks with fewer, larger steps, for when they only answer and no longer learn."""

from copy import deepcopy
from typing import Protocol, TypeVar, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

from attncli.errors import AttncliError
from attncli.layers.convolutions import DepthwiseConv3d, PointwiseConv3d, TemporalConv3d
from attncli.layers.framewise import FramewiseConv3d
from attncli.layers.synchronized_norm import SynchronizedBatchNorm

Network = TypeVar("Network", bound=nn.Module)
Convolution = nn.Conv2d | nn.Conv3d
AnyConvolution = TypeVar("AnyConvolution", nn.Conv2d, nn.Conv3d)

CONVOLUTIONS = (
    nn.Conv2d,
    nn.Conv3d,
    DepthwiseConv3d,
    FramewiseConv3d,
    PointwiseConv3d,
    TemporalConv3d,
)
"""What answers as its weights, stride, padding, dilation and groups say. A subclass that is not
here may do something else besides, such as pad its input or standardise its weights."""
NORMS = (nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, SynchronizedBatchNorm)
"""The same of batch normalisations: a subclass may activate what it normalised."""


@runtime_checkable
class Fusable(Protocol):
    """A layer that has an equal in fewer steps."""

    def fused(self) -> nn.Module:
        """Return a layer that answers as this one does in evaluation, and cannot be trained."""


def fuse_for_inference(model: Network) -> Network:
    """Return a copy of `model`, in evaluation mode, that answers the same in less time.

    Batch normalisation moves into the convolution before it, and on a CPU the activation after it
    too, where a layer says what stands in its place (`Fusable`). All other layers stay as they are.
    The copy cannot be trained, and its state-dict has other keys.
    """
    copy = deepcopy(model).eval()
    _fuse_children(copy)
    return copy


class FusedConvolution(nn.Module):
    """A convolution of two or three axes, its batch normalisation and rectification in one step.

    Args:
        convolution: One of `CONVOLUTIONS`.
        norm: Batch normalisation of what comes out of it, or `Identity` for none.
        relu: Whether negative values become 0 in the end.

    Raises:
        AttncliError: One step would not answer as these layers do, or nobody can know.
    """

    def __init__(self, convolution: Convolution, norm: nn.Module, *, relu: bool = False) -> None:
        super().__init__()
        self.padding = _zeros_around(convolution)
        weight, bias = _weights(convolution, norm)
        self.weight: Tensor
        axes = weight.ndim - 2
        memory_format = torch.channels_last if axes == 2 else torch.channels_last_3d
        self.register_buffer("weight", weight.detach().contiguous(memory_format=memory_format))
        self.bias: Tensor | None
        self.register_buffer("bias", None if bias is None else bias.detach())
        self.relu = relu
        self.stride = list(convolution.stride)
        self.dilation = list(convolution.dilation)
        self.groups = convolution.groups

    def forward(
        self,
        x: Float[Tensor, "b c *grid"],
        addend: Float[Tensor, "b c2 *grid2"] | None = None,
    ) -> Float[Tensor, "b c2 *grid2"]:
        """Return the normalised convolution of `x`, plus `addend`, rectified if so asked."""
        if x.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and _onednn_fuses():
            return self._in_one_step(x, addend)
        convolve = functional.conv2d if self.weight.ndim == 4 else functional.conv3d
        geometry = (self.stride, self.padding, self.dilation, self.groups)
        y = convolve(x, self.weight, self.bias, *geometry)
        if addend is not None:
            y += addend
        return functional.relu_(y) if self.relu else y

    def _in_one_step(self, x: Tensor, addend: Tensor | None) -> Tensor:
        onednn = torch.ops.mkldnn._convolution_pointwise
        geometry = (self.padding, self.stride, self.dilation, self.groups)
        if addend is None:
            activation = "relu" if self.relu else "none"
            return onednn(x, self.weight, self.bias, *geometry, activation, [], "")
        operands = (x, addend, self.weight, self.bias)
        return onednn.binary(
            *operands, *geometry, "add", 1.0, "relu" if self.relu else None, [], None
        )


def fold_norm_before(norm: nn.Module, convolution: AnyConvolution) -> AnyConvolution:
    """Return a convolution that answers in evaluation as `norm` and then `convolution` do.

    Args:
        norm: Batch normalisation of what goes into the convolution.
        convolution: Convolution without padding, whose zeros would not be normalised.

    Raises:
        AttncliError: One convolution would not answer as these layers do, or nobody can know.
    """
    if any(_zeros_around(convolution)):
        raise _unfusable(convolution, "its padding is not normalised")
    mean, variance = _statistics(norm)
    weight, bias = cast(Tensor | None, norm.weight), cast(Tensor | None, norm.bias)
    scale = torch.rsqrt(variance + cast(float, norm.eps))
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    kernel = convolution.weight
    inputs = (convolution.groups, 1, kernel.shape[1])  # of each group's filters
    scales, shifts = (
        one.view(inputs).expand(-1, len(kernel) // inputs[0], -1) for one in (scale, shift)
    )
    scales, shifts = scales.flatten(0, 1), shifts.flatten(0, 1)
    constant = (kernel.flatten(2).sum(2) * shifts).sum(1)
    folded = deepcopy(convolution)
    folded.weight = nn.Parameter(kernel * scales.view(*scales.shape, *[1] * (kernel.ndim - 2)))
    folded.bias = nn.Parameter(
        constant if convolution.bias is None else constant + convolution.bias
    )
    return folded


def _fuse_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, Fusable):
            setattr(module, name, child.fused())
        else:
            _fuse_children(child)


def _weights(convolution: Convolution, norm: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Return the weights and constants of a convolution whose output `norm` normalises."""
    if type(norm) is nn.Identity:
        return convolution.weight, convolution.bias
    mean, variance = _statistics(norm)
    scale, shift = cast(Tensor | None, norm.weight), cast(Tensor | None, norm.bias)
    eps = cast(float, norm.eps)
    return fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, eps, scale, shift
    )


def _statistics(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance that all a norm does in evaluation follows from."""
    if not isinstance(norm, _BatchNorm) or type(norm) not in NORMS:
        raise _unfusable(norm, "it may do more than batch normalisation")
    _require_no_hooks(norm)
    if norm.running_mean is None or norm.running_var is None:
        raise _unfusable(norm, "it has no running statistics")
    return norm.running_mean, norm.running_var


def _zeros_around(convolution: nn.Module) -> list[int]:
    """Return how many zeros a convolution pads its input with on both sides of each axis."""
    if not isinstance(convolution, nn.Conv2d | nn.Conv3d) or type(convolution) not in CONVOLUTIONS:
        raise _unfusable(convolution, "it may do more than a convolution")
    _require_no_hooks(convolution)
    if convolution.padding_mode != "zeros":
        raise _unfusable(convolution, f"it pads by {convolution.padding_mode}")
    if convolution.padding == "valid":
        return [0] * len(convolution.kernel_size)
    if convolution.padding != "same":
        return [int(size) for size in convolution.padding]
    reach = [
        step * (size - 1)
        for step, size in zip(convolution.dilation, convolution.kernel_size, strict=True)
    ]
    if any(size % 2 for size in reach):
        raise _unfusable(convolution, "it pads one side more than the other")
    return [size // 2 for size in reach]


def _require_no_hooks(layer: nn.Module) -> None:
    # A hook would no longer be called; old weight and spectral norms are hooks.
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise _unfusable(layer, "a hook acts on it")


def _unfusable(layer: nn.Module, reason: str) -> AttncliError:
    what = f"a layer of type {type(layer).__name__} cannot be fused, as {reason}"
    return AttncliError(what, remedy="let the layer that holds it have no `fused`")


def _onednn_fuses() -> bool:
    # Not public, but what torch.compile calls on a CPU; without it each step is its own.
    return torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")

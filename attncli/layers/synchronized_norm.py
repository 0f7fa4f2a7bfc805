"""Batch normalisation over the batches of all processes, on any device."""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from attncli.errors import AttncliError

PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""What this module can replace: these and no subclass of them, which does something else."""
WITH_ACTIVATION = ("timm.layers.norm_act", "BatchNormAct2d")
"""timm's batch normalisation that also drops and activates, by its module and name: timm is an
optional package."""


class SynchronizedBatchNorm(_BatchNorm):
    """Batch normalisation whose statistics come from the samples of all processes together.

    In one process it is the `BatchNorm1d`, `BatchNorm2d` or `BatchNorm3d` it stands for. torch's
    own `SyncBatchNorm` is faster but needs a GPU.
    """

    def forward(self, input: Float[Tensor, "b c *grid"]) -> Float[Tensor, "b c *grid"]:  # noqa: A002
        """Return `input` with each channel normalised, scaled and shifted.

        In training the mean and variance are those over all samples and cells of all processes,
        and the running ones are moved towards them; in evaluation, the running ones.

        Raises:
            AttncliError: All processes together have less than two values a channel.
        """
        if not (self.training and distributed.is_available() and distributed.is_initialized()):
            return super().forward(input)
        axes = [axis for axis in range(input.ndim) if axis != 1]
        values = input.float()
        count = values.new_tensor(values.numel() / values.shape[1])
        distributed.all_reduce(count)
        if count < 2:
            what = "batch normalisation needs two values per channel to train"
            raise AttncliError(what, remedy="use a larger --batch-size")
        mean = _SumOverProcesses.apply(values.sum(axes)) / count
        centred = values - _as_column(mean, values)
        variance = _SumOverProcesses.apply(centred.square().sum(axes)) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = torch.rsqrt(variance + self.eps)
        scale = _as_column(scale if self.weight is None else scale * self.weight, values)
        if self.bias is None:
            return (centred * scale).to(input.dtype)
        return torch.addcmul(_as_column(self.bias, values), centred, scale).to(input.dtype)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        """Take a grid of any number of axes: which one it is for, the class no longer says."""

    def _track(self, mean: Float[Tensor, " c"], variance: Float[Tensor, " c"]) -> None:
        if not self.track_running_stats:
            return
        running_mean, running_var = cast(Tensor, self.running_mean), cast(Tensor, self.running_var)
        batches = cast(Tensor, self.num_batches_tracked).add_(1)
        share = 1 / batches.item() if self.momentum is None else self.momentum  # None: mean of all
        running_mean.lerp_(mean, share)
        running_var.lerp_(variance, share)


class SynchronizedBatchNormAct(SynchronizedBatchNorm):
    """timm's `BatchNormAct2d` with the statistics of all processes."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:  # noqa: A002
        """Return `input` normalised as by `SynchronizedBatchNorm`, dropped and activated."""
        return self.act(self.drop(super().forward(input)))


class SyncBatchNormAct(nn.SyncBatchNorm):
    """timm's `BatchNormAct2d` with the statistics of all processes, by torch's kernels on a GPU."""

    drop: nn.Module
    act: nn.Module

    def forward(self, input: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:  # noqa: A002
        """Return `input` normalised as by `SyncBatchNorm`, dropped and activated."""
        return self.act(self.drop(super().forward(input)))


def synchronize_batch_norm(model: nn.Module, device: torch.device) -> nn.Module:
    """Return `model` with every batch normalisation synchronised; weights, keys and modes stay.

    Args:
        model: Network, whose own modules are replaced.
        device: Where it will run: torch's `SyncBatchNorm` on a GPU, ours elsewhere.

    Raises:
        AttncliError: One is of a kind that nobody can say the statistics of; it is named, and the
            network is as it was.
    """
    ours = nn.SyncBatchNorm if device.type == "cuda" else SynchronizedBatchNorm
    norms = {
        name: module
        for name, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, _BatchNorm) and not isinstance(module, ours)
    }
    for name, norm in norms.items():
        if type(norm) not in PLAIN and not _has_activation(norm):
            what = f"batch normalisation of type {type(norm).__name__} cannot be synchronised"
            remedy = "train in one process, or use another backbone"
            raise AttncliError(what, where=name or type(model).__name__, remedy=remedy)
    if device.type != "cuda":
        for norm in norms.values():
            _synchronize(norm)
        return model
    replaced = {id(norm): _for_gpu(norm) for norm in norms.values()}
    for name, norm in norms.items():
        if not name:
            return replaced[id(norm)]
        parent, _, own_name = name.rpartition(".")
        setattr(model.get_submodule(parent), own_name, replaced[id(norm)])
    return model


def _has_activation(norm: nn.Module) -> bool:
    return (type(norm).__module__, type(norm).__name__) == WITH_ACTIVATION


def _synchronize(norm: nn.Module) -> None:
    if not isinstance(norm, SynchronizedBatchNorm):  # one layer may have two names
        acts = _has_activation(norm)
        norm.__class__ = SynchronizedBatchNormAct if acts else SynchronizedBatchNorm


def _for_gpu(norm: nn.Module) -> nn.Module:
    synchronized: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
    if _has_activation(norm):  # whose own layers are those of the new one by now
        synchronized.__class__ = SyncBatchNormAct
    return synchronized


class _SumOverProcesses(torch.autograd.Function):
    """Sum over processes, whose gradient is the sum of all processes' gradients."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def _as_column(channels: Float[Tensor, " c"], like: Tensor) -> Tensor:
    return channels.view(-1, *[1] * (like.ndim - 2))

"""Batch normalisation over the batches of all processes, on any device."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

STATISTICS_AXES = (0, 2, 3, 4)


class SynchronizedBatchNorm(nn.BatchNorm3d):
    """`BatchNorm3d` whose statistics come from the clips of all processes together.

    In one process it is `BatchNorm3d`. torch's own `SyncBatchNorm` is faster but needs a GPU.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, input: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:  # noqa: A002
        """Return `input` with each channel normalised, scaled and shifted.

        In training the mean and variance are those over all processes' clips, frames, rows and
        columns, and the running ones are moved towards them; in evaluation, the running ones.
        """
        if not (self.training and distributed.is_available() and distributed.is_initialized()):
            return super().forward(input)
        values = input.float()
        count = values.new_tensor(values.numel() / values.shape[1])
        distributed.all_reduce(count)
        mean = _SumOverProcesses.apply(values.sum(STATISTICS_AXES)) / count
        centred = values - _as_column(mean)
        variance = _SumOverProcesses.apply(centred.square().sum(STATISTICS_AXES)) / count
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.addcmul(_as_column(self.bias), centred, _as_column(scale)).to(input.dtype)

    def _track(self, mean: Float[Tensor, " c"], variance: Float[Tensor, " c"]) -> None:
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


def synchronize_batch_norm(model: nn.Module, device: torch.device) -> nn.Module:
    """Return `model` with every batch normalisation synchronised; weights and keys stay.

    Args:
        model: Network, whose own modules are replaced.
        device: Where it will run: torch's `SyncBatchNorm` on a GPU, ours elsewhere.
    """
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    for module in model.modules():
        if type(module) is nn.BatchNorm3d:
            module.__class__ = SynchronizedBatchNorm
    return model


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


def _as_column(channels: Float[Tensor, " c"]) -> Float[Tensor, "c 1 1 1"]:
    return channels.view(-1, 1, 1, 1)

"""Batch normalisations that stay as they are while the network around them learns."""

from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

Network = TypeVar("Network", bound="FreezableNorms")


class FreezableNorms(nn.Module):
    """A network whose batch normalisations can be kept, all of them or some.

    One whose scale does not learn is frozen: its running statistics do not move either.
    """

    def freeze_norms(self) -> None:
        """Let batch normalisations keep their statistics, scales and shifts from now on.

        Batches of few large images have worse statistics than the weights come with.
        """
        for norm in self._norms():
            norm.eval().requires_grad_(False)

    def train(self: Network, mode: bool = True) -> Network:
        """Put the network into training or evaluation; frozen norms stay in evaluation."""
        super().train(mode)
        for norm in self._norms():
            if _is_frozen(norm):
                norm.eval()
        return self

    def _norms(self) -> list[_BatchNorm]:
        return [module for module in self.modules() if isinstance(module, _BatchNorm)]


def _is_frozen(norm: _BatchNorm) -> bool:
    scales = list(norm.parameters())
    return bool(scales) and not any(scale.requires_grad for scale in scales)

"""What a method hands to the training: a network, what it minimises, and how fast parts learn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, runtime_checkable

from torch import nn

from attncli.batches import B, B_contra
from attncli.types import Losses

Network = Callable[..., Any]
"""A network's forward pass in the arithmetic of the training."""


@runtime_checkable
class Objective(Protocol[B_contra]):
    """One forward pass and its losses; it owns the pass."""

    def __call__(self, network: Network, batch: B_contra) -> Losses:
        """Return the losses of a batch, means over its samples.

        Args:
            network: Forward pass of the network that is trained.
            batch: Samples on the network's device.
        """
        ...


@dataclass(frozen=True)
class Learned(Generic[B]):
    """What is trained by steps."""

    model: nn.Module
    """The network; weights that want no gradient stay as they are."""
    objective: Objective[B]
    """What it minimises."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Factor on the learning rate by the beginning of parameters' names, the longest that fits;
    1 where none does."""
    begin_epoch: Callable[[int], None] = lambda _: None
    """Told of each epoch before its first step, counted from 0: what is minimised may change."""

    def rate_of(self, name: str) -> float:
        """Return the factor on the learning rate of a parameter.

        >>> Learned(nn.Identity(), lambda network, batch: None, {"head": 10.0}).rate_of("head.bias")
        10.0
        """
        fitting = [prefix for prefix in self.rates if name.startswith(prefix)]
        return self.rates[max(fitting, key=len)] if fitting else 1.0

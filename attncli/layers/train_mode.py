"""Evaluation in the midst of training, and back to exactly what was."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def train_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Put a network into training or evaluation; afterwards each layer is in its own mode again.

    `network.train()` would wake layers that were in evaluation by themselves, such as frozen batch
    normalisations. The modes come back also where the body raises.

    Args:
        network: Network whose mode changes meanwhile.
        training: Whether it trains meanwhile, or answers as in evaluation.
    """
    before = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training

"""Untrained networks of the catalog."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from attncli import catalog
from attncli.training.objective import Learned


def build(method: str, config: Any, n_classes: int, *, seed: int = 0) -> Learned[Any]:
    """Return the network of a method, in training mode, and what it minimises.

    Args:
        method: Name in the catalog.
        config: Its settings.
        n_classes: Number of classes.
        seed: Of the weights.
    """
    torch.manual_seed(seed)
    return catalog.load(catalog.method(method).build)(config, n_classes)


def settle_norms(model: nn.Module, inputs: Tensor) -> None:
    """Let batch normalisations answer as after a training: forgetting any of their values shows.

    Args:
        model: Network, whose normalisations get random scales and shifts.
        inputs: What their running statistics are of.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    was_training, momenta = model.training, [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train().momentum = 1.0
        norm.weight.data.uniform_(0.5, 1.5)
        norm.bias.data.normal_(std=0.3)
    with torch.no_grad():
        model(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)

"""How weights follow gradients: the optimizer and the course of the learning rate."""

import math
from typing import Any

import torch
from torch import nn

from attncli.config.training import TrainConfig
from attncli.training.objective import Learned

STEP_FACTOR = 0.1


def make_optimizer(learned: Learned[Any], config: TrainConfig) -> torch.optim.Optimizer:
    """Return the configured optimizer over all weights that want gradients.

    Biases and the scales of normalisation, which have one axis, are spared weight decay.
    `sgd` takes Nesterov's momentum where there is any.
    """
    groups = [
        {"params": weights, "weight_decay": config.weight_decay if decays else 0.0}
        for _, decays, weights in _groups(learned)
    ]
    if config.optimizer == "sgd":
        momentum = config.momentum
        return torch.optim.SGD(
            groups, lr=config.lr, momentum=momentum, nesterov=momentum > 0, fused=True
        )
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.lr, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, learned: Learned[Any], lr: float) -> None:
    """Have the next step of `make_optimizer`'s optimizer taken with `lr`, times each part's own."""
    for group, (rate, *_) in zip(optimizer.param_groups, _groups(learned), strict=True):
        group["lr"] = lr * rate


def _groups(learned: Learned[Any]) -> list[tuple[float, bool, list[nn.Parameter]]]:
    """Return weights that want gradients by their rate, and by whether weight decay acts on them.

    There are two groups for each rate, and one of them may be empty.
    """
    wanted = [(n, weight) for n, weight in learned.model.named_parameters() if weight.requires_grad]
    rates = sorted({learned.rate_of(name) for name, _ in wanted}) or [1.0]
    return [
        (
            rate,
            decays,
            [w for n, w in wanted if learned.rate_of(n) == rate and _has_axes(w) == decays],
        )
        for rate in rates
        for decays in (True, False)
    ]


def _has_axes(weight: nn.Parameter) -> bool:
    return weight.ndim > 1


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, counted from 0 over the whole training.

    It rises linearly over the warm-up, whose last step has all of it. Then `cosine` falls to zero
    at the end of the last epoch, and `step` is divided by 10 after each milestone's epoch.
    """
    warmup = config.warmup_epochs * steps_per_epoch
    if step + 1 < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "cosine":
        done = max(step - warmup, 0) / max(config.epochs * steps_per_epoch - warmup, 1)
        return config.lr * (1 + math.cos(math.pi * done)) / 2
    passed = sum(milestone <= step // steps_per_epoch for milestone in config.milestones)
    return config.lr * STEP_FACTOR**passed

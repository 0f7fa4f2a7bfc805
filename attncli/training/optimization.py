"""How weights follow gradients: the optimizer and the course of the learning rate."""

import math

import torch
from torch import nn

from attncli.config.training import TrainConfig

STEP_FACTOR = 0.1


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the configured optimizer over all weights that want gradients.

    Biases and the scales of normalisation, which have one axis, are spared weight decay.
    `sgd` takes Nesterov's momentum where there is any.
    """
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        momentum = config.momentum
        return torch.optim.SGD(
            groups, lr=config.lr, momentum=momentum, nesterov=momentum > 0, fused=True
        )
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.lr, fused=True)


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

"""Every random number from one seed, so that a step draws the same whenever it is taken."""

import os
import random

import numpy as np
import torch

ORDER, STEP = 1, 2


def order_generator(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of an epoch's order of clips."""
    return np.random.default_rng(np.random.SeedSequence([seed, epoch], spawn_key=(ORDER,)))


def seed_everything(seed: int) -> None:
    """Seed the generators of Python, numpy and torch (every device)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - a layer from elsewhere may draw from it
    torch.manual_seed(seed)


def seed_step(seed: int, epoch: int, step: int) -> None:
    """Seed everything for one training step, from nothing but the run's seed and the step.

    So a resumed run needs no generator's state, and all processes of a run drop alike.
    """
    sequence = np.random.SeedSequence([seed, epoch, step], spawn_key=(STEP,))
    seed_everything(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))


def choose_algorithms(*, deterministic: bool) -> None:
    """Have torch use only algorithms that always give the same bits, or the fastest it finds.

    What has no deterministic algorithm raises a RuntimeError of torch when it is used. Where
    speed decides, cuDNN tries its algorithms on the first batch of a shape. Either way torch's own
    choice for 32-bit arithmetic on a GPU stands: TF32 in convolutions, full precision elsewhere.
    """
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = not deterministic

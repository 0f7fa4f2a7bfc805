"""How far the convolutions of a device are from exact ones."""

import copy

import torch
from torch import nn

TOLERANCES = {"fp32": 2e-3, "channels-last": 2e-3, "bf16": 3e-2}
"""Largest error by arithmetic; fp32 convolutions of a GPU round their factors to 10 bits (TF32)."""


def convolution_errors(device: torch.device) -> dict[str, float]:
    """Return the error of small 3-D convolutions by arithmetic, relative to float64 on the CPU.

    Args:
        device: Where to convolve.

    Returns:
        Norm of the difference over the norm of the exact answer, by the names of `TOLERANCES`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv3d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv3d(32, 32, 3, padding=1, groups=32),
            nn.ReLU(),
            nn.Conv3d(32, 16, 1),
        )
        clip = torch.randn(2, 3, 8, 32, 32)
    with torch.inference_mode():
        exact = copy.deepcopy(model).double()(clip.double())
        model, clip = model.to(device), clip.to(device)
        answers = {
            "fp32": model(clip),
            "channels-last": model(clip.to(memory_format=torch.channels_last_3d)),
        }
        with torch.autocast(device.type, dtype=torch.bfloat16):
            answers["bf16"] = model(clip)
    errors = {name: answer.cpu().double() - exact for name, answer in answers.items()}
    return {name: float(error.norm() / exact.norm()) for name, error in errors.items()}

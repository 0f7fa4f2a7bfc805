"""Attention branch networks and their relatives as shell pipelines, and as functions.

import attncli

model = attncli.load("runs/abn")
answer = model.read("video.mp4")
"""

from importlib import import_module
from os import PathLike
from typing import Any

__version__ = "0.7.0"


def load(
    run: str | PathLike[str],
    *,
    device: str = "auto",
    checkpoint: str = "last",
    precision: str | None = None,
) -> Any:
    """Return the network of a trained run, an `attncli.workflows.predict.model.Model`.

    `model(frames)` takes uint8 RGB arrays or tensors, (T, H, W, 3) or (N, T, H, W, 3), of runs on
    images (H, W, 3) or (N, H, W, 3); `model.read(path)` a video, a directory of frames or a
    picture. Both return an `Answer` with `scores` (N, classes), `classes`, `spatial` (N, T, H, W)
    and `temporal` (N, T), the last two None where the network has no such attention.

    Args:
        run: Directory of the run.
        device: `auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`.
        checkpoint: Weights: `last`, `best`, or a file.
        precision: Arithmetic: `fp32`, `bf16` or `fp16`; the run's own where None.

    Raises:
        attncli.errors.AttncliError: There is no such run, or its network cannot be used.
    """
    # Named by a text, so that whoever reads a version or a setting imports no torch.
    model = import_module("attncli.workflows.predict.model")
    return model.load(run, device=device, checkpoint=checkpoint, precision=precision)

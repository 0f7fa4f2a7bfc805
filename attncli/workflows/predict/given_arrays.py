"""Frames and images that are given as arrays."""

from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from attncli.errors import UsageError


def as_bytes(frames: Any) -> UInt8[Tensor, "..."]:
    """Return an array or a tensor of RGB values 0-255 as a tensor on the host.

    Raises:
        UsageError: It holds other values than bytes.
    """
    tensor = frames.detach().cpu() if isinstance(frames, Tensor) else _tensor(np.asarray(frames))
    if tensor.dtype != torch.uint8:
        kind = str(tensor.dtype).removeprefix("torch.")
        remedy = "give RGB values 0-255 as uint8"
        raise UsageError(f"must be uint8, not {kind}", where="frames", remedy=remedy)
    return tensor


def several(frames: UInt8[Tensor, "..."], *, axes: int, shape: str) -> UInt8[Tensor, "n ..."]:
    """Return clips or images with an axis that counts them, which a single one may lack.

    Args:
        frames: RGB values 0-255, the colour last.
        axes: How many axes several of them have.
        shape: What a single one's axes are, for the message.

    Raises:
        UsageError: They have other axes, or an axis without a value.
    """
    found = frames[None] if frames.ndim == axes - 1 else frames
    if found.ndim != axes or found.shape[-1] != 3 or not found.numel():
        raise UsageError(
            f"must be of shape ({shape}, 3) or (N, {shape}, 3), not {tuple(frames.shape)}",
            where="frames",
        )
    return found


def _tensor(array: np.ndarray) -> Tensor:
    if array.dtype != np.uint8:
        remedy = "give RGB values 0-255 as uint8"
        raise UsageError(f"must be uint8, not {array.dtype}", where="frames", remedy=remedy)
    return torch.from_numpy(np.ascontiguousarray(array).copy())

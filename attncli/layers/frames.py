"""From the bytes of a video to what a network takes in."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn


class NormalizeFrames(nn.Module):
    """Turn RGB bytes into floats of zero mean and unit spread, on the device they are on.

    The layer has no state: checkpoints of a network look the same with and without it.

    Args:
        mean: Mean of each of the three channels, with values in [0, 1].
        std: Standard deviation of each of the three channels, with values in [0, 1].
    """

    def __init__(self, *, mean: tuple[float, float, float], std: tuple[float, float, float]):
        super().__init__()
        scale = 1 / (255 * torch.tensor(std))
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", scale.view(1, 3, 1, 1, 1), persistent=False)
        shift = -torch.tensor(mean) / torch.tensor(std)
        self.register_buffer("shift", shift.view(1, 3, 1, 1, 1), persistent=False)

    def forward(self, frames: UInt8[Tensor, "b 3 t h w"]) -> Float[Tensor, "b 3 t h w"]:
        """Return `(frames / 255 - mean) / std`, channels-last in memory.

        Args:
            frames: RGB values 0-255.
        """
        values = frames.to(self.scale.dtype, memory_format=torch.channels_last_3d)
        return torch.addcmul(self.shift, values, self.scale)

"""What the pixels become before a network sees them: part of its weights, and kept with them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn


@dataclass(frozen=True)
class Normalization:
    """How a network's weights were trained to see colours."""

    mean: tuple[float, float, float]
    """Subtracted from red, green and blue, each in [0, 1]."""
    std: tuple[float, float, float]
    """What the rest is divided by."""


NORMALIZATIONS = {
    "imagenet": Normalization(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "half": Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    "none": Normalization(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
}
"""By name: ImageNet's own statistics (torchvision), [-1, 1] (TensorFlow), and [0, 1]."""


class NormalizeImages(nn.Module):
    """Turn RGB bytes into floats, on the device they are on.

    Mean and standard deviation are part of the state-dict: weights trained with others mean
    something else.

    Args:
        normalization: What the weights of the network were trained with.
    """

    def __init__(self, normalization: Normalization) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(normalization.mean))
        self.std: Tensor
        self.register_buffer("std", torch.tensor(normalization.std))

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """Return `(images / 255 - mean) / std`, channels-last in memory.

        Args:
            images: RGB values 0-255.
        """
        values = images.to(self.mean.dtype, memory_format=torch.channels_last)
        shift, scale = -self.mean / self.std, 1 / (255 * self.std)
        return torch.addcmul(shift.view(3, 1, 1), values, scale.view(3, 1, 1))

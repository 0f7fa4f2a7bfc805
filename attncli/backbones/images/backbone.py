"""What every network for images is to those who use it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.backbones.images.normalization import Normalization, NormalizeImages
from attncli.errors import UsageError
from attncli.layers.freezing import FreezableNorms

Role = Literal["conv2", "conv3", "conv4", "conv5"]
OutputStride = Literal[8, 16, 32]

ROLES: tuple[Role, ...] = ("conv2", "conv3", "conv4", "conv5")
"""The stages of a network, from the finest grid to the coarsest, as ResNet counts them."""
PUBLISHED_STRIDES = (4, 8, 16, 32)
"""How many pixels a cell of each role's grid stands for where nothing is dilated."""


PROBE_PX = 32
"""Side of the image by which a network shows which weights its stages depend on."""


def strides(output_stride: OutputStride) -> tuple[int, ...]:
    """Return how many pixels a cell of each role's grid stands for, in the order of `ROLES`.

    >>> strides(8)
    (4, 8, 8, 8)
    """
    return tuple(min(stride, output_stride) for stride in PUBLISHED_STRIDES)


class ImageBackbone(FreezableNorms, ABC):
    """A network for images of any size that ends before what is made for one task.

    Args:
        normalization: What its weights were trained with.
        channels: Channels of each role, in the order of `ROLES`.
        output_stride: Pixels a cell of the coarsest grid stands for.
    """

    def __init__(
        self,
        normalization: Normalization,
        *,
        channels: Sequence[int],
        output_stride: OutputStride,
    ) -> None:
        super().__init__()
        self.normalize = NormalizeImages(normalization)
        self.channels: Mapping[Role, int] = dict(zip(ROLES, channels, strict=True))
        self.output_stride: OutputStride = output_stride

    def features(self, images: UInt8[Tensor, "b 3 h w"]) -> Mapping[Role, Float[Tensor, "b _ _ _"]]:
        """Return the features of images after each stage.

        The grid of a role has a row for every 4 (`conv2`), 8, 16 or 32 (`conv5`) rows of pixels
        begun, or for every `output_stride` where that is less; columns alike.

        Args:
            images: RGB values 0-255.
        """
        return dict(zip(ROLES, self.stage_outputs(self.normalize(images)), strict=True))

    @abstractmethod
    def stage_outputs(self, x: Float[Tensor, "b 3 h w"]) -> Iterable[Float[Tensor, "b _ _ _"]]:
        """Return what comes out of each stage for normalised images, in the order of `ROLES`."""

    def freeze_stages(self, n: int) -> None:
        """Let the first stages, and all that leads to them, stay as they are from now on.

        Early layers see edges and colours, which serve any task, and cost the most memory to train.

        Args:
            n: How many of the stages in the order of `ROLES`, from 0 to all 4.

        Raises:
            UsageError: There are not so many.
        """
        if not 0 <= n <= len(ROLES):
            what = f"there are 0 to {len(ROLES)} stages to freeze, not {n}"
            raise UsageError(what, where="--freeze-stages")
        for weight in self._weights_before(n):
            weight.requires_grad_(False)
        self.train(self.training)  # puts norms into evaluation that learn no more

    def _weights_before(self, n: int) -> list[nn.Parameter]:
        """Return the learning weights that the features of the first stages depend on."""
        weights = [weight for weight in self.parameters() if weight.requires_grad]
        if n == 0 or not weights:
            return []
        was_training = self.training
        self.eval()  # so that no running statistics move
        blank = torch.zeros(1, 3, PROBE_PX, PROBE_PX, device=weights[0].device)
        with torch.enable_grad():
            first = islice(self.stage_outputs(blank), n)
            reached = torch.stack([features.sum() for features in first]).sum()
            gradients = torch.autograd.grad(reached, weights, allow_unused=True)
        self.train(was_training)
        return [w for w, gradient in zip(weights, gradients, strict=True) if gradient is not None]

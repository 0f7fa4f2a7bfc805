"""What every network for images is to those who use it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from attncli.backbones.images.normalization import Normalization, NormalizeImages

Role = Literal["conv2", "conv3", "conv4", "conv5"]
OutputStride = Literal[8, 16, 32]
Backbone = TypeVar("Backbone", bound="ImageBackbone")

ROLES: tuple[Role, ...] = ("conv2", "conv3", "conv4", "conv5")
"""The stages of a network, from the finest grid to the coarsest, as ResNet counts them."""
PUBLISHED_STRIDES = (4, 8, 16, 32)
"""How many pixels a cell of each role's grid stands for where nothing is dilated."""


def strides(output_stride: OutputStride) -> tuple[int, ...]:
    """Return how many pixels a cell of each role's grid stands for, in the order of `ROLES`.

    >>> strides(8)
    (4, 8, 8, 8)
    """
    return tuple(min(stride, output_stride) for stride in PUBLISHED_STRIDES)


class ImageBackbone(nn.Module, ABC):
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
        self.has_frozen_norms = False

    def features(self, images: UInt8[Tensor, "b 3 h w"]) -> Mapping[Role, Float[Tensor, "b _ _ _"]]:
        """Return the features of images after each stage.

        The grid of a role has a row for every 4 (`conv2`), 8, 16 or 32 (`conv5`) rows of pixels
        begun, or for every `output_stride` where that is less; columns alike.

        Args:
            images: RGB values 0-255.
        """
        return dict(zip(ROLES, self.stage_outputs(self.normalize(images)), strict=True))

    @abstractmethod
    def stage_outputs(self, x: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return what comes out of each stage for normalised images, in the order of `ROLES`."""

    def freeze_norms(self) -> None:
        """Let batch normalisations keep their statistics, scales and shifts from now on.

        Batches of few large images have worse statistics than the weights come with.
        """
        self.has_frozen_norms = True
        for norm in self._norms():
            norm.eval().requires_grad_(False)

    def train(self: Backbone, mode: bool = True) -> Backbone:
        """Put the network into training or evaluation; frozen norms stay in evaluation."""
        super().train(mode)
        if self.has_frozen_norms:
            for norm in self._norms():
                norm.eval()
        return self

    def _norms(self) -> list[nn.Module]:
        return [module for module in self.modules() if isinstance(module, _BatchNorm)]

"""SSDD's network for difference detection: where would a mask change if the other one replaced it?

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019). The network sees an image's features and one mask of a pair, and says how
likely each cell is to be another in the mask it does not see: d = f(e^h(x), e^l(x), m; theta_d).
What can be guessed so is regular, as right labels are; what cannot be guessed is taken for wrong.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from attncli.layers.freezing import FreezableNorms
from attncli.methods.ssdd.layers import Bottleneck, ConvNormReLU, start

WIDTH = 256
"""Channels within the paper's network."""


class DifferenceNetwork(FreezableNorms):
    """f, which learns from features that do not learn from it.

    Args:
        hidden_channels: Channels of the high features e^h.
        low_channels: Channels of the low features e^l.
        n_labels: Labels of a mask, the background among them.
        width: Channels of the image part and of the mask's.
    """

    def __init__(
        self, hidden_channels: int, low_channels: int, *, n_labels: int, width: int = WIDTH
    ) -> None:
        super().__init__()
        self.n_labels = n_labels
        self.see_image = ConvNormReLU(hidden_channels + low_channels, width, 3)
        self.see_mask = ConvNormReLU(n_labels, width, 1)
        self.compare = Bottleneck(2 * width, width)
        self.answer = nn.Conv2d(width, 1, 1, bias=False)
        start(self)

    def image_part(
        self, hidden: Float[Tensor, "b ch h w"], low: Float[Tensor, "b cl h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return what the network makes of an image, the same for both masks of a pair.

        No gradient reaches the features.

        Args:
            hidden: High features e^h.
            low: Low features e^l, on the same grid.
        """
        return self.see_image(torch.cat((hidden.detach(), low.detach()), dim=1))

    def forward(
        self, image_part: Float[Tensor, "b c h w"], mask: UInt8[Tensor, "b h w"]
    ) -> Float[Tensor, "b h w"]:
        """Return how likely each cell of a mask is another in the mask it is paired with, a logit.

        Args:
            image_part: What `image_part` made of the images.
            mask: Label of each cell; one that is ignored (255) is none of the labels.
        """
        seen = self.see_mask(one_hot(mask, self.n_labels).to(image_part.dtype))
        return self.answer(self.compare(torch.cat((image_part, seen), dim=1))).squeeze(1)


def one_hot(mask: UInt8[Tensor, "b h w"], n_labels: int) -> Float[Tensor, "b {n_labels} h w"]:
    """Return 1 in the channel of a cell's label and 0 elsewhere; all 0 for a label there is not."""
    labels = torch.arange(n_labels, dtype=torch.uint8, device=mask.device)
    return (mask[:, None] == labels[:, None, None]).float()

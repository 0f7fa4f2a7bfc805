"""A convolution and its normalisation as one layer."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.layers.fusion import FusedConvolution


class NormalizedConvolution(nn.Module):
    """A convolution and the batch normalisation of what comes out of it.

    Args:
        convolution: Convolution of three axes.
        relu: Whether negative values become 0 in the end.
    """

    def __init__(self, convolution: nn.Conv3d, *, relu: bool) -> None:
        super().__init__()
        self.conv = convolution
        self.norm = nn.BatchNorm3d(convolution.out_channels)
        self.relu = relu

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the normalised convolution of `x`, rectified if so asked."""
        y = self.norm(self.conv(x))
        return functional.relu_(y) if self.relu else y

    def fused(self) -> nn.Module:
        """Return the layer in one step."""
        return FusedConvolution(self.conv, self.norm, relu=self.relu)

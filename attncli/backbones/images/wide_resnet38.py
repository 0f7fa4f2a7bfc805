"""Wide-ResNet-38, the network of PSA and SSDD (model A1, output stride 8).

Z. Wu, C. Shen, A. van den Hengel, "Wider or Deeper: Revisiting the ResNet Model for Visual
Recognition" (Pattern Recognition 2019). Blocks normalise and rectify before they convolve (He et
al., ECCV 2016): what comes out of one is not rectified, so that the features of a role are what the
next block makes of it first. Layers are named as in the published weights of J. Ahn and S. Kwak,
"Learning Pixel-level Semantic Affinity with Image-level Supervision" (PSA, CVPR 2018). Dropout
within the last two blocks acts in training whatever else is frozen.

======  =================================================  ========  ======
Role    Features (after normalisation and rectification)   Channels  Stride
======  =================================================  ========  ======
conv2   input of b3, averaged over 2 x 2 cells             128       4
conv3   input of b5 (PSA's conv4)                          512       8
conv4   input of b6 (PSA's conv5)                          1024      8
conv5   output (PSA's conv6)                               4096      8
======  =================================================  ========  ======
"""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.backbone import ImageBackbone, OutputStride
from attncli.backbones.images.normalization import NORMALIZATIONS, Normalization
from attncli.errors import AttncliError, UsageError

NAME = "wide-resnet38"
HEADS = ("fc8", "f8_3", "f8_4", "f8_5", "f9")
"""What PSA calls the layers of its classifier (`fc8`) and of its affinity network."""
WIDTH = 64
"""Channels of the first convolution; all others are multiples of them."""
ENTRIES = ("b3", "b5", "b6")
"""Blocks whose rectified inputs are the features of conv2 to conv4."""
SOURCE = "give --weights the file res38_cls.pth of PSA (github.com/jiwoon-ahn/psa)"


class WideBlock(nn.Module):
    """Two 3x3 convolutions, added to what they are of.

    Args:
        channels: Channels that come in.
        middle: Channels between the convolutions.
        out_channels: Channels that go out.
        stride: Step of the first convolution.
        dilations: Of the two convolutions.
    """

    def __init__(
        self,
        channels: int,
        middle: int,
        out_channels: int,
        *,
        stride: int = 1,
        dilations: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(channels)
        self.conv_branch2a = _convolution(channels, middle, dilations[0], stride=stride)
        self.bn_branch2b1 = nn.BatchNorm2d(middle)
        self.conv_branch2b1 = _convolution(middle, out_channels, dilations[1])
        self.conv_branch1: nn.Module | None = None
        if (channels, stride) != (out_channels, 1):
            self.conv_branch1 = nn.Conv2d(channels, out_channels, 1, stride, bias=False)

    def rectify(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the input normalised and rectified."""
        return functional.relu(self.bn_branch2a(x))

    def add(
        self, x: Float[Tensor, "b c h w"], rectified: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c2 h2 w2"]:
        """Return what the block makes of its input.

        Args:
            x: The input.
            rectified: What `rectify` made of it.
        """
        y = self.conv_branch2a(rectified)
        y = self.conv_branch2b1(functional.relu(self.bn_branch2b1(y)))
        return y + (x if self.conv_branch1 is None else self.conv_branch1(rectified))


class WideBottleneck(nn.Module):
    """Convolutions of 1x1, 3x3 and 1x1 with dropout between, added to a projection of the input.

    Args:
        channels: Channels that come in.
        out_channels: Channels that go out: four times those after the first convolution, twice
            those after the second.
        dilation: Of the 3x3 convolution.
        dropout: Probability with which a channel is dropped in training, before each of the last
            two convolutions.
    """

    def __init__(self, channels: int, out_channels: int, *, dilation: int, dropout: float) -> None:
        super().__init__()
        narrow, middle = out_channels // 4, out_channels // 2
        self.bn_branch2a = nn.BatchNorm2d(channels)
        self.conv_branch2a = nn.Conv2d(channels, narrow, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(narrow)
        self.conv_branch2b1 = _convolution(narrow, middle, dilation)
        self.bn_branch2b2 = nn.BatchNorm2d(middle)
        self.conv_branch2b2 = nn.Conv2d(middle, out_channels, 1, bias=False)
        self.conv_branch1 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def rectify(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the input normalised and rectified."""
        return functional.relu(self.bn_branch2a(x))

    def add(
        self,
        x: Float[Tensor, "b c h w"],  # noqa: ARG002 - what other blocks take
        rectified: Float[Tensor, "b c h w"],
    ) -> Float[Tensor, "b c2 h w"]:
        """Return what the block makes of its input.

        Args:
            x: The input.
            rectified: What `rectify` made of it.
        """
        y = self.conv_branch2a(rectified)
        y = self.conv_branch2b1(self.dropout(functional.relu(self.bn_branch2b1(y))))
        y = self.conv_branch2b2(self.dropout(functional.relu(self.bn_branch2b2(y))))
        return y + self.conv_branch1(rectified)


class WideResNet38(nn.Module):
    """The layers, by PSA's names. The first convolution does not learn, as in PSA and SSDD.

    Args:
        width: Channels of the first convolution, 64 in the published network.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.conv1a = _convolution(3, width, 1).requires_grad_(False)
        blocks = dict(_blocks(width))
        for name, block in blocks.items():
            self.add_module(name, block)
        self.bn7 = nn.BatchNorm2d(64 * width)
        self.blocks = tuple(blocks)

    def forward(self, x: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return the rectified inputs of `ENTRIES`, and the rectified output, last."""
        features = []
        x = self.conv1a(x)
        for name in self.blocks:
            block = cast(WideBlock | WideBottleneck, self.get_submodule(name))
            rectified = block.rectify(x)
            if name in ENTRIES:
                features.append(rectified)
            x = block.add(x, rectified)
        return [*features, functional.relu(self.bn7(x))]


class WideResNet38Backbone(ImageBackbone):
    """Wide-ResNet-38 by roles.

    Args:
        network: Its layers.
        normalization: What its weights were trained with.
    """

    def __init__(self, network: WideResNet38, normalization: Normalization) -> None:
        width = network.conv1a.out_channels
        channels = (2 * width, 8 * width, 16 * width, 64 * width)
        super().__init__(normalization, channels=channels, output_stride=8)
        self.network = network

    def stage_outputs(self, x: Float[Tensor, "b 3 h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return what comes out of each stage for normalised images, in the order of `ROLES`."""
        low, *others = self.network(x)
        # At borders of odd grids a cell is the mean of what there is.
        return [functional.avg_pool2d(low, 2, ceil_mode=True), *others]


def require_available(weights: str, output_stride: OutputStride) -> None:
    """Make sure that the network can be built with these weights, at this stride.

    Raises:
        UsageError: The stride is not 8, or the weights are to be fetched.
        AttncliError: The file is of MXNet.
    """
    if output_stride != 8:
        what = f"{NAME} has an output stride of 8, not of {output_stride}"
        raise UsageError(what, where="--output-stride", remedy="use --output-stride 8")
    if weights == "imagenet":
        what = f"the weights of {NAME} cannot be downloaded"
        raise UsageError(what, where="--weights", remedy=f"{SOURCE}, or use --weights none")
    if Path(weights).suffix == ".params":
        what = "is a file of MXNet, which cannot be read"
        raise AttncliError(what, where=weights, remedy=f"{SOURCE}, or convert it to a state-dict")


def wide_resnet38_backbone(
    network: WideResNet38, normalization: Normalization | None
) -> WideResNet38Backbone:
    """Return the backbone of a network.

    Args:
        network: Its layers.
        normalization: What its weights were trained with; None for PSA's, that of ImageNet.
    """
    return WideResNet38Backbone(network, normalization or NORMALIZATIONS["imagenet"])


def _blocks(width: int) -> Iterator[tuple[str, nn.Module]]:
    """Return the blocks by name, in order."""
    channels = width
    for number, times, repeats in ((2, 2, 3), (3, 4, 3), (4, 8, 6)):
        out = times * width
        for index in range(repeats):
            stride = 1 if index else 2
            yield _name(number, index), WideBlock(channels, out, out, stride=stride)
            channels = out
    for index in range(3):  # where others halve the grid, these two stages dilate
        dilations = (2, 2) if index else (1, 2)
        block = WideBlock(channels, 8 * width, 16 * width, dilations=dilations)
        yield _name(5, index), block
        channels = 16 * width
    yield "b6", WideBottleneck(16 * width, 32 * width, dilation=4, dropout=0.3)
    yield "b7", WideBottleneck(32 * width, 64 * width, dilation=4, dropout=0.5)


def _name(number: int, index: int) -> str:
    return f"b{number}_{index}" if index else f"b{number}"


def _convolution(channels: int, out_channels: int, dilation: int, *, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False
    )

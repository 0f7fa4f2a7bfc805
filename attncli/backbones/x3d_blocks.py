"""The blocks of X3D (Feichtenhofer, CVPR 2020), with the names published state-dicts use."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.layers.convolutions import DepthwiseConv3d, PointwiseConv3d, TemporalConv3d
from attncli.layers.fusion import FusedConvolution
from attncli.layers.global_dropout import GlobalDropout

BOTTLENECK_FACTOR = 2.25
SQUEEZE_RATIO = 1 / 16
HEAD_CHANNELS = 2048


class SeparableConvolution(nn.Module):
    """A spatial convolution at stride 2, then a temporal one of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # The published weights have these two names the wrong way round.
        self.conv_t = nn.Conv3d(
            3, channels, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False
        )
        self.conv_xy = TemporalConv3d(channels, 5)

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hs ws"]:
        """Return features at half the clip's height and width."""
        return self.conv_xy(self.conv_t(clip))


class Stem(nn.Module):
    """A separable convolution and its normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = SeparableConvolution(channels)
        self.norm = nn.BatchNorm3d(channels)

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hs ws"]:
        """Return features at half the clip's height and width."""
        return functional.relu_(self.norm(self.conv(clip)))

    def fused(self) -> nn.Module:
        """Return the stem in two steps."""
        temporal = FusedConvolution(self.conv.conv_xy, self.norm, relu=True)
        return nn.Sequential(self.conv.conv_t, temporal)


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number in [0, 1] computed from the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = round_width(channels * SQUEEZE_RATIO)
        self.block = nn.Sequential(
            PointwiseConv3d(channels, squeezed, bias=True),
            nn.ReLU(),
            PointwiseConv3d(squeezed, channels, bias=True),
            nn.Sigmoid(),
        )

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """Return `x` with its channels scaled."""
        return x * self.block(global_mean(x))


class Bottleneck(nn.Module):
    """Widen by a 1x1x1 convolution, filter each channel by a 3x3x3 one, narrow by a 1x1x1 one."""

    def __init__(
        self, in_channels: int, inner: int, channels: int, *, stride: int, squeeze: bool
    ) -> None:
        super().__init__()
        self.conv_a = PointwiseConv3d(in_channels, inner)
        self.norm_a = nn.BatchNorm3d(inner)
        self.conv_b = DepthwiseConv3d(inner, stride=stride)
        excitation = SqueezeExcitation(inner) if squeeze else nn.Identity()
        self.norm_b = nn.Sequential(nn.BatchNorm3d(inner), excitation)
        self.conv_c = PointwiseConv3d(inner, channels)
        self.norm_c = nn.BatchNorm3d(channels)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the residual of `x`."""
        x = functional.relu_(self.norm_a(self.conv_a(x)))
        x = functional.silu(self.norm_b(self.conv_b(x)))
        return self.norm_c(self.conv_c(x))


class ResidualBlock(nn.Module):
    """A bottleneck beside a shortcut, which is a convolution where the shape changes."""

    def __init__(
        self, in_channels: int, inner: int, channels: int, *, stride: int, squeeze: bool
    ) -> None:
        super().__init__()
        widens = in_channels != channels
        self.branch1_conv = (
            PointwiseConv3d(in_channels, channels, stride=stride)
            if widens or stride != 1
            else nn.Identity()
        )
        self.branch1_norm = nn.BatchNorm3d(channels) if widens else nn.Identity()
        self.branch2 = Bottleneck(in_channels, inner, channels, stride=stride, squeeze=squeeze)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the sum of shortcut and bottleneck, without its negative part."""
        return functional.relu_(self.branch2(x) + self.branch1_norm(self.branch1_conv(x)))

    def fused(self) -> nn.Module:
        """Return the block in three or four steps."""
        return FusedResidualBlock(self)


class FusedResidualBlock(nn.Module):
    """What a residual block answers in evaluation.

    Args:
        block: Block whose weights are taken.
    """

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        bottleneck = block.branch2
        norm, excitation = bottleneck.norm_b
        self.shortcut: nn.Module = (
            FusedConvolution(block.branch1_conv, block.branch1_norm)
            if isinstance(block.branch1_conv, nn.Conv3d)
            else nn.Identity()
        )
        self.widen = FusedConvolution(bottleneck.conv_a, bottleneck.norm_a, relu=True)
        self.filter = FusedConvolution(bottleneck.conv_b, norm)
        self.excitation = excitation.block if isinstance(excitation, SqueezeExcitation) else None
        self.narrow = FusedConvolution(bottleneck.conv_c, bottleneck.norm_c, relu=True)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the sum of shortcut and bottleneck, without its negative part."""
        y = self.filter(self.widen(x))
        if self.excitation is not None:
            y *= self.excitation(global_mean(y))
        return self.narrow(functional.silu(y, inplace=True), self.shortcut(x))


class Stage(nn.Module):
    """Residual blocks, of which the first halves height and width and every other one squeezes."""

    def __init__(self, in_channels: int, channels: int, *, depth: int) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.inner = int(BOTTLENECK_FACTOR * channels)
        self.channels = channels
        self.res_blocks = nn.Sequential(
            *(
                ResidualBlock(
                    channels if i else in_channels,
                    self.inner,
                    channels,
                    stride=1 if i else 2,
                    squeeze=i % 2 == 0,
                )
                for i in range(depth)
            )
        )

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the features of the stage."""
        return self.res_blocks(x)


class ProjectedPool(nn.Module):
    """Widen, average over frames, rows and columns, widen again."""

    def __init__(self, in_channels: int, inner: int) -> None:
        super().__init__()
        self.pre_conv = PointwiseConv3d(in_channels, inner)
        self.pre_norm = nn.BatchNorm3d(inner)
        self.post_conv = PointwiseConv3d(inner, HEAD_CHANNELS)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2"]:
        """Return one vector a clip, of any length and size."""
        x = functional.relu_(self.pre_norm(self.pre_conv(x)))
        return functional.relu(self.post_conv(global_mean(x))).flatten(1)


class Head(nn.Module):
    """From the features of the last stage to class scores."""

    def __init__(self, in_channels: int, inner: int, *, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.pool = ProjectedPool(in_channels, inner)
        self.dropout = GlobalDropout(dropout)
        self.proj = nn.Linear(HEAD_CHANNELS, n_classes)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b k"]:
        """Return the class scores of each clip."""
        return self.proj(self.dropout(self.pool(x)))


def round_width(channels: float) -> int:
    """Return the multiple of 8 nearest to `channels`, from 8 and never 10 percent below it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def global_mean(x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c 1 1 1"]:
    """Return the mean of each channel over frames, rows and columns."""
    # Not Tensor.mean: its backward pass divides a tensor of the size of x.
    return x.sum((2, 3, 4), keepdim=True) / x.shape[2:].numel()

"""The blocks of 3D ResNets, with the names published state-dicts use."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from attncli.layers.framewise import FramewiseConv3d, max_pool
from attncli.layers.fusion import FusedConvolution
from attncli.layers.global_dropout import GlobalDropout
from attncli.layers.recomputation import recomputed

EXPANSION = 4
"""Channels a bottleneck puts out, over those inside it."""


class Stem(nn.Module):
    """A 7x7 convolution, its normalisation and a 3x3 pooling, each at stride 2."""

    def __init__(self, channels: int, *, checkpoint_gradients: bool) -> None:
        super().__init__()
        self.checkpoint_gradients = checkpoint_gradients
        self.conv = _convolution(3, channels, rows=7, stride=2)
        self.norm = nn.BatchNorm3d(channels)

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hs ws"]:
        """Return features at a quarter of the clip's height and width."""
        if self.checkpoint_gradients:
            return recomputed(self._features, clip, layer=self)
        return self._features(clip)

    def fused(self) -> nn.Module:
        """Return the stem in two steps."""
        return FusedStem(self)

    def _features(self, clip: Tensor) -> Tensor:
        return _pool(functional.relu_(self.norm(self.conv(clip))))


class FusedStem(nn.Module):
    """What a stem answers in evaluation.

    Args:
        stem: Stem whose weights are taken.
    """

    def __init__(self, stem: Stem) -> None:
        super().__init__()
        self.conv = FusedConvolution(stem.conv, stem.norm, relu=True)

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t hs ws"]:
        """Return features at a quarter of the clip's height and width."""
        return _pool(self.conv(clip))


class Bottleneck(nn.Module):
    """Narrow by a convolution over `frames`, filter by a 3x3 one, widen by a 1x1 one."""

    def __init__(self, in_channels: int, channels: int, *, frames: int, stride: int) -> None:
        super().__init__()
        inner = channels // EXPANSION
        self.conv_a = _convolution(in_channels, inner, frames=frames)
        self.norm_a = nn.BatchNorm3d(inner)
        self.conv_b = _convolution(inner, inner, rows=3, stride=stride)
        self.norm_b = nn.BatchNorm3d(inner)
        self.conv_c = _convolution(inner, channels)
        self.norm_c = nn.BatchNorm3d(channels)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the residual of `x`."""
        x = functional.relu_(self.norm_a(self.conv_a(x)))
        x = functional.relu_(self.norm_b(self.conv_b(x)))
        return self.norm_c(self.conv_c(x))

    def fused_steps(self) -> list[FusedConvolution]:
        """Return a step for each convolution; the last one takes the shortcut as its addend."""
        return [
            FusedConvolution(self.conv_a, self.norm_a, relu=True),
            FusedConvolution(self.conv_b, self.norm_b, relu=True),
            FusedConvolution(self.conv_c, self.norm_c, relu=True),
        ]


class Basic(nn.Module):
    """Two 3x3 convolutions, of which the first also spans `frames`."""

    def __init__(self, in_channels: int, channels: int, *, frames: int, stride: int) -> None:
        super().__init__()
        self.conv_a = _convolution(in_channels, channels, frames=frames, rows=3, stride=stride)
        self.norm_a = nn.BatchNorm3d(channels)
        self.conv_b = _convolution(channels, channels, rows=3)
        self.norm_b = nn.BatchNorm3d(channels)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the residual of `x`."""
        return self.norm_b(self.conv_b(functional.relu_(self.norm_a(self.conv_a(x)))))

    def fused_steps(self) -> list[FusedConvolution]:
        """Return a step for each convolution; the last one takes the shortcut as its addend."""
        return [
            FusedConvolution(self.conv_a, self.norm_a, relu=True),
            FusedConvolution(self.conv_b, self.norm_b, relu=True),
        ]


class ResidualBlock(nn.Module):
    """A residual beside a shortcut, which is a convolution where the shape changes."""

    def __init__(
        self, in_channels: int, channels: int, *, is_bottleneck: bool, frames: int, stride: int
    ) -> None:
        super().__init__()
        changes = in_channels != channels or stride != 1
        self.branch1_conv: nn.Module = (
            _convolution(in_channels, channels, stride=stride) if changes else nn.Identity()
        )
        self.branch1_norm = nn.BatchNorm3d(channels) if changes else nn.Identity()
        residual = Bottleneck if is_bottleneck else Basic
        self.branch2 = residual(in_channels, channels, frames=frames, stride=stride)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the sum of shortcut and residual, without its negative part."""
        shortcut = self.branch1_norm(self.branch1_conv(x))
        return functional.relu_(self.branch2(x).add_(shortcut))

    def fused(self) -> nn.Module:
        """Return the block in one step a convolution."""
        return FusedResidualBlock(self)


class FusedResidualBlock(nn.Module):
    """What a residual block answers in evaluation.

    Args:
        block: Block whose weights are taken.
    """

    def __init__(self, block: ResidualBlock) -> None:
        super().__init__()
        self.shortcut: nn.Module = (
            FusedConvolution(block.branch1_conv, block.branch1_norm)
            if isinstance(block.branch1_conv, nn.Conv3d)
            else nn.Identity()
        )
        *first, self.last = block.branch2.fused_steps()
        self.first = nn.Sequential(*first)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the sum of shortcut and residual, without its negative part."""
        return self.last(self.first(x), self.shortcut(x))


class Stage(nn.Module):
    """Residual blocks, of which the first may halve height and width.

    Args:
        in_channels: Channels that come in.
        channels: Channels that go out.
        depth: Number of blocks.
        is_bottleneck: Whether the blocks are bottlenecks or basic ones.
        frames: Frames that the first convolution of each block spans.
        stride: Step of the first block in rows and columns.
        checkpoint_gradients: Whether activations within a block are computed twice, not kept.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        depth: int,
        is_bottleneck: bool,
        frames: int,
        stride: int,
        checkpoint_gradients: bool,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.channels = channels
        self.checkpoint_gradients = checkpoint_gradients
        self.res_blocks = nn.Sequential(
            *(
                ResidualBlock(
                    channels if i else in_channels,
                    channels,
                    is_bottleneck=is_bottleneck,
                    frames=frames,
                    stride=1 if i else stride,
                )
                for i in range(depth)
            )
        )

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t h2 w2"]:
        """Return the features of the stage."""
        for block in self.res_blocks:
            x = recomputed(block, x, layer=block) if self.checkpoint_gradients else block(x)
        return x


class Head(nn.Module):
    """From the features of the last stage to class scores."""

    def __init__(self, channels: int, *, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = GlobalDropout(dropout)
        self.proj = nn.Linear(channels, n_classes)

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b k"]:
        """Return the class scores of each clip, of any length and size."""
        # Not Tensor.mean: its backward pass divides a tensor of the size of x.
        mean = x.sum((2, 3, 4)) / x.shape[2:].numel()
        return self.proj(self.dropout(mean))


def _convolution(
    in_channels: int, channels: int, *, frames: int = 1, rows: int = 1, stride: int = 1
) -> nn.Conv3d:
    """Return a convolution over `frames` x `rows` x `rows` that keeps the number of frames."""
    kind = FramewiseConv3d if frames == 1 else nn.Conv3d
    return kind(
        in_channels,
        channels,
        (frames, rows, rows),
        stride=(1, stride, stride),
        padding=(frames // 2, rows // 2, rows // 2),
        bias=False,
    )


def _pool(x: Tensor) -> Tensor:
    return max_pool(x, 3, stride=2, padding=1)

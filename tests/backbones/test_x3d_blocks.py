"""The network of these blocks is tested with `backbones.x3d`; this is each by itself."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import example, given
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.x3d_blocks import (
    HEAD_CHANNELS,
    Bottleneck,
    Head,
    ProjectedPool,
    ResidualBlock,
    SeparableConvolution,
    SqueezeExcitation,
    Stage,
    Stem,
    global_mean,
    round_width,
)
from tests.support.networks import settle_norms


def normed(x: Tensor, norm: nn.BatchNorm3d) -> Tensor:
    """Return batch normalisation in evaluation as its formula has it."""
    mean, variance, weight, bias = (
        value.view(-1, 1, 1, 1)
        for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / (variance + norm.eps).sqrt() * weight + bias


def settled(module: nn.Module, *shape: int) -> tuple[nn.Module, Tensor]:
    """Return a layer in 64 bits whose normalisations do something, and what goes into it."""
    torch.manual_seed(0)
    x = torch.randn(2, *shape, dtype=torch.float64)
    module = module.double()
    settle_norms(module, x)
    return module.eval(), x


def test_a_separable_convolution_is_one_over_space_then_one_over_time_of_each_channel():
    module = SeparableConvolution(4)
    x = torch.rand(2, 3, 6, 8, 8)
    y = functional.conv3d(x, module.conv_t.weight, stride=(1, 2, 2), padding=(0, 1, 1))
    assert module.conv_xy.weight.shape == (4, 1, 5, 1, 1)
    y = functional.conv3d(y, module.conv_xy.weight, padding=(2, 0, 0), groups=4)
    torch.testing.assert_close(module(x), y)
    assert y.shape == (2, 4, 6, 4, 4)


def test_a_stem_normalises_and_drops_what_is_negative():
    stem, x = settled(Stem(4), 3, 5, 8, 8)
    expected = normed(stem.conv(x), stem.norm)
    assert (expected < 0).any()
    torch.testing.assert_close(stem(x), expected.clamp(min=0))


def test_excitation_scales_channels_by_their_squeezed_means():
    module = SqueezeExcitation(2)
    first, second = module.block[0], module.block[2]
    assert first.weight.shape[:2] == (8, 2)  # a sixteenth of the channels, but at least 8
    for weight in module.parameters():
        weight.data.zero_()
    first.weight.data[0, :, 0, 0, 0] = torch.tensor([1.0, 1.0])
    second.weight.data[:, 0, 0, 0, 0] = torch.tensor([1.0, -1.0])
    second.bias.data = torch.tensor([0.0, 3.0])
    # By hand: the means 2 and 1 make 3, and sigma(3) and sigma(-3 + 3) = 1 / 2 the scales.
    x = torch.tensor([[1.0, 3.0], [0.0, 2.0]]).view(1, 2, 1, 1, 2)
    sigma = 1 / (1 + math.exp(-3))
    expected = torch.tensor([[sigma, 3 * sigma], [0.0, 1.0]]).view(1, 2, 1, 1, 2)
    torch.testing.assert_close(module(x), expected)
    # Means whose sum is negative are squeezed to nothing: sigma(0) and sigma(3) are left.
    expected = torch.tensor([[-0.5, -1.5], [0.0, -2 * sigma]]).view(1, 2, 1, 1, 2)
    torch.testing.assert_close(module(-x), expected)


@pytest.mark.parametrize("squeeze", [False, True])
def test_a_bottleneck_is_wide_in_the_middle_and_filters_each_channel(squeeze):
    module, x = settled(Bottleneck(4, 9, 6, stride=2, squeeze=squeeze), 4, 3, 5, 5)
    y = normed(functional.conv3d(x, module.conv_a.weight), module.norm_a).relu()
    y = functional.conv3d(y, module.conv_b.weight, stride=(1, 2, 2), padding=1, groups=9)
    norm, excitation = module.norm_b
    y = normed(y, norm)
    if squeeze:
        y = y * excitation.block(y.mean((2, 3, 4), keepdim=True))
    y = y * y.sigmoid()
    y = normed(functional.conv3d(y, module.conv_c.weight), module.norm_c)
    torch.testing.assert_close(module(x), y)
    assert y.shape == (2, 6, 3, 3, 3)


def test_a_block_without_residual_is_its_input_without_the_negative_part():
    module = ResidualBlock(4, 9, 4, stride=1, squeeze=True).eval()
    nn.init.zeros_(module.branch2.norm_c.weight)
    x = torch.randn(2, 4, 2, 3, 3)
    before = x.clone()
    torch.testing.assert_close(module(x), before.clamp(min=0))
    assert torch.equal(x, before)


CHANGES = [(4, 4, 1), (4, 4, 2), (4, 6, 1), (4, 6, 2)]
"""Channels that come in and go out, and the stride."""


@pytest.mark.parametrize(("in_channels", "channels", "stride"), CHANGES)
def test_the_shortcut_is_convolved_where_the_shape_changes_and_normed_where_it_widens(
    in_channels, channels, stride
):
    module, x = settled(
        ResidualBlock(in_channels, 9, channels, stride=stride, squeeze=False), in_channels, 2, 4, 4
    )
    shortcut = x
    if stride == 2 or in_channels != channels:
        shortcut = functional.conv3d(x, module.branch1_conv.weight, stride=(1, stride, stride))
    if in_channels != channels:
        shortcut = normed(shortcut, module.branch1_norm)
    assert isinstance(module.branch1_norm, nn.Identity) == (in_channels == channels)
    torch.testing.assert_close(module(x), (shortcut + module.branch2(x)).relu())


@pytest.mark.parametrize("squeeze", [False, True])
@pytest.mark.parametrize(("in_channels", "channels", "stride"), CHANGES)
def test_a_fused_block_answers_the_same(in_channels, channels, stride, squeeze):
    module, x = settled(
        ResidualBlock(in_channels, 9, channels, stride=stride, squeeze=squeeze),
        in_channels,
        *(3, 4, 4),
    )
    before = x.float()
    with torch.no_grad():
        expected = module.float()(before)
        found = module.fused()(before)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(before, x.float())


def test_a_fused_stem_answers_the_same():
    stem, x = settled(Stem(4), 3, 5, 8, 8)
    with torch.no_grad():
        expected, found = stem.float()(x.float()), stem.fused()(x.float())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_gradients_of_a_block_are_those_of_differences():
    module, x = settled(ResidualBlock(2, 4, 3, stride=2, squeeze=True), 2, 2, 3, 3)
    assert torch.autograd.gradcheck(module, x[:1].requires_grad_())


def test_a_stage_halves_once_and_squeezes_in_every_other_block():
    stage = Stage(4, 10, depth=5)
    assert stage.inner == 22  # of 2.25 * 10
    assert stage(torch.rand(2, 4, 2, 8, 8)).shape == (2, 10, 2, 4, 4)
    squeezes = [isinstance(b.branch2.norm_b[1], SqueezeExcitation) for b in stage.res_blocks]
    assert squeezes == [True, False, True, False, True]
    strides = [block.branch2.conv_b.stride for block in stage.res_blocks]
    assert strides == [(1, 2, 2), *[(1, 1, 1)] * 4]


def test_a_pool_widens_averages_and_widens_again():
    pool, x = settled(ProjectedPool(3, 5), 3, 2, 4, 4)
    y = normed(functional.conv3d(x, pool.pre_conv.weight), pool.pre_norm).relu().mean((2, 3, 4))
    expected = (y @ pool.post_conv.weight[:, :, 0, 0, 0].T).relu()
    assert expected.shape == (2, HEAD_CHANNELS)
    torch.testing.assert_close(pool(x), expected)


def test_a_head_answers_on_a_clip_as_on_the_same_clip_twice():
    head, x = settled(Head(3, 5, n_classes=4, dropout=0.5), 3, 2, 4, 4)
    scores = head(x)
    assert scores.shape == (2, 4)
    torch.testing.assert_close(scores, head.proj(head.pool(x)))
    torch.testing.assert_close(head(x.repeat(1, 1, 2, 3, 1)), scores)


def test_the_mean_of_a_channel_and_its_gradient_are_those_by_hand():
    x = torch.tensor([1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 0.0, 0.0]).view(1, 1, 2, 2, 2)
    x.requires_grad_()
    mean = global_mean(x)
    assert (mean.shape, mean.item()) == ((1, 1, 1, 1, 1), 1.5)
    mean.backward()
    assert x.grad.unique().tolist() == [1 / 8]


@given(st.floats(0.01, 4096))
@example(12.0)  # as near to 8 as to 16
def test_a_rounded_width_is_the_nearest_multiple_of_8_that_is_not_too_small(channels):
    # The naive way: of all multiples from 8 that keep 90 percent, the nearest, and the larger one
    # of two that are as near.
    allowed = [n for n in range(8, 4200, 8) if n >= 0.9 * channels]
    assert round_width(channels) == min(allowed, key=lambda n: (abs(n - channels), -n))

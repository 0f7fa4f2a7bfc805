"""The network of these blocks is tested with `backbones.resnet3d`; this is each by itself."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.resnet3d_blocks import (
    EXPANSION,
    Basic,
    Bottleneck,
    Head,
    ResidualBlock,
    Stage,
    Stem,
)
from tests.support.networks import settle_norms


def normed(x: Tensor, norm: nn.BatchNorm3d) -> Tensor:
    """Return batch normalisation in evaluation as its formula has it."""
    mean, variance, weight, bias = (
        value.view(-1, 1, 1, 1)
        for value in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / (variance + norm.eps).sqrt() * weight + bias


def block(in_channels: int = 8, channels: int = 8, **options) -> ResidualBlock:
    options = {"is_bottleneck": True, "frames": 1, "stride": 1, **options}
    return ResidualBlock(in_channels, channels, **options)


def settled(module: nn.Module, *shape: int) -> tuple[nn.Module, Tensor]:
    """Return a layer in 64 bits whose normalisations do something, and what goes into it."""
    torch.manual_seed(0)
    x = torch.randn(2, *shape, dtype=torch.float64)
    module = module.double()
    settle_norms(module, x)
    return module.eval(), x


def test_a_stem_lights_a_quarter_of_the_grid_around_one_lit_pixel():
    stem = Stem(1, checkpoint_gradients=False).eval()
    stem.conv.weight.data.zero_()
    stem.conv.weight.data[0, 0, 0, 3, 3] = 1  # the middle of the kernel
    stem.norm.running_var.fill_(1 - stem.norm.eps)
    clip = torch.zeros(1, 3, 1, 16, 16)
    clip[0, 0, 0, 4, 8] = 5
    # At stride 2 it is cell (2, 4) of 8x8, which windows of 3 at stride 2 find from rows 1 and
    # column 2 alone: 2 r - 1 <= 2 <= 2 r + 1 and 2 c - 1 <= 4 <= 2 c + 1.
    found = stem(clip)[0, 0, 0]
    assert found.shape == (4, 4)
    assert found.nonzero().tolist() == [[1, 2]]
    assert found[1, 2].item() == pytest.approx(5, rel=1e-5)


def test_a_stem_drops_what_is_negative_and_sees_one_frame():
    stem, x = settled(Stem(4, checkpoint_gradients=False), 3, 3, 16, 16)
    found = stem(x)
    assert (found >= 0).all()
    assert found.eq(0).any()
    for t in range(3):
        torch.testing.assert_close(stem(x[:, :, t : t + 1]), found[:, :, t : t + 1])


@pytest.mark.parametrize("frames", [1, 3])
def test_a_bottleneck_is_three_convolutions_of_a_quarter_of_the_channels(frames):
    module, x = settled(Bottleneck(6, 8, frames=frames, stride=2), 6, 4, 5, 5)
    assert module.conv_a.weight.shape == (8 // EXPANSION, 6, frames, 1, 1)
    y = functional.conv3d(x, module.conv_a.weight, padding=(frames // 2, 0, 0))
    y = normed(y, module.norm_a).relu()
    y = functional.conv3d(y, module.conv_b.weight, stride=(1, 2, 2), padding=(0, 1, 1))
    y = normed(y, module.norm_b).relu()
    y = normed(functional.conv3d(y, module.conv_c.weight), module.norm_c)
    torch.testing.assert_close(module(x), y)
    assert y.shape == (2, 8, 4, 3, 3)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_basic_residual_is_two_convolutions_of_which_the_first_spans_frames(frames):
    module, x = settled(Basic(3, 4, frames=frames, stride=2), 3, 4, 5, 5)
    y = functional.conv3d(x, module.conv_a.weight, stride=(1, 2, 2), padding=(frames // 2, 1, 1))
    y = normed(y, module.norm_a).relu()
    y = functional.conv3d(y, module.conv_b.weight, padding=(0, 1, 1))
    torch.testing.assert_close(module(x), normed(y, module.norm_b))


@pytest.mark.parametrize("is_bottleneck", [False, True])
def test_a_block_without_residual_is_its_input_without_the_negative_part(is_bottleneck):
    module = block(is_bottleneck=is_bottleneck).eval()
    last = module.branch2.norm_c if is_bottleneck else module.branch2.norm_b
    nn.init.zeros_(last.weight)
    x = torch.randn(2, 8, 2, 3, 3)
    before = x.clone()
    torch.testing.assert_close(module(x), before.clamp(min=0))
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("in_channels", "stride", "is_learned"), [(8, 1, False), (4, 1, True), (8, 2, True)]
)
def test_the_shortcut_is_learned_where_the_shape_changes(in_channels, stride, is_learned):
    module, x = settled(block(in_channels, 8, stride=stride), in_channels, 2, 4, 4)
    assert isinstance(module.branch1_conv, nn.Conv3d) == is_learned
    shortcut = x
    if is_learned:
        shortcut = functional.conv3d(x, module.branch1_conv.weight, stride=(1, stride, stride))
        shortcut = normed(shortcut, module.branch1_norm)
    torch.testing.assert_close(module(x), (shortcut + module.branch2(x)).relu())


@pytest.mark.parametrize("is_bottleneck", [False, True])
def test_a_fused_block_answers_the_same_and_leaves_its_input_alone(is_bottleneck):
    module, x = settled(block(is_bottleneck=is_bottleneck, frames=3), 8, 3, 4, 4)
    before = x.clone()
    with torch.no_grad():
        expected = module.float()(x.float())
        found = module.fused()(x.float())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(x, before)


def test_gradients_of_basic_blocks_are_those_of_differences():
    module, x = settled(block(2, 4, is_bottleneck=False, frames=3, stride=2), 2, 2, 3, 3)
    assert torch.autograd.gradcheck(module, x[:1].requires_grad_())


@pytest.mark.parametrize("checkpoint_gradients", [False, True])
def test_only_the_first_block_of_a_stage_changes_the_shape(checkpoint_gradients):
    stage = Stage(
        4,
        8,
        depth=3,
        is_bottleneck=True,
        frames=3,
        stride=2,
        checkpoint_gradients=checkpoint_gradients,
    ).eval()
    x = torch.rand(1, 4, 2, 8, 8)
    assert [isinstance(b.branch1_conv, nn.Conv3d) for b in stage.res_blocks] == [True, False, False]
    first, second, third = stage.res_blocks
    found = stage(x)
    assert found.shape == (1, 8, 2, 4, 4)
    torch.testing.assert_close(found, third(second(first(x))))


def test_a_head_classifies_the_mean_over_frames_rows_and_columns():
    head = Head(2, n_classes=2, dropout=0.5).eval()
    head.proj.weight.data = torch.tensor([[1.0, 0.0], [2.0, -1.0]])
    head.proj.bias.data = torch.tensor([0.0, 0.5])
    # Channels of 8 cells whose sums are 28 and 8: means 3.5 and 1.
    x = torch.stack([torch.arange(8.0), torch.ones(8)]).view(1, 2, 2, 2, 2)
    torch.testing.assert_close(head(x), torch.tensor([[3.5, 6.5]]))
    torch.testing.assert_close(head(x.repeat(1, 1, 3, 1, 2)), head(x))


def test_a_head_drops_features_in_training_alone():
    head = Head(64, n_classes=64, dropout=0.5).train()
    head.proj.weight.data = torch.eye(64)
    head.proj.bias.data.zero_()
    torch.manual_seed(0)
    assert set(head(torch.ones(1, 64, 1, 2, 2)).flatten().tolist()) == {0.0, 2.0}
    assert set(head.eval()(torch.ones(1, 64, 1, 2, 2)).flatten().tolist()) == {1.0}

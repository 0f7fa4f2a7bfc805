import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from attncli.methods.ssdd.layers import Bottleneck, ConvNormReLU, ReflectedConv, reflected, start


def values(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 14))
def test_reflections_are_those_of_numpy(height, width, padding):
    x = values(2, 3, height, width)
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    expected = np.pad(x.numpy(), around, mode="reflect")
    assert np.array_equal(reflected(x, padding).numpy(), expected)


@pytest.mark.parametrize("dilation", [1, 3])
def test_within_the_grid_a_reflected_convolution_is_torchs(dilation):
    torch.manual_seed(0)
    conv = ReflectedConv(2, 3, 3, dilation=dilation, bias=True).double()
    x = values(2, 2, 9, 8)
    padded = functional.pad(x, [dilation] * 4, mode="reflect")
    expected = functional.conv2d(padded, conv.weight, conv.bias, dilation=dilation)
    torch.testing.assert_close(conv(x), expected, rtol=0, atol=1e-14)


def test_a_single_cell_is_seen_all_around():
    conv = ReflectedConv(1, 1, 3, dilation=12)
    conv.weight.data = torch.arange(9.0).view(1, 1, 3, 3)
    assert conv(torch.full((1, 1, 1, 1), 2.0)).item() == 2 * 36


def test_gradients_of_reflections_are_right():
    x = values(1, 1, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: reflected(y, 4) ** 2, x)


def test_a_new_norm_that_is_frozen_divides_by_the_root_of_1_001():
    layer = ConvNormReLU(1, 1, 1).eval()
    layer.conv.weight.data.fill_(1.0)
    got = layer(torch.tensor([[[[-1.0, 2.0]]]])).flatten().tolist()
    assert got == pytest.approx([0.0, 2 / math.sqrt(1.001)], rel=1e-6)


def test_a_bottleneck_adds_to_a_projection_of_its_input():
    block = Bottleneck(3, 2).eval()
    x = torch.randn(1, 3, 4, 5)
    block.widen.weight.data.zero_()
    expected = functional.relu(functional.conv2d(x, block.project.weight) / math.sqrt(1.001))
    torch.testing.assert_close(block(x), expected)
    # Of one-by-one kernels but the one that looks around: a cell depends on its eight neighbours.
    block = Bottleneck(3, 2).eval()
    x.requires_grad_()
    reached = torch.autograd.grad(block(x)[..., 0, 0].sum(), x)[0].abs().sum(1)[0] > 0
    assert not reached[2:].any()
    assert not reached[:, 2:].any()


def test_weights_start_with_the_deviation_that_keeps_rectified_values():
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Conv2d(64, 128, 3), nn.BatchNorm2d(128))
    start(layer)
    assert layer[0].weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    assert not layer[0].bias.any()

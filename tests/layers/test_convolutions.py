import pytest
import torch
from torch import nn
from torch.func import functional_call

from attncli.layers.convolutions import DepthwiseConv3d, PointwiseConv3d, TemporalConv3d

LAYERS = {
    "pointwise": lambda: PointwiseConv3d(3, 4),
    "pointwise at stride 2, with bias": lambda: PointwiseConv3d(3, 4, stride=2, bias=True),
    "temporal": lambda: TemporalConv3d(3, 5),
    "depthwise": lambda: DepthwiseConv3d(3),
    "depthwise at stride 2": lambda: DepthwiseConv3d(3, stride=2),
}


@pytest.fixture(params=LAYERS)
def layer(request: pytest.FixtureRequest) -> nn.Conv3d:
    torch.manual_seed(0)
    return LAYERS[request.param]().double()


def clips(frames: int = 4, rows: int = 5, columns: int = 6, *, clips: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (clips, 3, frames, rows, columns)
    x = torch.randn(shape, dtype=torch.float64, generator=generator)
    return x.contiguous(memory_format=torch.channels_last_3d).requires_grad_()


def gradients(layer: nn.Conv3d, x: torch.Tensor, forward) -> list[torch.Tensor]:
    y = forward(x)
    generator = torch.Generator().manual_seed(2)
    direction = torch.randn(y.shape, dtype=torch.float64, generator=generator).to(y)
    return list(torch.autograd.grad((y * direction).sum(), (x, *layer.parameters())))


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("rows", [5, 6])
def test_the_result_is_that_of_the_convolution_it_is(layer, frames, rows):
    x = clips(frames, rows)
    torch.testing.assert_close(layer(x), nn.Conv3d.forward(layer, x))


@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("rows", [5, 6])
def test_the_gradients_are_those_of_the_convolution_it_is(layer, frames, rows):
    x = clips(frames, rows)
    ours = gradients(layer, x, layer)
    for got, expected in zip(
        ours, gradients(layer, x, lambda x: nn.Conv3d.forward(layer, x)), strict=True
    ):
        torch.testing.assert_close(got, expected)


def test_the_gradients_agree_with_finite_differences(layer):
    names = list(dict(layer.named_parameters()))

    def forward(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(forward, (clips(3, 4, 4), *layer.parameters()))


def test_memory_stays_channels_last(layer):
    y = layer.float()(clips().float())
    assert y.is_contiguous(memory_format=torch.channels_last_3d)


def test_memory_in_any_order_gives_the_same_gradients(layer):
    x = clips()
    scattered = x.detach().contiguous().requires_grad_()
    for got, expected in zip(
        gradients(layer, scattered, layer), gradients(layer, x, layer), strict=True
    ):
        torch.testing.assert_close(got, expected)


def test_no_clips_give_gradients_of_zero(layer):
    x = clips(clips=0)
    for gradient in gradients(layer, x, layer):
        assert not gradient.any()


def test_single_precision_gradients_of_the_fast_kernels_are_right(layer):
    x = clips(8, 14, 14)
    expected = gradients(layer, x, lambda x: nn.Conv3d.forward(layer, x))
    got = gradients(layer.float(), x.detach().float().requires_grad_(), layer)
    for ours, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours, theirs.float(), rtol=1e-4, atol=1e-4)


def test_autocast_computes_in_16_bits_and_keeps_gradients_in_32():
    layer = DepthwiseConv3d(3)
    x = clips().detach().float().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
    y.float().sum().backward()
    assert y.dtype == torch.bfloat16
    assert layer.weight.grad.dtype == x.grad.dtype == torch.float32


def test_keys_are_those_of_the_convolution_it_is(layer):
    bias = {"bias"} if layer.bias is not None else set()
    assert set(layer.state_dict()) == {"weight"} | bias

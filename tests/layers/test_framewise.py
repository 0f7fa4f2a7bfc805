import pytest
import torch
from torch import nn
from torch.nn import functional

from attncli.layers.framewise import FramewiseConv3d, max_pool

CONVOLUTIONS = {
    "1x1": {"kernel_size": 1},
    "1x1 at stride 2": {"kernel_size": 1, "stride": (1, 2, 2)},
    "3x3": {"kernel_size": (1, 3, 3), "padding": (0, 1, 1), "bias": False},
    "3x3 at stride 2": {"kernel_size": (1, 3, 3), "padding": (0, 1, 1), "stride": (1, 2, 2)},
    "3x3 in groups, spread out": {"kernel_size": (1, 3, 3), "dilation": (1, 2, 2), "groups": 2},
}


@pytest.fixture(params=CONVOLUTIONS)
def layer(request: pytest.FixtureRequest) -> FramewiseConv3d:
    torch.manual_seed(0)
    return FramewiseConv3d(4, 6, **CONVOLUTIONS[request.param]).double()


def clips(n_clips: int = 2, n_frames: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((n_clips, 4, n_frames, 7, 6), dtype=torch.float64, generator=generator)
    return x.contiguous(memory_format=torch.channels_last_3d).requires_grad_()


def gradients(layer: nn.Module, y: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(y.sin().sum(), (x, *layer.parameters()))


@pytest.mark.parametrize("n_frames", [1, 3])
def test_result_and_gradients_are_those_of_the_convolution_it_is(layer, n_frames):
    x = clips(n_frames=n_frames)
    ours, theirs = layer(x), nn.Conv3d.forward(layer, x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(layer, ours, x), gradients(layer, theirs, x))


def test_memory_stays_channels_last(layer):
    y = layer.float().to(memory_format=torch.channels_last_3d)(clips().float())
    assert y.is_contiguous(memory_format=torch.channels_last_3d)


def test_memory_in_any_order_will_do(layer):
    x = clips()
    torch.testing.assert_close(layer(x.detach().contiguous()), layer(x))


def test_a_stride_set_later_counts(layer):
    layer.stride = (1, 3, 3)
    torch.testing.assert_close(layer(clips()), nn.Conv3d.forward(layer, clips()))


def test_no_clips_give_gradients_of_zero(layer):
    x = clips(n_clips=0)
    for gradient in gradients(layer, layer(x), x):
        assert not gradient.any()


@pytest.mark.parametrize("n_clips", [0, 2])
def test_pooling_is_that_of_three_axes_over_one_frame(n_clips):
    x = clips(n_clips)
    expected = functional.max_pool3d(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
    assert torch.equal(max_pool(x, 3, stride=2, padding=1), expected)

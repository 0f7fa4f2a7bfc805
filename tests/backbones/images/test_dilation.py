import pytest
import torch
from torch import nn

from attncli.backbones.images.dilation import dilate_stage


def stage() -> nn.Sequential:
    """Return a stage that halves the grid by a 3x3 convolution after a 1x1 one."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 1),
        nn.Conv2d(3, 3, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(3, 2, (3, 5), padding=(1, 2)),
    )


@pytest.mark.parametrize("size", [(12, 12), (13, 9), (7, 16)])
def test_two_dilated_stages_answer_on_the_finer_grid_what_they_did(size):
    network = nn.Sequential(stage(), stage())
    x = torch.randn(2, 2, *size)
    with torch.no_grad():
        expected = network(x)
        assert dilate_stage(network[0], 1) == 2
        assert dilate_stage(network[1], 2) == 4
        got = network(x)
    assert got.shape[2:] == size
    torch.testing.assert_close(got[..., ::4, ::4], expected, rtol=1e-4, atol=1e-5)


def test_only_what_comes_after_the_halving_is_dilated_more():
    layers = stage()
    dilate_stage(layers, 2)
    assert [layers[i].dilation for i in (1, 3)] == [(2, 2), (4, 4)]

import pytest
import torch
from torch import nn

from attncli.layers.fusion import FusedConvolution, fuse_for_inference
from attncli.layers.normalized_convolution import NormalizedConvolution


@pytest.mark.parametrize("relu", [True, False])
def test_it_is_a_convolution_and_its_norm_fused_or_not(relu: bool) -> None:
    torch.manual_seed(0)
    layer = NormalizedConvolution(nn.Conv3d(3, 4, 3, padding=1, bias=False), relu=relu)
    layer.norm.running_mean.normal_()
    layer.norm.running_var.uniform_(0.5, 2)
    model = nn.Sequential(layer).eval()
    x = torch.randn(2, 3, 4, 5, 6)
    with torch.no_grad():
        expected = layer.norm(layer.conv(x))
        expected = expected.clamp(min=0) if relu else expected
        torch.testing.assert_close(model(x), expected)
        torch.testing.assert_close(fuse_for_inference(model)(x), expected)
    assert expected.min() == 0 if relu else expected.min() < 0
    assert isinstance(fuse_for_inference(model)[0], FusedConvolution)

import pytest
import torch
from torch import nn
from torch.nn import functional

from attncli.layers import fusion
from attncli.layers.fusion import FusedConvolution, fold_norm_before, fuse_for_inference


def convolution_and_norm(**options) -> tuple[nn.Conv3d, nn.BatchNorm3d]:
    torch.manual_seed(0)
    convolution, norm = nn.Conv3d(4, 6, 1, **options).eval(), nn.BatchNorm3d(6).eval()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return convolution, norm


@pytest.fixture(params=["one step", "step by step"])
def kernels(request, monkeypatch):
    if request.param == "step by step":
        monkeypatch.setattr(fusion, "_onednn_fuses", lambda: False)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("adds", [True, False])
def test_a_fused_convolution_is_convolution_norm_sum_and_rectification(kernels, bias, relu, adds):
    convolution, norm = convolution_and_norm(bias=bias, stride=(1, 2, 2))
    x, addend = torch.randn(2, 4, 3, 5, 6), torch.randn(2, 6, 3, 3, 3)
    expected = norm(convolution(x)) + (addend if adds else 0)
    expected = functional.relu(expected) if relu else expected
    before = addend.clone()
    with torch.no_grad():
        got = FusedConvolution(convolution, norm, relu=relu)(x, addend if adds else None)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(addend, before)


def test_a_convolution_without_norm_keeps_its_weights():
    convolution, _ = convolution_and_norm()
    x = torch.randn(1, 4, 2, 3, 3)
    with torch.no_grad():
        torch.testing.assert_close(FusedConvolution(convolution, nn.Identity())(x), convolution(x))


@pytest.mark.parametrize("bias", [True, False])
def test_a_norm_folds_into_the_convolution_after_it(bias):
    _, norm = convolution_and_norm()
    convolution = nn.Conv3d(6, 5, (2, 1, 1), bias=bias)
    before = convolution.weight.detach().clone()
    x = torch.randn(2, 6, 3, 4, 4)
    with torch.no_grad():
        torch.testing.assert_close(fold_norm_before(norm, convolution)(x), convolution(norm(x)))
    assert torch.equal(convolution.weight, before)


def test_autocast_is_obeyed():
    convolution, norm = convolution_and_norm()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert (
            FusedConvolution(convolution, norm)(torch.randn(1, 4, 2, 3, 3)).dtype == torch.bfloat16
        )


def test_a_network_with_nothing_to_fuse_answers_the_same_and_stays_as_it_was():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()
    fused = fuse_for_inference(model)
    x = torch.randn(2, 3)
    assert model.training
    assert not fused.training
    torch.testing.assert_close(fused(x), model[0](x))

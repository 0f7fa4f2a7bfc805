import random

import pytest
import torch
import torchvision
from jaxtyping import TypeCheckError
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from attncli.errors import AttncliError
from attncli.layers import fusion
from attncli.layers.convolutions import DepthwiseConv3d, PointwiseConv3d, TemporalConv3d
from attncli.layers.framewise import FramewiseConv3d
from attncli.layers.fusion import FusedConvolution, fold_norm_before, fuse_for_inference
from attncli.layers.normalized_convolution import NormalizedConvolution
from attncli.layers.synchronized_norm import SynchronizedBatchNorm

NORMS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def random_norm(norm: nn.Module) -> nn.Module:
    """Return the norm, in evaluation, with weights and statistics drawn."""
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm.eval()


def random_convolution(seed: int, axes: int, **fixed) -> nn.Module:
    """Return a convolution of settings drawn, so that one of three axes differs from the others."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    settings = {
        "kernel_size": tuple(draw.randint(1, 3) for _ in range(axes)),
        "stride": tuple(draw.randint(1, 2) for _ in range(axes)),
        "dilation": tuple(draw.randint(1, 3) for _ in range(axes)),
        "padding": tuple(draw.randint(0, 2) for _ in range(axes)),
        "groups": draw.choice([1, 2, 4]),
        "bias": draw.random() < 0.5,
    } | fixed
    return {2: nn.Conv2d, 3: nn.Conv3d}[axes](4, 8, **settings).eval()


def random_input(axes: int, channels: int = 4) -> torch.Tensor:
    return torch.randn(2, channels, *(9, 8, 7)[:axes])


@pytest.fixture(params=["one step", "step by step"])
def kernels(request, monkeypatch):
    if request.param == "step by step":
        monkeypatch.setattr(fusion, "_onednn_fuses", lambda: False)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("axes", [2, 3])
def test_any_convolution_norm_sum_and_rectification_answer_the_same_in_one_step(
    kernels, axes, seed
):
    convolution = random_convolution(seed, axes)
    draw = random.Random(seed + 1000)
    norm = random_norm(NORMS[axes](8, affine=draw.random() < 0.8))
    norm = norm if draw.random() < 0.7 else nn.Identity()
    relu, adds = draw.random() < 0.5, draw.random() < 0.5
    x = random_input(axes)
    with torch.no_grad():
        expected = norm(convolution(x))
        addend = torch.randn_like(expected) if adds else None
        before = None if addend is None else addend.clone()
        expected = expected if addend is None else expected + addend
        expected = functional.relu(expected) if relu else expected
        got = FusedConvolution(convolution, norm, relu=relu)(x, addend)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert addend is None or torch.equal(addend, before)


def test_dilation_is_kept():
    convolution = nn.Conv2d(1, 1, 3, dilation=2, padding=1)  # 12 - 2 * 2 + 2 * 1
    with torch.no_grad():
        got = FusedConvolution(convolution, nn.Identity())(torch.ones(1, 1, 12, 12))
    assert got.shape == (1, 1, 10, 10)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {"padding": "same", "stride": 1, "kernel_size": 3, "dilation": 2},
        {"padding": "valid", "kernel_size": 2},
    ],
)
def test_padding_by_name_is_kept(kernels, axes, settings):
    convolution, x = random_convolution(0, axes, **settings), random_input(axes)
    with torch.no_grad():
        torch.testing.assert_close(
            FusedConvolution(convolution, nn.Identity())(x), convolution(x), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    "convolution",
    [
        PointwiseConv3d(4, 6, stride=2),
        TemporalConv3d(4, 5),
        DepthwiseConv3d(4, stride=2),
        FramewiseConv3d(4, 6, (1, 3, 3), stride=(1, 2, 2), padding=(0, 2, 2), dilation=(1, 2, 2)),
    ],
)
def test_convolutions_of_our_own_answer_the_same(kernels, convolution):
    norm = random_norm(nn.BatchNorm3d(convolution.out_channels))
    x = random_input(3)
    with torch.no_grad():
        got = FusedConvolution(convolution, norm)(x)
        torch.testing.assert_close(got, norm(convolution(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [SynchronizedBatchNorm, nn.SyncBatchNorm])
def test_synchronised_norms_fuse_as_any(kernels, kind):
    norm, convolution = random_norm(kind(8)), random_convolution(1, 2)
    x = random_input(2)
    with torch.no_grad():
        got = FusedConvolution(convolution, norm)(x)
        torch.testing.assert_close(got, norm(convolution(x)), rtol=1e-4, atol=1e-5)


class PaddedConvolution(nn.Conv2d):
    """A convolution that does something else besides, as timm's `Conv2dSame`."""

    def forward(self, x):
        return super().forward(functional.pad(x, (0, 1, 0, 1)))


class ActivatedNorm(nn.BatchNorm2d):
    """A norm that activates, as timm's `BatchNormAct2d`."""

    def forward(self, x):
        return functional.relu(super().forward(x))


def hooked(layer: nn.Module) -> nn.Module:
    layer.register_forward_hook(lambda layer, x, y: 2 * y)
    return layer


NOT_UNDERSTOOD = {
    "other padding": (nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(8)),
    "uneven padding": (nn.Conv2d(4, 8, 2, padding="same"), nn.BatchNorm2d(8)),
    "pads by itself": (PaddedConvolution(4, 8, 3), nn.BatchNorm2d(8)),
    "weight norm": (parametrizations.weight_norm(nn.Conv2d(4, 8, 3)), nn.BatchNorm2d(8)),
    "hook": (hooked(nn.Conv2d(4, 8, 3)), nn.BatchNorm2d(8)),
    "hook on the norm": (nn.Conv2d(4, 8, 3), hooked(nn.BatchNorm2d(8))),
    "activates": (nn.Conv2d(4, 8, 3), ActivatedNorm(8)),
    "other norm": (nn.Conv2d(4, 8, 3), nn.GroupNorm(2, 8)),
    "instance norm": (nn.Conv2d(4, 8, 3), nn.InstanceNorm2d(8, track_running_stats=True)),
    "no statistics": (nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8, track_running_stats=False)),
}


@pytest.mark.parametrize("layers", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_what_one_step_cannot_do_is_refused(layers):
    convolution, norm = layers
    with pytest.raises(AttncliError, match="cannot be fused, as "):
        FusedConvolution(convolution, norm)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("axes", [2, 3])
def test_a_norm_folds_into_the_convolution_after_it(axes, seed):
    convolution = random_convolution(seed, axes, padding=0, dilation=1)
    norm = random_norm(NORMS[axes](4, affine=seed % 4 > 0))
    before = convolution.weight.detach().clone()
    x = random_input(axes)
    with torch.no_grad():
        folded = fold_norm_before(norm, convolution)
        torch.testing.assert_close(folded(x), convolution(norm(x)), rtol=1e-4, atol=1e-5)
    assert torch.equal(convolution.weight, before)


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(4)),
        (nn.Conv2d(4, 8, 3), ActivatedNorm(4)),
        (nn.Conv2d(4, 8, 3), nn.BatchNorm2d(4, track_running_stats=False)),
    ],
    ids=["padding", "activates", "no statistics"],
)
def test_what_does_not_fold_is_refused(layers):
    convolution, norm = layers
    with pytest.raises(AttncliError, match="cannot be fused, as "):
        fold_norm_before(norm, convolution)


@pytest.mark.parametrize("convolution", [nn.ConvTranspose2d(4, 4, 3), nn.Conv1d(4, 4, 3)])
def test_other_convolutions_are_refused(convolution):
    refusal = (
        AttncliError,
        TypeCheckError,
    )  # the latter of the annotations, where they are checked
    with pytest.raises(refusal):
        FusedConvolution(convolution, nn.Identity())
    with pytest.raises(refusal):
        fold_norm_before(nn.BatchNorm2d(4), convolution)


def test_autocast_is_obeyed():
    convolution, norm = random_convolution(0, 3), nn.BatchNorm3d(8).eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert FusedConvolution(convolution, norm)(random_input(3)).dtype == torch.bfloat16


def test_a_network_with_nothing_to_fuse_answers_the_same_and_stays_as_it_was():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()
    fused = fuse_for_inference(model)
    x = torch.randn(2, 3)
    assert model.training
    assert not fused.training
    torch.testing.assert_close(fused(x), model[0](x))


def test_layers_that_fuse_do_so_beside_layers_that_stay():
    torch.manual_seed(0)
    block = NormalizedConvolution(nn.Conv3d(4, 4, 3, dilation=2, padding=2), relu=True)
    random_norm(block.norm)
    model = nn.Sequential(block, nn.ConvTranspose3d(4, 2, 2, stride=2), nn.BatchNorm3d(2)).eval()
    fused = fuse_for_inference(model)
    assert isinstance(fused[0], FusedConvolution)
    assert [type(layer) for layer in fused[1:]] == [nn.ConvTranspose3d, nn.BatchNorm3d]
    x = random_input(3)
    with torch.no_grad():
        torch.testing.assert_close(fused(x), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "shufflenet_v2_x0_5"])
def test_a_network_for_images_answers_the_same(name):
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None, num_classes=5)
    x = torch.randn(2, 3, 64, 64)
    model(x)  # moves the running statistics
    fused = fuse_for_inference(model)
    assert model.training
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(fused(x), model(x))

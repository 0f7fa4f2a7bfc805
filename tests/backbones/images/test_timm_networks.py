import sys

import pytest
import torch

from attncli.backbones.images.build import build_backbone
from attncli.backbones.images.timm_networks import import_timm
from attncli.errors import AttncliError, MissingDependencyError, UsageError

timm = pytest.importorskip("timm")


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (1, 3, 75, 98), dtype=torch.uint8, generator=generator)


def weights_of(name: str, path) -> str:
    """Write weights drawn of one of timm's networks, and return where."""
    torch.manual_seed(3)
    model = timm.create_model(name)
    with torch.no_grad():
        model(torch.randn(4, 3, 64, 64))  # moves the running statistics
    torch.save(model.state_dict(), path)
    return str(path)


@pytest.mark.parametrize("output_stride", [8, 32])
def test_resnet_answers_as_that_of_torchvision(tmp_path, output_stride):
    weights = weights_of("resnet18", tmp_path / "a.pt")
    ours, theirs = (
        build_backbone(name, output_stride=output_stride, weights=weights).eval()
        for name in ("resnet18", "timm:resnet18")
    )
    assert (
        ours.channels
        == theirs.channels
        == {
            "conv2": 64,
            "conv3": 128,
            "conv4": 256,
            "conv5": 512,
        }
    )
    with torch.no_grad():
        expected, got = ours.features(images()), theirs.features(images())
    for role, value in expected.items():
        torch.testing.assert_close(got[role], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["test_convnext", "mobilenetv3_small_050"])
def test_a_file_fills_the_network_whatever_its_features_are_called(tmp_path, name):
    weights = weights_of(name, tmp_path / "a.pt")
    backbone = build_backbone(f"timm:{name}", weights=weights).eval()
    whole = timm.create_model(name).eval()
    whole.load_state_dict(torch.load(weights, weights_only=True))
    normalised = backbone.normalize(images())
    with torch.no_grad():
        _, expected = whole.forward_intermediates(normalised, indices=4)
        features = backbone.features(images())
    for value, other in zip(features.values(), expected[-4:], strict=True):
        torch.testing.assert_close(value, other, rtol=1e-4, atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path):
    weights = weights_of("test_resnet", tmp_path / "a.pt")
    with pytest.raises(AttncliError, match=r"a\.pt: the weights are of another architecture"):
        build_backbone("timm:test_convnext", weights=weights)


@pytest.mark.parametrize(
    ("name", "output_stride", "problem"),
    [
        ("resnet81", 32, "no such network of timm: 'resnet81'; did you mean .*resnet18"),
        ("vit_tiny_patch16_224", 32, "takes images of one size only"),
        ("convmixer_768_32", 32, "no features at strides 4, 8, 16 and 32"),
        ("vgg11", 8, "cannot be dilated to a stride of 8"),
    ],
)
def test_networks_without_the_roles_are_refused(name, output_stride, problem):
    with pytest.raises(UsageError, match=problem):
        build_backbone(f"timm:{name}", weights="none", output_stride=output_stride)


def test_published_weights_that_cannot_be_fetched_are_one_error(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("the hub cannot be reached")

    monkeypatch.setattr("timm.models._builder.load_pretrained", unreachable)
    with pytest.raises(AttncliError, match=r"hub cannot be reached.*pass --weights FILE"):
        build_backbone("timm:test_resnet", weights="imagenet")


def test_without_timm_the_error_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match=r'timm:x: .*pip install "attncli\[timm\]"'):
        import_timm("timm:x")

import pytest
import torch
from torch import nn

from attncli.backbones.images.backbone import ROLES
from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.backbones.images.torchvision_networks import (
    NAMES,
    blank_network,
    cut,
    head_of,
    published_weights,
)

SMALL = ("resnet18", "resnet50", "shufflenet_v2_x0_5")


def network(name: str) -> nn.Module:
    """Return a network in evaluation whose norms have seen something."""
    torch.manual_seed(0)
    model = blank_network(name)
    with torch.no_grad():
        model(torch.randn(4, 3, 64, 64))
    return model.eval()


def backbone(name: str, output_stride: int):
    return cut(network(name), NORMALIZATIONS["imagenet"], output_stride=output_stride).eval()


def images(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (2, 3, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("name", SMALL)
def test_the_last_features_are_those_torchvision_classifies_by(name):
    model, x = network(name), images(64, 64)
    with torch.no_grad():
        features = backbone(name, 32).features(x)["conv5"]
        if name.startswith("shufflenet"):
            features = model.conv5(features)
        got = model.fc(features.mean((2, 3)))
        mean, std = (
            torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        )
        expected = model((x / 255 - mean) / std)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("output_stride", "steps"), [(16, (1, 1, 1, 2)), (8, (1, 1, 2, 4))])
def test_a_dilated_network_answers_on_finer_grids_what_it_did(name, output_stride, steps):
    x = images(75, 98)  # no multiple of any stride
    with torch.no_grad():
        coarse = backbone(name, 32).features(x)
        fine = backbone(name, output_stride).features(x)
    assert [fine["conv5"].shape[2:], coarse["conv5"].shape[2:]] == [
        (-(-75 // output_stride), -(-98 // output_stride)),
        (3, 4),
    ]
    for role, step in zip(ROLES, steps, strict=True):
        torch.testing.assert_close(
            fine[role][..., ::step, ::step], coarse[role], rtol=1e-3, atol=1e-4
        )


@pytest.mark.parametrize("name", NAMES)
def test_channels_are_those_of_the_features(name):
    with torch.device("meta"):
        built = cut(blank_network(name), NORMALIZATIONS["imagenet"], output_stride=32).eval()
        features = built.features(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    assert {role: value.shape[1] for role, value in features.items()} == built.channels
    assert [value.shape[2] for value in features.values()] == [16, 8, 4, 2]


@pytest.mark.parametrize("name", NAMES)
def test_every_network_has_published_weights_and_a_head(name):
    url, normalization = published_weights(name)
    assert url.startswith("https://download.pytorch.org/models/")
    assert normalization == NORMALIZATIONS["imagenet"]
    with torch.device("meta"):
        layers = dict(blank_network(name).named_children())
    assert set(head_of(name)) <= layers.keys()

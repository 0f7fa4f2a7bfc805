import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from attncli.errors import UsageError
from attncli.methods.svd_fc.basis import orthonormal_basis
from attncli.methods.svd_fc.layers import CLASS_MAPS, LAYERS, MAPS, VECTORS, open_layers
from tests.methods.svd_fc.test_roles import Bytes, convnext, image


class MapClassifier(nn.Module):
    """Classifies every cell of a map, then takes the mean, as networks for class maps do."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.Sequential(*(nn.Conv2d(c, 8, 3, 2, 1) for c in (3, 8, 8, 8)))
        self.dropout = nn.Dropout2d(0.5)
        self.classify = nn.Conv2d(8, 3, 1, bias=False)

    def class_maps(self, images: torch.Tensor) -> torch.Tensor:
        return self.classify(self.dropout(self.stages(images / 255)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.class_maps(images).mean((2, 3))


def network(n_classes: int = 5) -> nn.Module:
    torch.manual_seed(0)
    return Bytes(ResNet(BasicBlock, [1, 1, 1, 1], num_classes=n_classes))


def images(n: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=generator)


def test_layers_have_the_shapes_they_say():
    extractor = open_layers(network(), image(), LAYERS)
    found = extractor(images())
    assert list(found) == list(LAYERS)
    for layer, values in found.items():
        assert values.dtype == torch.float32
        assert values.shape[:2] == (3, extractor.channels[layer])
        assert values.ndim == (2 if layer in VECTORS else 4)
    assert [tuple(found[layer].shape[1:]) for layer in MAPS] == [
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
        (512, 2, 2),
        *[(5, 2, 2)] * 3,
    ]


@pytest.mark.parametrize("form", ["polar", "vt"])
def test_the_mean_of_class_maps_is_the_vector(form):
    found = open_layers(network(), image(), LAYERS, form=form)(images())
    for layer, vector in CLASS_MAPS.items():
        torch.testing.assert_close(found[layer].mean((2, 3)), found[vector], rtol=1e-4, atol=1e-6)


def test_layers_are_the_weights_applied_to_the_last_map_by_hand():
    model = network()
    extractor = open_layers(model, image(), LAYERS)
    found = extractor(images())
    weight = model.network.fc.weight.detach().double()
    features = found["conv5"].double()
    rows = torch.from_numpy(orthonormal_basis(weight.numpy()).rows)
    for layer, w in (("cam", weight), ("svd-cam", rows)):
        by_hand = torch.einsum("kc,bchw->bkhw", w, features).float()
        torch.testing.assert_close(found[layer], by_hand, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(found["fc"] + model.network.fc.bias, model(images()))
    random = extractor.bases["random-fc"].rows
    np.testing.assert_allclose(random @ random.T, np.eye(5), atol=1e-12)
    assert extractor.notes == ()


def test_with_more_classes_than_dimensions_svd_fc_is_a_rotation_of_conv5_and_says_so():
    extractor = open_layers(network(600), image(), ["conv5", "svd-fc", "random-fc"])
    found = extractor(images())
    assert extractor.notes == ("600 classes in 512 dimensions: svd-fc is a rotation of conv5",)
    assert extractor.channels["random-fc"] == 512
    lengths = found["conv5"].mean((2, 3)).norm(dim=1)
    torch.testing.assert_close(found["svd-fc"].norm(dim=1), lengths, rtol=1e-4, atol=1e-5)


def test_directions_that_are_left_out_are_told():
    model = network()
    with torch.no_grad():
        model.network.fc.weight[4] = model.network.fc.weight[3]
    extractor = open_layers(model, image(), ["svd-fc"], form="vt")
    assert extractor.channels == {"svd-fc": 4}
    assert extractor.notes[0].startswith("4 of 5 directions of the last layer are kept")


def test_a_classifier_of_cells_has_class_maps_and_the_vectors_that_are_their_means():
    torch.manual_seed(0)
    model = MapClassifier()
    found = open_layers(model, image(), ["conv3", "conv5", *VECTORS, "cam", "svd-cam"])(images())
    with torch.no_grad():
        torch.testing.assert_close(found["cam"], model.class_maps(images()))
        torch.testing.assert_close(found["fc"], model(images()))
    torch.testing.assert_close(found["svd-cam"].mean((2, 3)), found["svd-fc"])


def test_only_what_is_asked_for_is_made_and_nothing_is_left_on_the_network():
    model = network()
    extractor = open_layers(model, image(), ["conv5", "fc"])
    assert extractor.bases == {}
    assert {name for name, _ in extractor.named_buffers() if "." not in name} == {"fc"}
    extractor(images())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in extractor.modules())


def test_the_batch_does_not_matter():
    extractor = open_layers(network(), image(), ["svd-fc", "conv3"])
    together = extractor(images())
    for i, one in enumerate(images().split(1)):
        for layer, values in extractor(one).items():
            torch.testing.assert_close(values[0], together[layer][i], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["cam", "svd-cam", "random-cam"])
def test_class_maps_are_refused_where_the_last_layer_does_not_act_on_a_mean(layer):
    model = Bytes(convnext())
    with pytest.raises(UsageError, match=f"Bytes has no {layer}, as its last layer does not act"):
        open_layers(model, image(), [layer])
    assert open_layers(model, image(), ["fc", "svd-fc"]).channels == {"fc": 1000, "svd-fc": 1000}


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        ([], "must name a layer"),
        (["svd-cma"], "no such layer: 'svd-cma'; did you mean svd-cam"),
        (["conv3"], "has no conv3: there is no such stage"),
    ],
)
def test_layers_there_are_not_are_refused(layers, problem):
    small = nn.Sequential(
        nn.Conv2d(3, 4, 4, 4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    with pytest.raises(UsageError, match=problem):
        open_layers(Bytes(small), image(), layers)

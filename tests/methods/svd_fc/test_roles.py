from itertools import pairwise

import pytest
import torch
from torch import nn
from torchvision.models import DenseNet, ResNet, SqueezeNet
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.resnet import Bottleneck
from torchvision.models.vgg import make_layers
from torchvision.models.vision_transformer import VisionTransformer

from attncli.errors import UsageError
from attncli.methods.svd_fc.roles import Roles, find_roles, is_map, pooled

VGG_LAYERS = [4, "M", 4, "M", 8, "M", 8, "M", 8, "M"]


class Bytes(nn.Module):
    """Lets a network take bytes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images / 255)


def image(px: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, 3, px, px), dtype=torch.uint8, generator=generator)


def roles(network: nn.Module, px: int = 64) -> Roles:
    return find_roles(Bytes(network).eval(), image(px), name="it")


def convnext() -> ConvNeXt:
    widths = (4, 8, 12, 16, None)
    return ConvNeXt([CNBlockConfig(a, b, 1) for a, b in pairwise(widths)])


def test_stages_of_a_resnet_are_found_though_its_blocks_widen_before_they_halve():
    network = ResNet(Bottleneck, [1, 1, 1, 1], num_classes=5)
    found = roles(network)
    assert found.is_pooled
    assert found.conv5.module is network.layer4
    stages = (network.layer1, network.layer2, network.layer3)
    assert [found.earlier[layer].module for layer in ("conv2", "conv3", "conv4")] == list(stages)
    torch.testing.assert_close(found.head.weight, network.fc.weight)


@pytest.mark.parametrize("dilated", [[False, False, True], [False, True, True]])
def test_dilated_stages_that_keep_the_grid_are_told_apart(dilated):
    network = ResNet(Bottleneck, [1, 1, 1, 1], replace_stride_with_dilation=dilated)
    found = roles(network)
    assert [found.earlier[layer].module for layer in ("conv2", "conv3", "conv4")] == [
        network.layer1,
        network.layer2,
        network.layer3,
    ]


def test_what_densenet_rectifies_in_place_is_its_last_map():
    network = DenseNet(growth_rate=4, block_config=(1, 1, 1, 1), num_init_features=8)
    found = roles(network)
    assert found.is_pooled
    assert found.conv5.module is network.features
    assert found.conv5.made.min() == 0
    assert found.earlier["conv2"].module is network.features.denseblock1


def test_a_norm_between_pooling_and_the_last_layer_keeps_maps_but_not_class_maps():
    network = convnext()
    found = roles(network)
    assert not found.is_pooled
    assert found.conv5.module is network.features
    assert found.earlier.keys() == {"conv2", "conv3", "conv4"}


def test_vggs_last_map_is_what_comes_before_its_pool_of_one_size():
    hidden = (nn.Linear(8 * 49, 6), nn.ReLU(True), nn.Linear(6, 5))
    features = make_layers(VGG_LAYERS)
    network = nn.Sequential(features, nn.AdaptiveAvgPool2d(7), nn.Flatten(), *hidden)
    found = roles(network)
    assert found.conv5.module is features
    assert found.head.weight.shape == (5, 6)
    assert not found.is_pooled


def test_a_transformer_has_a_last_layer_but_no_maps():
    network = VisionTransformer(
        image_size=64, patch_size=16, num_layers=1, num_heads=1, hidden_dim=8, mlp_dim=8
    )
    found = roles(network)
    assert found.conv5 is None
    assert "tokens" in found.why_not
    assert found.head.weight.shape == (1000, 8)
    with pytest.raises(UsageError, match=r"--crop-px: it cannot take images of 96 x 96 px"):
        roles(network, px=96)


def test_a_network_without_a_last_linear_layer_is_refused():
    with pytest.raises(UsageError, match="ends in no linear layer"):
        roles(SqueezeNet("1_1", num_classes=5))
    with pytest.raises(UsageError, match="ends in no linear layer"):
        roles(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def test_images_too_small_to_tell_maps_from_what_is_pooled_are_told():
    network = ResNet(Bottleneck, [1, 1, 1, 1])
    assert "32 x 32 px are too small" in roles(network, px=32).why_not


def test_watching_leaves_nothing_behind():
    network = Bytes(ResNet(Bottleneck, [1, 1, 1, 1])).eval()
    find_roles(network, image(), name="it")
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_maps_have_cells_and_a_mean():
    assert is_map(torch.zeros(1, 4, 1, 2))
    assert not is_map(torch.zeros(1, 4, 1, 1))
    assert not is_map(torch.zeros(1, 4))
    torch.testing.assert_close(
        pooled(torch.arange(8.0).view(1, 2, 2, 2)), torch.tensor([[1.5, 5.5]])
    )
    torch.testing.assert_close(pooled(torch.ones(2, 3)), torch.ones(2, 3))

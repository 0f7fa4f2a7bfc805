from copy import deepcopy

import pytest
import torch
from torch import nn

from attncli.backbones.images.backbone import ImageBackbone, strides
from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.layers.synchronized_norm import synchronize_batch_norm


class Averages(ImageBackbone):
    """The means of cells, normalised."""

    def __init__(self) -> None:
        super().__init__(NORMALIZATIONS["none"], channels=(3, 3, 3, 3), output_stride=32)
        self.norm = nn.BatchNorm2d(3)

    def stage_outputs(self, x):
        x = self.norm(x)
        return [nn.functional.avg_pool2d(x, size) for size in (4, 8, 16, 32)]


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (2, 3, 64, 32), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("output_stride", "expected"), [(32, (4, 8, 16, 32)), (16, (4, 8, 16, 16)), (8, (4, 8, 8, 8))]
)
def test_strides_stop_at_the_output_stride(output_stride, expected):
    assert strides(output_stride) == expected


def test_features_have_the_names_of_their_roles():
    shapes = {role: tuple(value.shape[2:]) for role, value in Averages().features(images()).items()}
    assert shapes == {"conv2": (16, 8), "conv3": (8, 4), "conv4": (4, 2), "conv5": (2, 1)}


def test_norms_learn_unless_they_are_frozen():
    backbone = Averages()
    backbone.train().features(images())["conv2"].sum().backward()
    assert backbone.norm.weight.grad is not None
    assert backbone.norm.num_batches_tracked == 1


@pytest.mark.parametrize("device", [None, "cpu", "cuda"])
def test_frozen_norms_stay_frozen_within_a_network_that_trains(device):
    backbone = Averages()
    backbone.freeze_norms()
    model = nn.Sequential(backbone, nn.BatchNorm2d(3))
    if device is not None:
        model = synchronize_batch_norm(model, torch.device(device))
    before = deepcopy(backbone.norm.state_dict())
    model.eval()
    model.train()
    assert (backbone.training, backbone.norm.training, model[1].training) == (True, False, True)
    assert not backbone.features(images())["conv2"].requires_grad
    for key, value in backbone.norm.state_dict().items():
        assert torch.equal(value, before[key])

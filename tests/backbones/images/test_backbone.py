from copy import deepcopy

import pytest
import torch
from torch import nn

from attncli.backbones.images.backbone import ImageBackbone, strides
from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.errors import UsageError
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


class Chain(ImageBackbone):
    """A convolution and a norm for each stage, and a norm that none of the stages needs."""

    def __init__(self) -> None:
        super().__init__(NORMALIZATIONS["none"], channels=(3, 3, 3, 3), output_stride=32)
        self.convolutions = nn.ModuleList(nn.Conv2d(3, 3, 3, 2, padding=1) for _ in range(4))
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(4))
        self.unused = nn.BatchNorm2d(3)

    def stage_outputs(self, x):
        outputs = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(x))
            outputs.append(x)
        return outputs


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize("is_inference", [True, False])
def test_frozen_stages_and_all_before_them_learn_no_more(n, is_inference):
    backbone = Chain().train()
    with torch.set_grad_enabled(not is_inference):
        backbone.freeze_stages(n)
    for index in range(4):
        for layer in (backbone.convolutions[index], backbone.norms[index]):
            assert {weight.requires_grad for weight in layer.parameters()} == {index >= n}
        assert backbone.norms[index].training == (index >= n)
        assert backbone.norms[index].num_batches_tracked == 0
    assert backbone.unused.weight.requires_grad
    assert all(weight.grad is None for weight in backbone.parameters())


def test_stages_stay_frozen_through_evaluation():
    backbone = Chain()
    backbone.freeze_stages(1)
    backbone.eval().train()
    assert [norm.training for norm in backbone.norms] == [False, True, True, True]
    backbone.freeze_stages(0)
    assert not backbone.norms[0].training


def test_a_frozen_network_can_be_frozen_further():
    backbone = Chain().requires_grad_(False)
    backbone.freeze_stages(2)
    assert not any(weight.requires_grad for weight in backbone.parameters())


@pytest.mark.parametrize("n", [-1, 5])
def test_stages_there_are_not_cannot_be_frozen(n):
    with pytest.raises(UsageError, match=f"--freeze-stages: there are 0 to 4 .* not {n}"):
        Chain().freeze_stages(n)

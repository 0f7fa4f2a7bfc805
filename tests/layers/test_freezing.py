import torch
from torch import nn

from attncli.layers.freezing import FreezableNorms


class Two(FreezableNorms):
    """Two normalisations."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.BatchNorm2d(3)
        self.second = nn.BatchNorm2d(3)

    def forward(self, x):
        return self.second(self.first(x))


def modes(model: Two) -> tuple[bool, bool, bool]:
    return model.training, model.first.training, model.second.training


def test_norms_learn_unless_they_are_frozen():
    model = Two().train()
    assert modes(model) == (True, True, True)
    assert modes(model.eval()) == (False, False, False)


def test_frozen_norms_stay_in_evaluation_within_a_network_that_trains():
    model = Two()
    model.freeze_norms()
    nn.Sequential(model).train()
    assert modes(model) == (True, False, False)
    assert not any(weight.requires_grad for weight in model.parameters())
    before = model.first.running_mean.clone()
    model(torch.randn(2, 3, 4, 4))
    assert torch.equal(model.first.running_mean, before)


def test_a_norm_that_does_not_learn_is_frozen_by_itself():
    model = Two()
    model.first.requires_grad_(False)
    assert modes(model.train()) == (True, False, True)


def test_a_norm_without_a_scale_follows_the_network():
    model = Two()
    model.first = nn.BatchNorm2d(3, affine=False)
    assert modes(model.train()) == (True, True, True)
    model.freeze_norms()
    assert not model.first.training

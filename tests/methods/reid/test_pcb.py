from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from attncli.config.reid import PcbConfig
from attncli.errors import UsageError
from attncli.methods.reid.pcb import PcbNetwork, StripesObjective, build_pcb
from attncli.training.objective import Learned
from tests.support.batches import image_batch
from tests.support.networks import settle_norms

N_PEOPLE = 5
IMAGES = image_batch(3, size_hw=(64, 32)).images


def learned(**changes: Any) -> Learned[Any]:
    torch.manual_seed(0)
    small = {"backbone": "shufflenet_v2_x0_5", "size_hw": (64, 32), "stripes": 4, "width": 8}
    return build_pcb(PcbConfig(data=Path(), weights="none", **{**small, **changes}), N_PEOPLE)


def network(**changes: Any) -> PcbNetwork:
    model = learned(**changes).model
    settle_norms(model, IMAGES)
    return model.eval()


def test_a_stripe_is_the_mean_of_its_rows() -> None:
    model = network(stripes=2)
    features = model.backbone.features(IMAGES)["conv5"]
    assert features.shape == (3, 192, 4, 2)
    upper, lower = features[:, :, :2].mean((2, 3)), features[:, :, 2:].mean((2, 3))
    torch.testing.assert_close(model.stripes(IMAGES), torch.stack([upper, lower], dim=2))


def test_people_are_scored_by_each_stripe_with_a_classifier_of_its_own() -> None:
    model = network()
    _, convolution, norm, _ = model.reduce
    scores = model(IMAGES)
    assert scores.shape == (3, 4, N_PEOPLE)
    for stripe, g in enumerate(model.stripes(IMAGES).unbind(2)):
        h = g @ convolution.weight[:, :, 0, 0].T
        h = (h - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        h = (h * norm.weight + norm.bias).clamp(min=0)
        layer = model.classify[stripe]
        torch.testing.assert_close(scores[:, stripe], h @ layer.weight.T + layer.bias)


def test_what_describes_people_is_every_stripe_with_a_length_of_1() -> None:
    model = network()
    found = model.test_feature(IMAGES)
    stripes = model.stripes(IMAGES).detach().numpy().astype(np.float64)
    expected = [np.concatenate([g / np.sqrt((g**2).sum()) for g in image.T]) for image in stripes]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(found.detach().norm(dim=1), 2, rtol=1e-6)  # the root of 4 stripes


def test_the_papers_network_has_12288_features() -> None:
    with torch.device("meta"):
        model = learned(backbone="resnet50", size_hw=(384, 128), stripes=6).model
        shown = torch.zeros(2, 3, 384, 128, dtype=torch.uint8)
        assert model.backbone.features(shown)["conv5"].shape == (2, 2048, 24, 8)
        assert model.test_feature(shown).shape == (2, 12288)


def test_the_last_stage_is_the_published_one_without_its_stride() -> None:
    own = network(backbone="resnet18").backbone
    published = resnet18(weights=None)
    published.layer4[0].conv1.stride = published.layer4[0].downsample[0].stride = (1, 1)
    state = zip(published.state_dict(), own.stages.state_dict().values(), strict=False)
    published.load_state_dict(dict(state), strict=False)
    x = own.normalize(IMAGES)
    layers = [layer for name, layer in published.eval().named_children() if name != "fc"]
    expected = nn.Sequential(*layers[:-1])(x)
    torch.testing.assert_close(own.features(IMAGES)["conv5"], expected)


@pytest.mark.parametrize(
    ("backbone", "stride", "rows"),
    [
        ("shufflenet_v2_x0_5", "8", 8),
        ("shufflenet_v2_x0_5", "16", 4),
        ("efficientnet-lite0", "16", 4),
    ],
)
def test_a_grid_is_kept_without_dilation_unless_asked_for(
    backbone: str, stride: str, rows: int
) -> None:
    for dilate in (False, True):
        model = network(backbone=backbone, output_stride=stride, dilate=dilate)
        assert model.backbone.features(IMAGES)["conv5"].shape[2] == rows
        dilations = {m.dilation for m in model.modules() if isinstance(m, nn.Conv2d)}
        assert (dilations == {(1, 1)}) == (not dilate)


def test_the_loss_is_the_sum_of_the_stripes_cross_entropies() -> None:
    # By one stripe the first person has 3/4, by the other 1/2.
    scores = torch.tensor([[[float(np.log(3)), 0.0], [0.0, 0.0]]]).repeat(2, 1, 1)
    labels = torch.tensor([[True, False], [False, True]])
    losses = StripesObjective()(lambda _: scores, image_batch(2, labels=labels))
    expected = -(np.log(3 / 4) + np.log(1 / 4)) / 2 - np.log(1 / 2)
    assert losses.total.item() == pytest.approx(expected)
    assert losses.terms["stripes"].item() == losses.total.item()
    assert losses.hits["top1"].item() == 1


def test_stripes_tell_together_who_is_shown() -> None:
    # Two stripes are a little for the first person, one is sure of the second.
    scores = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 9.0]]])
    labels = torch.tensor([[False, True]])
    losses = StripesObjective()(lambda _: scores, image_batch(1, labels=labels))
    assert losses.hits["top1"].item() == 1


def test_new_layers_learn_faster_and_begin_small() -> None:
    made = learned()
    rates = {name: made.rate_of(name) for name, _ in made.model.named_parameters()}
    assert {rate for name, rate in rates.items() if name.startswith("backbone.")} == {1}
    assert {rate for name, rate in rates.items() if not name.startswith("backbone.")} == {10}
    weights = torch.cat([layer.weight.flatten() for layer in made.model.classify])
    assert weights.std().item() == pytest.approx(1e-3, rel=0.3)
    assert not any(layer.bias.any() for layer in made.model.classify)


def test_it_learns_who_wears_what_where() -> None:
    # Both wear red and blue, one of them red above, the other one below.
    made = learned(dropout=0.0)
    shown = torch.full((8, 3, 64, 32), 30, dtype=torch.uint8)
    labels = torch.zeros(8, N_PEOPLE, dtype=torch.bool)
    for number in range(8):
        labels[number, number % 2] = True
        above, below = (0, 2) if number % 2 == 0 else (2, 0)
        shown[number, above, :32] = shown[number, below, 32:] = 150 + 10 * number
    batch = image_batch(images=shown, labels=labels)
    named = made.model.named_parameters()
    groups = [{"params": [weight], "lr": 2e-3 * made.rate_of(name)} for name, weight in named]
    optimizer = torch.optim.Adam(groups)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        found = made.objective(made.model, batch)
        found.total.backward()
        optimizer.step()
        losses.append(found.total.item())
    assert losses[0] == pytest.approx(4 * np.log(N_PEOPLE), rel=0.02)
    assert losses[-1] < 0.5 * losses[0]
    assert found.hits["top1"].item() == 8


def test_the_backbones_norms_are_frozen_where_asked_for() -> None:
    frozen = learned(freeze_norms=True).model.train()
    norms = [m for m in frozen.backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    assert frozen.reduce[2].training
    assert learned().model.train().backbone.stages["conv5"][0].branch1[1].training


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"backbone": "resnet19"}, "resnet19"), ({"head_rate": 0.0}, "--head-rate")],
)
def test_what_cannot_be_built_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        learned(**changes)

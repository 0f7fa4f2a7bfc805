from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from attncli.config.ssdd import CamConfig
from attncli.errors import UsageError
from attncli.methods.ssdd.cam import CamNetwork, MultiLabelObjective, build_cam
from tests.support.batches import image_batch

CONFIG = CamConfig(data=Path(), backbone="resnet18", weights="none")


def network(**changes: object) -> CamNetwork:
    torch.manual_seed(0)
    return build_cam(
        CamConfig(data=Path(), **{"backbone": "resnet18", "weights": "none", **changes}), 3
    ).model


def test_a_class_scores_the_mean_of_its_map() -> None:
    model = network().eval()
    maps = model.class_maps(image_batch().images)
    torch.testing.assert_close(model(image_batch().images), maps.flatten(2).mean(2))
    # The map is the classifier's row at every cell of the features.
    features = model.backbone.features(image_batch().images)["conv5"]
    by_hand = torch.einsum("kc,bchw->bkhw", model.classify.weight[:, :, 0, 0], features)
    torch.testing.assert_close(maps, by_hand)


@pytest.mark.parametrize(("stride", "cells"), [("8", 8), ("16", 4), ("32", 2)])
def test_the_output_stride_says_how_fine_maps_are(stride: str, cells: int) -> None:
    assert network(output_stride=stride).class_maps(image_batch(1).images).shape == (
        1,
        3,
        cells,
        cells,
    )


def test_the_loss_is_the_mean_binary_cross_entropy_and_exact_images_are_counted() -> None:
    # Scores 0 and ln 3: probabilities 1/2 and 3/4.
    scores = torch.tensor([[0.0, float(np.log(3))], [-1.0, float(np.log(3))]])
    losses = MultiLabelObjective()(
        lambda _: scores, image_batch(labels=torch.ones(2, 2, dtype=torch.bool))
    )
    p = np.array([[0.5, 0.75], [1 / (1 + np.e), 0.75]])
    assert losses.total.item() == pytest.approx(-np.log(p).mean())
    assert losses.terms["cls"].item() == losses.total.item()
    # Half counts as said: the first image is right in both classes, the second is not.
    assert losses.hits["exact"].item() == 1


def test_the_head_learns_faster_than_the_backbone() -> None:
    learned = build_cam(CONFIG, 3)
    rates = {name: learned.rate_of(name) for name, _ in learned.model.named_parameters()}
    assert rates.pop("classify.weight") == 10
    assert set(rates.values()) == {1.0}


def test_frozen_norms_stay_as_they_are_in_training() -> None:
    model = network(freeze_norms=True).train()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms]
    model(image_batch().images)
    assert all(torch.equal(a, b.running_mean) for a, b in zip(before, norms, strict=True))
    assert not any(p.requires_grad for norm in norms for p in norm.parameters())
    assert network(freeze_norms=False).backbone.training


def test_it_learns_which_corner_of_an_image_is_bright_and_sees_it_there() -> None:
    torch.manual_seed(0)
    learned = build_cam(CamConfig(**{**vars(CONFIG), "freeze_norms": False, "dropout": 0.0}), 2)
    model = learned.model.train()
    shown = torch.full((8, 3, 64, 64), 30, dtype=torch.uint8)
    labels = torch.zeros(8, 2, dtype=torch.bool)
    for number in range(8):
        side = slice(0, 32) if number % 2 == 0 else slice(32, 64)
        color = 0 if number % 2 == 0 else 2  # red at the left, blue at the right
        shown[number, color, :, side] = 220
        labels[number, number % 2] = True
    one = image_batch(images=shown, labels=labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = learned.objective(model, one).total
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    model.eval()
    assert learned.objective(model, one).hits["exact"].item() >= 7


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"head_rate": 0.0}, "--head-rate: must be positive"),
        ({"dropout": 1.0}, "--dropout: must be in"),
        ({"backbone": "resnet19"}, "resnet19"),
        ({"weights": "efficientnet-lite0"}, "--weights"),
    ],
)
def test_what_cannot_be_built_is_refused(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        network(**changes)

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.batches import ImageBatch
from attncli.config.ssdd import PsaConfig
from attncli.errors import AttncliError, UsageError
from attncli.methods.ssdd.affinity import (
    WIDTHS,
    AffinityNetwork,
    AffinityObjective,
    affinity_labels,
    affinity_losses,
    build_psa,
    label_counts,
    label_shares,
    pair_kinds,
)
from attncli.methods.ssdd.pairs import Graph, pair_distances
from attncli.training.objective import Learned
from tests.support.batches import image_batch

NEXT = Graph(radius=2)
"""Neighbours at a distance below 2: beside, below, and both diagonals."""


def learned(**changes: Any) -> Learned[ImageBatch]:
    torch.manual_seed(0)
    given = {"backbone": "resnet18", "weights": "none", **changes}
    return build_psa(PsaConfig(data=Path(), cams=Path(), **given), 3)


def network(**changes: Any) -> AffinityNetwork:
    model = learned(**changes).model
    assert isinstance(model, AffinityNetwork)
    return model


def cells(*rows: list[int]) -> Tensor:
    return torch.tensor([rows], dtype=torch.uint8)


def test_features_are_three_stages_projected_and_mixed() -> None:
    model, images = network().eval(), image_batch().images
    stages = model.backbone.features(images)
    parts = []
    for role in ("conv3", "conv4", "conv5"):
        kernel = model.project[role].weight[:, :, 0, 0]
        assert kernel.shape == (WIDTHS[role], model.backbone.channels[role])
        parts.append(functional.elu(torch.einsum("dc,bchw->bdhw", kernel, stages[role])))
    mixed = torch.einsum("dc,bchw->bdhw", model.mix.weight[:, :, 0, 0], torch.cat(parts, 1))
    torch.testing.assert_close(model(images), functional.elu(mixed), rtol=1e-4, atol=1e-4)
    assert model(images).shape == (2, 448, 8, 8)
    assert all(layer.bias is None for layer in (model.mix, *model.project.values()))


def test_the_last_layer_begins_four_times_as_large_as_is_usual() -> None:
    bound = 4 * math.sqrt(6 / (448 + 448))
    largest = network().mix.weight.abs().max().item()
    assert 0.99 * bound < largest <= bound


@pytest.mark.parametrize("stride", ["8", "16", "32"])
def test_coarser_stages_come_to_the_grid_of_8_pixels(stride: str) -> None:
    model = network(output_stride=stride).eval()
    assert model(image_batch(1, size_hw=(64, 96)).images).shape == (1, 448, 8, 12)


def test_cells_begun_are_completed_by_what_is_zero_after_normalisation() -> None:
    model = network().eval()
    images = image_batch(1, size_hw=(61, 50)).images
    assert model(images).shape == (1, 448, 8, 7)
    mean = model.backbone.normalize.mean
    with torch.no_grad():
        whole = torch.zeros(1, 3, 64, 56)
        whole[:, :, :61, :50] = model.backbone.normalize(images)
        stages = list(model.backbone.stage_outputs(whole))[1:]
        parts = [functional.elu(p(x)) for p, x in zip(model.project.values(), stages, strict=True)]
        expected = functional.elu(model.mix(torch.cat(parts, 1)))
    assert mean.abs().sum() > 0  # so that black is not zero
    torch.testing.assert_close(model(images), expected)


def test_affinities_are_one_of_alike_cells_and_fall_with_the_mean_difference() -> None:
    model = network().eval()
    images = image_batch().images
    affinities = model.affinities(images)
    first, second = model.graph.ends(model(images))
    torch.testing.assert_close(affinities, torch.exp(-(first - second).abs().mean(1)))
    assert model.pair_kinds(torch.zeros(2, 8, 8, dtype=torch.uint8))["background"].all()
    assert (
        affinities.shape
        == model.pair_kinds(torch.zeros(2, 8, 8, dtype=torch.uint8))["different"].shape
    )


def test_labels_are_what_both_backgrounds_are_sure_of() -> None:
    low = cells([0, 0, 2, 2, 255, 255, 1])
    high = cells([0, 3, 2, 0, 1, 255, 255])
    assert affinity_labels(low, high).tolist() == [[[0, 255, 2, 0, 255, 255, 255]]]


def test_kinds_of_pairs_are_told_by_both_cells() -> None:
    labels = cells([0, 0, 1, 1, 2, 255, 255])  # one row: each cell and the next
    kinds = {name: mask[0].tolist() for name, mask in pair_kinds(labels, NEXT).items()}
    assert kinds["background"] == [True, False, False, False, False, False]
    assert kinds["foreground"] == [False, False, True, False, False, False]
    assert kinds["different"] == [False, True, False, True, False, False]


def test_the_loss_weighs_means_of_three_kinds() -> None:
    affinities = torch.tensor([[0.9, 0.8, 0.3, 0.4, 0.6]])
    kinds = {
        "background": torch.tensor([[True, False, False, False, False]]),
        "foreground": torch.tensor([[False, True, False, False, False]]),
        "different": torch.tensor([[False, False, True, True, False]]),
    }
    losses = affinity_losses(affinities, kinds)
    bg, fg = -math.log(0.9), -math.log(0.8)
    neg = -(math.log(0.7) + math.log(0.6)) / 2
    assert losses.terms["bg"].item() == pytest.approx(bg, rel=1e-3)
    assert losses.terms["fg"].item() == pytest.approx(fg, rel=1e-3)
    assert losses.terms["neg"].item() == pytest.approx(neg, rel=1e-3)
    assert losses.total.item() == pytest.approx(bg / 4 + fg / 4 + neg / 2, rel=1e-3)


def test_pairs_of_all_images_of_a_batch_count_alike() -> None:
    affinities = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    together = torch.tensor([[True, False], [True, True]])
    none = torch.zeros(2, 2, dtype=torch.bool)
    kinds = {"background": together, "foreground": none, "different": none}
    expected = -(math.log(0.9) + 2 * math.log(0.5)) / 3
    assert affinity_losses(affinities, kinds).terms["bg"].item() == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.parametrize("label", [0, 1, 255])
def test_a_batch_of_one_kind_or_none_has_a_finite_loss_and_gradient(label: int) -> None:
    objective = AffinityObjective(Graph())
    features = torch.zeros(1, 4, 3, 3, requires_grad=True)
    labels = torch.full((1, 3, 3), label, dtype=torch.uint8)
    batch = image_batch(1, size_hw=(24, 24), low=labels, high=labels)
    losses = objective(lambda _: features, batch)
    losses.total.backward()
    assert set(losses.terms) == {"bg", "fg", "neg"}
    assert losses.total.isfinite()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_different_cells_with_the_same_features_have_a_finite_loss() -> None:
    labels = cells([0, 1])
    losses = AffinityObjective(NEXT)(
        lambda _: torch.ones(1, 4, 1, 2), image_batch(1, size_hw=(8, 16), low=labels, high=labels)
    )
    assert losses.terms["neg"].item() == pytest.approx(-math.log(1e-5), rel=0.02)


def test_label_maps_of_another_grid_are_refused() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    with pytest.raises(AttncliError, match="label maps have 4 x 4 cells, features have 3 x 3"):
        AffinityObjective(Graph())(
            lambda _: torch.zeros(1, 4, 3, 3), image_batch(1, low=labels, high=labels)
        )


def test_shares_of_cells_and_pairs_add_up_over_images() -> None:
    one, two = cells([0, 0, 1, 255]), cells([2, 2, 2, 2, 0])
    counts: Counter[str] = Counter()
    for labels in (one, two):
        counts.update(label_counts(labels, NEXT))
    assert label_shares(counts) == pytest.approx(
        {
            "foreground_cells": 100 * 5 / 9,
            "background_cells": 100 * 3 / 9,
            "ignored_cells": 100 * 1 / 9,
            "foreground_pairs": 100 * 3 / 7,
            "background_pairs": 100 * 1 / 7,
            "different_pairs": 100 * 2 / 7,
            "ignored_pairs": 100 * 1 / 7,
        }
    )


def test_a_kind_that_is_not_there_has_a_share_of_zero() -> None:
    shares = label_shares(label_counts(cells([0, 0, 0]), NEXT))
    assert (shares["foreground_cells"], shares["different_pairs"]) == (0, 0)
    assert (shares["background_cells"], shares["background_pairs"]) == (100, 100)
    assert set(label_shares({}).values()) == {0}


def test_new_layers_learn_faster_and_the_first_stage_does_not() -> None:
    found = learned()
    wanted = {n for n, weight in found.model.named_parameters() if weight.requires_grad}
    rates = {name: found.rate_of(name) for name in wanted}
    assert {n for n, rate in rates.items() if rate == 10} == {
        "mix.weight",
        *(f"project.{role}.weight" for role in WIDTHS),
    }
    assert not any(n.startswith("backbone.stages.conv2.") for n in wanted)
    assert any(n.startswith("backbone.stages.conv3.") for n in wanted)
    assert not any(
        p.requires_grad
        for m in found.model.modules()
        if isinstance(m, nn.BatchNorm2d)
        for p in m.parameters()
    )


def test_the_settings_say_which_pairs_count() -> None:
    model = network(radius=3, compat_reference=True)
    assert model.graph == Graph(radius=3, compat_reference=True)


def test_it_learns_where_colors_differ() -> None:
    found = learned(freeze_norms=False, freeze_stages=0)
    model = found.model.train()
    images = torch.full((2, 3, 64, 64), 40, dtype=torch.uint8)
    labels = torch.zeros(2, 8, 8, dtype=torch.uint8)
    for number in range(2):
        half = slice(0, 4) if number % 2 else slice(4, 8)
        images[number, 0].reshape(8, 8, 64)[half] = 220
        labels[number, half] = 1
    batch = image_batch(images=images, low=labels, high=labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = found.objective(model, batch).total
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]
    with torch.no_grad():
        affinities = (-pair_distances(model(images), Graph())).exp()
    kinds = pair_kinds(labels, Graph())
    alike = affinities[kinds["foreground"] | kinds["background"]].mean()
    assert alike > affinities[kinds["different"]].mean() + 0.2


def test_a_backbone_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="resnet19"):
        network(backbone="resnet19")

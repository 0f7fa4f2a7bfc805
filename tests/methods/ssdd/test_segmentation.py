import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from attncli.backbones.images.backbone import ImageBackbone
from attncli.backbones.images.normalization import NORMALIZATIONS
from attncli.config.ssdd import SegmentationConfig
from attncli.errors import UsageError
from attncli.methods.ssdd.segmentation import (
    SegmentationHead,
    SegmentationNetwork,
    SegmentationObjective,
    Segmented,
    build_segmentation,
    is_true,
    segmentation_loss,
    with_truth,
)
from attncli.training.seeds import choose_algorithms
from tests.support.batches import image_batch

TINY = {"backbone": "shufflenet_v2_x0_5", "weights": "none", "width": 8}
BACKBONES = ("resnet18", "shufflenet_v2_x0_5", "efficientnet-lite0")


def config(**changes: object) -> SegmentationConfig:
    return SegmentationConfig(data=Path(), seeds=Path(), **(TINY | changes))


def network(**changes: object) -> SegmentationNetwork:
    torch.manual_seed(0)
    return build_segmentation(config(**changes), 3).model


class Means(ImageBackbone):
    """Means of pixels, whose coarsest cells have 8, 16 or 32 of them."""

    def __init__(self, output_stride: int) -> None:
        super().__init__(NORMALIZATIONS["none"], channels=(3, 3, 3, 3), output_stride=output_stride)

    def stage_outputs(self, x):
        sizes = (4, 8, min(16, self.output_stride), self.output_stride)
        return [functional.avg_pool2d(x, size, ceil_mode=True) for size in sizes]


@pytest.mark.parametrize("size_hw", [(37, 53), (8, 8), (1, 1), (64, 33)])
@pytest.mark.parametrize("stride", ["8", "16", "32"])
def test_all_answers_are_on_the_grid_of_4_pixels_whatever_the_size(size_hw, stride):
    grid = tuple(-(-side // 4) for side in size_hw)
    with torch.no_grad():
        got = network(output_stride=stride).eval()(image_batch(size_hw=size_hw).images)
    assert got.scores.shape == (2, 4, *grid)
    assert got.hidden.shape == (2, 8, *grid)
    assert got.low.shape[2:] == grid
    assert got.scores.isfinite().all()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_backbone_serves(backbone):
    if backbone == "efficientnet-lite0":
        pytest.importorskip("timm")
    model = network(backbone=backbone).train()
    got = model(image_batch(size_hw=(37, 53)).images)
    assert got.scores.shape == (2, 4, 10, 14)
    assert got.low.shape[1] == model.backbone.channels["conv2"]
    got.scores.square().mean().backward()
    for name, weight in model.named_parameters():
        assert (weight.grad is not None) == weight.requires_grad, name


def test_scores_are_of_the_high_features_and_both_of_the_backbones():
    model = network().eval()
    images = image_batch().images
    features = model.features(images)
    hidden, scores = model.segment(features["conv5"])
    got = model(images)
    assert torch.equal(got.low, features["conv2"])
    assert (got.hidden >= 0).all()
    for fine, coarse in ((got.hidden, hidden), (got.scores, scores)):
        torch.testing.assert_close(
            fine, functional.interpolate(coarse, scale_factor=2, mode="bilinear")
        )
    torch.testing.assert_close(model.segment.score(hidden), scores)


def test_another_head_answers_over_the_same_features():
    model = network().eval()
    features = model.features(image_batch().images)
    other = SegmentationHead(model.backbone.channels["conv5"], 4, width=8).eval()
    assert torch.equal(model.answer(features).scores, model(image_batch().images).scores)
    assert not torch.equal(model.answer(features, other).scores, model.answer(features).scores)


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_cells_keep_their_place_in_images_of_no_whole_number_of_cells(output_stride):
    # A ramp over columns stays one: each cell of 4 pixels has its own pixels' mean.
    model = SegmentationNetwork(Means(output_stride), n_classes=1, width=2)
    ramp = torch.arange(128, dtype=torch.uint8).expand(1, 3, 128, 128)
    whole, cut = (
        model.up((f := model.features(x))["conv5"], f["conv2"]) for x in (ramp, ramp[..., :101])
    )
    first = output_stride // 8  # cells before the middle of the first coarse one
    expected = model.features(ramp)["conv2"]
    torch.testing.assert_close(whole[..., first:-first], expected[..., first:-first])
    assert cut.shape[3] == 26
    inner = 26 - 2 * output_stride // 4
    torch.testing.assert_close(cut[..., :inner], whole[..., :inner])


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 40), (13, 12)])
def test_a_head_answers_grids_smaller_than_its_reach(size_hw):
    torch.manual_seed(0)
    head = SegmentationHead(5, 3, width=4).eval()
    x = torch.randn(2, 5, *size_hw)
    hidden, scores = head(x)
    assert hidden.shape == (2, 4, *size_hw)
    assert scores.shape == (2, 3, *size_hw)
    # As numpy reflects.
    padded = torch.from_numpy(np.pad(x.numpy(), [(0, 0)] * 2 + [(12, 12)] * 2, mode="reflect"))
    seen = functional.conv2d(padded, head.hide.conv.weight, head.hide.conv.bias, dilation=12)
    torch.testing.assert_close(hidden, functional.relu(seen / math.sqrt(1.001)))


def test_channels_of_the_head_are_the_papers_unless_others_are_asked_for():
    with torch.device("meta"):
        head = SegmentationHead(4096, 21)
    assert head.hide.conv.weight.shape == (512, 4096, 3, 3)
    assert head.hide.conv.bias is not None
    assert head.score.weight.shape == (21, 512, 3, 3)
    assert head.score.bias is not None
    assert head.hide.norm.eps == 1e-3
    assert {head.hide.conv.dilation, head.score.dilation} == {(12, 12)}


def test_new_layers_start_as_rectified_ones_should():
    torch.manual_seed(0)
    head = SegmentationHead(32, 21, width=64)
    for layer, fan_in in ((head.hide.conv, 32 * 9), (head.score, 64 * 9)):
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / fan_in), rel=0.05)
        assert not layer.bias.any()


def test_settings_make_a_narrow_head_that_sees_less():
    model = network(width=4, dilation=2)
    assert model.segment.hide.conv.out_channels == 4
    assert model.segment.score.dilation == (2, 2)


def naive_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    losses = []
    for n, i, j in np.ndindex(labels.shape):
        if labels[n, i, j] != 255:
            row = scores[n, :, i, j].astype(np.float64)
            losses.append(math.log(sum(math.exp(v) for v in row)) - row[labels[n, i, j]])
    return sum(losses) / len(losses)


def test_the_loss_is_the_mean_over_labelled_cells_of_all_images():
    torch.manual_seed(0)
    scores = torch.randn(2, 4, 3, 5)
    labels = torch.randint(4, (2, 3, 5)).to(torch.uint8)
    labels[0, :2] = 255
    got = segmentation_loss(scores, labels).item()
    assert got == pytest.approx(naive_loss(scores.numpy(), labels.numpy()), rel=1e-6)


def test_two_labels_of_equal_score_cost_the_logarithm_of_2():
    labels = torch.zeros(1, 2, 2, dtype=torch.uint8)
    assert segmentation_loss(torch.zeros(1, 2, 2, 2), labels).item() == pytest.approx(math.log(2))


def test_cells_without_a_label_cost_nothing_even_where_there_are_no_others():
    scores = torch.randn(2, 4, 3, 5, requires_grad=True)
    loss = segmentation_loss(scores, torch.full((2, 3, 5), 255, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert not scores.grad.any()


def test_the_objective_compares_scores_with_the_seed():
    batch = image_batch(seed=torch.zeros(2, 3, 3, dtype=torch.uint8))
    scores = torch.randn(2, 4, 3, 3)
    losses = SegmentationObjective()(lambda _: Segmented(scores, scores, scores), batch)
    assert losses.terms.keys() == {"seg"}
    assert losses.total.item() == segmentation_loss(scores, batch.label_maps["seed"]).item()
    assert not losses.hits


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_step_has_deterministic_algorithms_on_a_gpu():
    model, images = network().cuda().train(), image_batch().images.cuda()
    labels = torch.zeros(2, 16, 16, dtype=torch.uint8, device="cuda")
    choose_algorithms(deterministic=True)
    try:
        segmentation_loss(model(images).scores, labels).backward()
    finally:
        choose_algorithms(deterministic=False)


def test_the_head_learns_faster_than_the_backbone():
    learned = build_segmentation(config(), 3)
    rates = {name: learned.rate_of(name) for name, _ in learned.model.named_parameters()}
    assert {rate for name, rate in rates.items() if name.startswith("segment.")} == {10.0}
    assert {rate for name, rate in rates.items() if name.startswith("backbone.")} == {1.0}


@pytest.mark.parametrize("frozen", [True, False])
def test_norms_of_head_and_backbone_are_frozen_together(frozen):
    model = network(freeze_norms=frozen).train()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.training != frozen for norm in norms)
    assert all(norm.weight.requires_grad != frozen for norm in norms)


def test_it_learns_which_half_of_an_image_is_bright():
    torch.manual_seed(0)
    learned = build_segmentation(config(freeze_norms=False, dilation=1), 1)
    model = learned.model.train()
    images = torch.full((4, 3, 64, 64), 30, dtype=torch.uint8)
    seed = torch.zeros(4, 16, 16, dtype=torch.uint8)
    for number in range(4):
        side = slice(0, 8) if number % 2 == 0 else slice(8, 16)
        images[number, :, :, side.start * 4 : side.stop * 4] = 220
        seed[number, :, side] = 1
    batch = image_batch(images=images, seed=seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = learned.objective(model, batch).total
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"backbone": "resnet19"}, "resnet19"),
        ({"weights": "efficientnet-lite0"}, "--weights"),
    ],
)
def test_what_cannot_be_built_is_refused(changes, problem):
    with pytest.raises(UsageError, match=problem):
        network(**changes)


def test_true_labels_take_the_place_of_seeds_where_an_image_has_them():
    seed = torch.tensor([[[0, 1]], [[1, 1]]], dtype=torch.uint8)
    true = torch.tensor([[[255, 255]], [[2, 255]]], dtype=torch.uint8)
    batch = image_batch(2, n_classes=2, seed=seed, true=true)
    assert is_true(batch).tolist() == [False, True]
    assert with_truth(batch, seed).tolist() == [[[0, 1]], [[2, 255]]]
    plain = image_batch(2, n_classes=2, seed=seed)
    assert torch.equal(with_truth(plain, seed), seed)

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from attncli.methods.ssdd.segmentation import segmentation_loss
from attncli.methods.ssdd.static import Warmup, change_loss
from tests.support.batches import batch_for
from tests.support.networks import build
from tests.support.settings import tiny

N_CLASSES = 2


@pytest.fixture
def learned():
    return build("ssdd", tiny("ssdd"), N_CLASSES)


@pytest.fixture
def batch():
    return batch_for("ssdd", tiny("ssdd"), N_CLASSES, n=3)


def test_it_segments_and_foresees_on_cells_of_4_pixels(learned, batch):
    pair = batch.label_maps["knowledge"], batch.label_maps["advice"]
    said = learned.model(batch.images, pair)
    assert said.scores.shape == (3, N_CLASSES + 1, 8, 8)
    assert [d.shape for d in said.differences] == [(3, 8, 8)] * 2
    assert not torch.equal(*said.differences)
    assert learned.model(batch.images).differences == ()


def test_eq_change_loss_is_half_of_both_maps_over_kept_images():
    knowledge = torch.tensor([[[0, 1]], [[1, 1]]], dtype=torch.uint8)
    advice = torch.tensor([[[0, 0]], [[1, 1]]], dtype=torch.uint8)
    d_k = torch.tensor([[[0.1, 0.8]], [[0.5, 0.5]]])
    d_a = torch.tensor([[[0.3, 0.6]], [[0.5, 0.5]]])
    # The first image: one pixel of each kind. The second is excluded.
    of_k = -(math.log(0.9) + math.log(0.8)) / 2
    of_a = -(math.log(0.7) + math.log(0.6)) / 2
    keep = torch.tensor([True, False])
    found = change_loss((d_k.logit(), d_a.logit()), knowledge, advice, keep)
    assert found.item() == pytest.approx((of_k + of_a) / 2, rel=1e-5)
    none = change_loss((d_k.logit(), d_a.logit()), knowledge, advice, ~keep & keep)
    assert none.item() == 0


def test_the_loss_is_the_sum_of_its_terms(learned, batch):
    pair = batch.label_maps["knowledge"], batch.label_maps["advice"]
    said = learned.model(batch.images, pair)
    losses = learned.objective(lambda *_: said, batch)
    seg = segmentation_loss(said.scores, pair[0])
    change = change_loss(said.differences, *pair, torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(losses.terms["seg"], seg)
    torch.testing.assert_close(losses.terms["change"], change)
    torch.testing.assert_close(losses.total, seg + change)
    assert losses.hits["kept"] == 3


def test_segmentation_learns_nothing_of_differences_and_the_other_way_round(learned, batch):
    losses = learned.objective(learned.model, batch)
    of_change = gradients(learned.model, losses.terms["change"])
    of_seg = gradients(learned.model, losses.terms["seg"])
    assert {name.split(".")[0] for name in of_change} == {"difference"}
    assert {name.split(".")[0] for name in of_seg} == {"segmentation"}


def gradients(model: nn.Module, loss: torch.Tensor) -> list[str]:
    names, weights = zip(
        *((n, w) for n, w in model.named_parameters() if w.requires_grad), strict=True
    )
    found = torch.autograd.grad(loss, weights, allow_unused=True, retain_graph=True)
    return [name for name, gradient in zip(names, found, strict=True) if gradient is not None]


def test_segmentation_is_learnt_alone_at_first(batch):
    learned = build("ssdd", tiny("ssdd", segmentation_epochs=2), N_CLASSES)
    for epoch, is_over in ((0, False), (1, False), (2, True)):
        learned.begin_epoch(epoch)
        losses = learned.objective(learned.model, batch)
        assert bool(losses.terms["change"]) is is_over
    assert Warmup(0).is_over


@pytest.mark.parametrize(("exclude", "kept"), [("any", 1), ("all", 2), ("none", 3)])
def test_images_are_excluded_as_asked(batch, exclude, kept):
    learned = build("ssdd", tiny("ssdd", exclude=exclude), N_CLASSES)
    knowledge = torch.full((3, 8, 8), 1, dtype=torch.uint8)
    knowledge[:, 4:] = 2
    advice = knowledge.clone()
    advice[1, :4] = 0  # class 1 is gone
    advice[2] = 0
    maps = {"knowledge": knowledge, "advice": advice}
    losses = learned.objective(learned.model, replace(batch, label_maps=maps))
    assert losses.hits["kept"] == kept
    assert losses.total.isfinite()


def test_masks_that_are_the_same_everywhere_are_learnt_from_all_the_same(learned, batch):
    same = batch.label_maps["knowledge"]
    maps = {"knowledge": same, "advice": same}
    losses = learned.objective(learned.model, replace(batch, label_maps=maps))
    losses.total.backward()
    assert losses.total.isfinite()


def test_learning_rates_are_those_of_the_parts(learned):
    assert learned.rate_of("segmentation.backbone.stages.conv2.0.weight") == 1.0
    assert learned.rate_of("segmentation.segment.score.weight") == 10.0
    assert learned.rate_of("difference.answer.weight") == 10.0


def test_segmentation_learns_true_labels_and_differences_are_still_those_of_the_seeds(
    learned, batch
):
    true = torch.full((3, 8, 8), 255, dtype=torch.uint8)
    true[0] = 2
    losses = learned.objective(
        learned.model, replace(batch, label_maps={**batch.label_maps, "true": true})
    )
    own = learned.objective(learned.model, batch)
    torch.testing.assert_close(losses.terms["change"], own.terms["change"])
    target = batch.label_maps["knowledge"].clone()
    target[0] = 2
    scores = learned.model(batch.images).scores
    torch.testing.assert_close(losses.terms["seg"], segmentation_loss(scores, target))

from dataclasses import replace

import pytest
import torch

from attncli.config.crf import CrfConfig
from attncli.methods.ssdd.difference import difference_loss, gated
from attncli.methods.ssdd.dynamic import (
    Given,
    Pair,
    Refinement,
    first_loss,
    rules_of,
    second_loss,
)
from attncli.methods.ssdd.segmentation import segmentation_loss
from tests.support.batches import batch_for
from tests.support.networks import build
from tests.support.settings import tiny

N_CLASSES = 2
CONFIG = tiny("ssdd-dynamic")


@pytest.fixture
def learned():
    return build("ssdd-dynamic", CONFIG, N_CLASSES)


@pytest.fixture
def batch():
    return batch_for("ssdd-dynamic", CONFIG, N_CLASSES, n=3)


def given(batch):
    return Given(batch.small_images, batch.labels, batch.label_maps["seed"])


def test_asked_without_seeds_the_main_branch_answers_alone(learned, batch):
    model = learned.model.eval()
    said = model(batch.images)
    assert said.scores.shape == (3, N_CLASSES + 1, 8, 8)
    assert said.sub_scores is said.refinement is None
    torch.testing.assert_close(model(batch.images, given(batch)).scores, said.scores)


def test_the_first_step_takes_the_main_branch_and_its_crf(learned, batch, monkeypatch):
    seen = {}

    def crf(images, probabilities, present, config):
        seen.update(images=images, probabilities=probabilities, present=present, config=config)
        return torch.zeros_like(probabilities).index_fill(1, torch.tensor([1]), 1.0)

    monkeypatch.setattr("attncli.methods.ssdd.dynamic.dense_crf_batch", crf)
    labels = torch.tensor([[True, False]] * 3)
    batch = replace(batch, labels=labels)
    said = learned.model(batch.images, given(batch))
    pair = said.refinement.first
    assert torch.equal(pair.advice, torch.ones_like(pair.advice))
    assert torch.equal(pair.knowledge, gated(said.scores, labels).argmax(1).to(torch.uint8))
    assert not (pair.knowledge == 2).any()  # class 2 is not shown
    # A softmax of the present classes' scores alone, and the image without changed colours.
    of_present = said.scores[:, :2].softmax(1)
    torch.testing.assert_close(seen["probabilities"][:, :2], of_present)
    assert (seen["probabilities"][:, 2] == 0).all()
    assert seen["present"].tolist() == [[True, True, False]] * 3
    assert torch.equal(seen["images"], batch.small_images)
    assert seen["config"].crf_iterations == 3
    assert not seen["probabilities"].requires_grad


def test_the_second_step_takes_the_seed_and_the_first_refinement(learned, batch):
    said = learned.model(batch.images, given(batch))
    made = said.refinement
    assert torch.equal(made.second.knowledge, batch.label_maps["seed"])
    assert torch.equal(made.second.advice, made.first.refined)
    sub = gated(said.sub_scores, batch.labels).argmax(1)
    assert torch.equal(made.sub_labels, sub.to(torch.uint8))


def test_losses_by_the_definition(learned, batch):
    said = learned.model(batch.images, given(batch))
    losses = learned.objective(lambda *_: said, batch)
    made, seed = said.refinement, batch.label_maps["seed"]
    refine1, sub = made.second.refined, made.sub_labels
    terms = losses.terms
    torch.testing.assert_close(terms["main"], segmentation_loss(said.scores, refine1))
    of_sub = 0.5 * segmentation_loss(said.sub_scores, seed)
    of_sub = of_sub + 0.5 * segmentation_loss(said.sub_scores, refine1)
    torch.testing.assert_close(terms["sub"], of_sub)
    everywhere = torch.ones_like(seed, dtype=torch.bool)
    m = made.first.knowledge != made.first.advice
    d0 = [difference_loss(d, m, everywhere).mean() for d in made.first.differences]
    torch.testing.assert_close(terms["first"], (d0[0] + d0[1]) / 2)
    # Step 2: against what the other branch says, all pixels of the batch together.
    targets = (seed != sub, refine1 != sub)
    d1 = [
        difference_loss(
            d.flatten(0, 1)[None], t.flatten(0, 1)[None], everywhere.flatten(0, 1)[None]
        )
        for d, t in zip(made.second.differences, targets, strict=True)
    ]
    torch.testing.assert_close(terms["second"], (d1[0] + d1[1])[0] / 2)
    # The code's mean of four losses of differences, beside both of segmentation.
    total = terms["main"] + terms["sub"] + (d0[0] + d0[1] + d1[0][0] + d1[1][0]) / 4
    torch.testing.assert_close(losses.total, total)


def test_the_second_loss_is_pooled_over_images_and_the_first_is_not():
    differences = (torch.tensor([[[2.0, -1.0]], [[0.5, 3.0]]]),) * 2
    seed = torch.tensor([[[0, 0]], [[1, 1]]], dtype=torch.uint8)
    other = torch.tensor([[[0, 1]], [[0, 0]]], dtype=torch.uint8)
    pair = Pair(seed, other, differences, flags=torch.zeros(2, 2, dtype=torch.bool), refined=seed)
    made = Refinement(first=pair, second=pair, sub_labels=other)
    first = first_loss(made, torch.tensor([True, True]))
    second = second_loss(made)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    d, m = differences[0], (seed != other).float()
    by_image = [
        (bce(d[0, 0, 1], m[0, 0, 1]) + bce(d[0, 0, 0], m[0, 0, 0])) / 2,
        bce(d[1], m[1]) / 2,
    ]
    torch.testing.assert_close(first, sum(by_image) / 2)
    changed = torch.stack([d[0, 0, 1], d[1, 0, 0], d[1, 0, 1]])
    pooled = (bce(changed, torch.ones(3)) + bce(d[0, 0, 0], torch.zeros(()))) / 2
    torch.testing.assert_close(second, pooled)


def test_no_gradient_passes_from_differences_to_segmentation_or_back(learned, batch):
    losses = learned.objective(learned.model, batch)
    named = {n: w for n, w in learned.model.named_parameters() if w.requires_grad}

    def reached(*terms):
        loss = sum(losses.terms[term] for term in terms)
        found = torch.autograd.grad(loss, named.values(), allow_unused=True, retain_graph=True)
        pairs = zip(named, found, strict=True)
        return {name.split(".")[0] for name, gradient in pairs if gradient is not None}

    assert reached("first") == {"first"}
    assert reached("second") == {"second"}
    assert reached("main", "sub") == {"segmentation", "sub"}


def test_pixels_that_the_seed_ignores_stay_ignored(learned, batch):
    seed = batch.label_maps["seed"].clone()
    seed[:, 2:4] = 255
    said = learned.model(batch.images, Given(batch.small_images, batch.labels, seed))
    assert (said.refinement.second.refined[:, 2:4] == 255).all()
    losses = learned.objective(learned.model, replace(batch, label_maps={"seed": seed}))
    assert losses.total.isfinite()


def test_at_first_both_branches_learn_from_the_seed(batch):
    learned = build("ssdd-dynamic", replace(CONFIG, segmentation_epochs=1), N_CLASSES)
    said = learned.model(batch.images, given(batch), False)
    assert said.refinement is None
    learned.begin_epoch(0)
    losses = learned.objective(learned.model, batch)
    seed = batch.label_maps["seed"]
    torch.testing.assert_close(losses.terms["sub"], segmentation_loss(said.sub_scores, seed))
    assert losses.terms["first"] == losses.terms["second"] == 0
    learned.begin_epoch(1)
    assert learned.objective(learned.model, batch).terms["second"] > 0


def test_rules_are_those_of_the_settings():
    config = replace(CONFIG, advice_bias=0.2, background_bias=0.3, class_bias=0.4)
    rules = rules_of(config)
    biases = (rules.biases.advice, rules.biases.background, rules.biases.shrinking)
    assert biases == (0.2, 0.3, 0.4)
    assert isinstance(rules.crf, CrfConfig)
    assert learned_rate("sub.score.weight") == learned_rate("first.answer.weight") == 10.0


def learned_rate(name):
    return build("ssdd-dynamic", CONFIG, N_CLASSES).rate_of(name)


def test_true_labels_are_learnt_as_they_are(learned, batch):
    true = torch.full((3, 8, 8), 255, dtype=torch.uint8)
    true[1] = 2
    batch = replace(batch, label_maps={**batch.label_maps, "true": true})
    seed = batch.label_maps["seed"].clone()
    seed[1] = 2
    said = learned.model(batch.images, Given(batch.small_images, batch.labels, seed))
    losses = learned.objective(lambda *_: said, batch)
    target = said.refinement.second.refined.clone()
    target[1] = 2
    torch.testing.assert_close(losses.terms["main"], segmentation_loss(said.scores, target))

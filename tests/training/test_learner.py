from collections.abc import Callable
from copy import deepcopy

import pytest
import torch

from attncli.batches import ClipBatch
from attncli.config.training import TrainConfig
from attncli.training.learner import Learner

MakeConfig = Callable[..., TrainConfig]
MakeLearner = Callable[[TrainConfig], Learner]
BatchOf = Callable[..., ClipBatch]


def gradients(learner: Learner) -> list[torch.Tensor]:
    return [weight.grad.clone() for weight in learner.model.parameters()]


def without_dropout(learner: Learner) -> Learner:
    learner.model.drop.p = 0.0
    return learner


def test_parts_of_a_batch_add_up_to_the_gradient_of_the_whole(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    whole, parts = (without_dropout(make_learner(make_config())) for _ in range(2))
    sums = whole.step([batch_of([0, 1, 2, 3, 4])], [5], lr=0.1).read()
    # Of unequal parts, so that a mean of means would be wrong.
    sums_of_parts = parts.step(
        [batch_of([0, 1, 2]), batch_of([3]), batch_of([4])], [3, 1, 1], lr=0.1
    )
    for one, other in zip(gradients(whole), gradients(parts), strict=True):
        torch.testing.assert_close(one, other)
    assert sums_of_parts.read() == pytest.approx(sums, rel=1e-5)


def test_sums_count_losses_and_hits_by_clips(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    learner = without_dropout(make_learner(make_config()))
    batch = batch_of([0, 1, 2])
    scores = learner.model(batch.frames).scores
    sums = learner.step([batch], [3], lr=0.1).read()
    losses = -scores.log_softmax(1)[torch.arange(3), batch.labels]
    assert sums["loss_per"] == pytest.approx(losses.sum().item(), rel=1e-5)
    assert sums["loss"] == pytest.approx(2 * losses.sum().item(), rel=1e-5)
    assert (sums["hits_top1"], sums["samples"]) == (
        (scores.argmax(1) == batch.labels).sum().item(),
        3,
    )


def test_a_part_nobody_could_read_changes_nothing(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    some, none = (without_dropout(make_learner(make_config())) for _ in range(2))
    some.step([batch_of([0, 1])], [2], lr=0.1)
    none.step([batch_of([0, 1]), batch_of([])], [2, 0], lr=0.1)
    for one, other in zip(gradients(some), gradients(none), strict=True):
        assert torch.equal(one, other)


def test_a_process_without_clips_adds_no_gradient(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    learner = make_learner(make_config())
    sums = learner.step([batch_of([])], [1], lr=0.1).read()
    assert sums["samples"] == sums["loss"] == sums["hits_top1"] == 0
    assert all(not gradient.any() for gradient in gradients(learner))


def test_gradients_are_clipped_to_their_largest_norm(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    learner = without_dropout(make_learner(make_config(clip_grad_norm=0.01)))
    norm = learner.step([batch_of([0, 1, 2])], [3], lr=0.1).read()["gradient_norm"]
    clipped = torch.cat([gradient.flatten() for gradient in gradients(learner)]).norm()
    assert norm > 0.01
    assert clipped.item() == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_much_the_same(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf, precision: str
) -> None:
    full, mixed = (
        without_dropout(make_learner(make_config(precision=p))) for p in ("fp32", precision)
    )
    batch = batch_of([0, 1, 2])
    sums, mixed_sums = (learner.step([batch], [3], lr=0.01).read() for learner in (full, mixed))
    assert mixed_sums["loss"] == pytest.approx(sums["loss"], rel=0.02)
    assert mixed_sums["gradient_norm"] == pytest.approx(sums["gradient_norm"], rel=0.05)
    assert mixed.model.hidden.weight.dtype == torch.float32


def test_its_state_goes_on_where_it_was(
    make_config: MakeConfig, make_learner: MakeLearner, batch_of: BatchOf
) -> None:
    first, second = (without_dropout(make_learner(make_config(seed=s))) for s in (0, 1))
    first.step([batch_of([0, 1])], [2], lr=0.1)
    second.load_state_dict(deepcopy(first.state_dict()))
    for learner in (first, second):
        learner.step([batch_of([2, 3])], [2], lr=0.1)
    assert torch.equal(first.model.hidden.weight, second.model.hidden.weight)

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from attncli.metrics.accuracy import top_k_percent
from attncli.training.distributed import World
from attncli.training.validation import validate
from attncli.types import BranchOutputs, ClipBatch

WORLD = World(rank=0, size=1, device=torch.device("cpu"))


class Scores(nn.Module):
    """Answers with scores that fall from class 0 on, whatever it sees."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.scores = -torch.arange(n_classes, dtype=torch.float32)

    def forward(self, frames: torch.Tensor) -> BranchOutputs:
        assert not self.training
        return BranchOutputs(scores=self.scores.repeat(len(frames), 1))


def test_accuracies_are_over_clips_not_over_batches(batch_of: Callable[..., ClipBatch]) -> None:
    # Labels are the row modulo 3, the answer is class 0: 3 of 5 clips are right.
    batches = [batch_of([0, 1, 3, 6]), batch_of([]), batch_of([2])]
    scores = validate(Scores(3), batches, precision="fp32", world=WORLD)
    assert scores == {"top1": pytest.approx(60), "top5": pytest.approx(100)}


def test_the_fifth_class_counts_and_the_sixth_does_not(batch_of: Callable[..., ClipBatch]) -> None:
    model = Scores(7)
    model.scores = torch.tensor([0.0, 1, 2, 3, 4, 5, 6])  # 6, 5, 4, 3, 2 are the first five
    scores = validate(model, [batch_of([0, 1, 2, 5])], precision="fp32", world=WORLD)
    assert scores == {"top1": 0.0, "top5": pytest.approx(50)}  # labels 0, 1, 2, 2


@pytest.mark.parametrize(
    "scores",
    [[0.0] * 9, [3.0, 2, 1, 1, 1, 1, 0, 0, 0], [0.0, 1, 0, 1, 1, 1, 1, 1, 1], [2.0, 2, 1]],
    ids=["all equal", "at rank five", "at the first and at rank five", "of three classes"],
)
def test_equal_scores_rank_as_in_an_evaluation(
    batch_of: Callable[..., ClipBatch], scores: list[float]
) -> None:
    model = Scores(len(scores))
    model.scores = torch.tensor(scores)
    batches = [batch_of([*range(7)]), batch_of([7, 8, 9])]
    labels = np.arange(10) % len(scores)
    for batch, own in zip(batches, (labels[:7], labels[7:]), strict=True):
        batch.labels.copy_(torch.from_numpy(own))
    answers = np.tile(np.array(scores, dtype=np.float32), (10, 1))
    assert validate(model, batches, precision="fp32", world=WORLD) == {
        "top1": top_k_percent(answers, labels, 1),
        "top5": top_k_percent(answers, labels, 5),
    }


def test_no_clip_has_no_accuracy(batch_of: Callable[..., ClipBatch]) -> None:
    assert validate(Scores(3), [batch_of([])], precision="fp32", world=WORLD) == {}


def test_the_model_goes_on_in_the_mode_it_was_in(batch_of: Callable[..., ClipBatch]) -> None:
    model = Scores(3).train()
    validate(model, [batch_of([0])], precision="fp32", world=WORLD)
    assert model.training

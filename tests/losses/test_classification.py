"""Expected values are computed by hand."""

import math

import pytest
import torch
from torch import Tensor

from attncli.losses.classification import AbnCriterion, classification_criterion
from attncli.types import BranchOutputs
from tests.support.batches import clip_batch

BATCH = clip_batch(2, shape=(1, 4, 4))


def outputs(**changes: Tensor) -> BranchOutputs:
    # Scores of ln 3 and 0: softmax gives 3/4 and 1/4.
    scores = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    fields = {"scores": scores, "attention_scores": torch.zeros(2, 2)} | changes
    return BranchOutputs(**fields)


def test_eq1_eq4_are_cross_entropies_of_the_two_branches():
    terms = AbnCriterion(lambda_att=1.0)(outputs(), BATCH).terms
    # Classes 0 and 1 have probabilities 3/4 and 1/4; a flat attention branch gives 1/2 to both.
    assert terms["per"].item() == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    assert terms["att"].item() == pytest.approx(math.log(2))


def test_eq4_is_the_whole_loss_without_attention():
    losses = classification_criterion(outputs(), BATCH)
    assert losses.total.item() == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    assert set(losses.terms) == {"per"}


def test_eq5_weighs_the_attention_branch_by_lambda():
    losses = AbnCriterion(lambda_att=0.5)(outputs(), BATCH)
    assert losses.total.item() == pytest.approx(
        losses.terms["per"].item() + 0.5 * losses.terms["att"].item()
    )


def test_losses_of_16_bit_scores_are_in_32_bits():
    scores = outputs().scores.bfloat16()
    losses = AbnCriterion(1.0)(outputs(scores=scores, attention_scores=scores), BATCH)
    assert losses.total.dtype == torch.float32

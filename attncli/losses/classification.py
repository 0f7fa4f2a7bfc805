"""Losses of class scores, of networks with an attention branch and without."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor
from torch.nn import functional

from attncli.types import BranchOutputs, ClipBatch, Losses


def classification_criterion(outputs: BranchOutputs, batch: ClipBatch) -> Losses:
    """Return the cross entropy of a network's own scores, as the term `per`."""
    per = functional.cross_entropy(outputs.scores.float(), batch.labels)
    return Losses(total=per, terms={"per": per})


@dataclass(frozen=True)
class AbnCriterion:
    """L = L_per + lambda L_att: cross entropies of perception and attention branch."""

    lambda_att: float
    """Weight lambda of the attention branch's class loss."""

    def __call__(self, outputs: BranchOutputs, batch: ClipBatch) -> Losses:
        """Return the loss and its terms `per` and `att`."""
        per = functional.cross_entropy(outputs.scores.float(), batch.labels)
        attention_scores = cast(Tensor, outputs.attention_scores)
        att = functional.cross_entropy(attention_scores.float(), batch.labels)
        return Losses(total=per + self.lambda_att * att, terms={"per": per, "att": att})

"""Losses of class scores, of networks with an attention branch and without."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from attncli.batches import ClipBatch
from attncli.metrics.accuracy import classes_ahead
from attncli.types import BranchOutputs, Losses

Criterion = Callable[[BranchOutputs, ClipBatch], Losses]
"""What a network's answers are measured by: a mean over the clips of a batch."""


@dataclass(frozen=True)
class ClipObjective:
    """One forward pass over the frames of clips, and what its answers are measured by."""

    criterion: Criterion
    """Loss of the answers."""

    def __call__(self, network: Callable[..., BranchOutputs], batch: ClipBatch) -> Losses:
        """Return the losses, and how many clips the network's own scores are right on."""
        outputs = network(batch.frames)
        losses = self.criterion(outputs, batch)
        with torch.no_grad():
            right = (classes_ahead(outputs.scores, batch.labels) == 0).sum()
        return replace(losses, hits={"top1": right})


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

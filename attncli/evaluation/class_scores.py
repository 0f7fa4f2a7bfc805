"""Class scores of clips: a clip of each video, which counts for the video."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.errors import AttncliError, Failure
from attncli.evaluation.answers import (
    RANKS,
    Answers,
    accuracies,
    counts,
    joined,
    labels,
    no_answers,
    predictions,
)
from attncli.evaluation.asked import Asked
from attncli.evaluation.attention import keep_attention, sharpness
from attncli.files.attention import AttentionWriter, merge_attention
from attncli.files.predictions import Predictions, write_predictions
from attncli.metrics.accuracy import classes_ahead, top_k_percent
from attncli.reporting import Row
from attncli.types import BranchOutputs

PERCEPTION, ATTENTION = "", "attention_"
"""The branches that answer, as their figures begin; a network without attention has the first."""

Share = tuple[Answers, Path | None]
"""What one process knows: answers, and where their attention is."""


class ClassScores:
    """What is made of a clip of each video.

    Args:
        asked: The clips.
        kinds: The kinds of answer there are; those of the network's branches where None.
    """

    logged: ClassVar[tuple[str, ...]] = ("top1", "top5")
    best: ClassVar[str | None] = "top1"
    unit: ClassVar[str] = "clips"
    """What predictions are of."""
    chief: ClassVar[str] = "top1"
    """The figure that predictions are compared by."""

    def __init__(self, asked: Asked, *, kinds: Sequence[str] | None = None) -> None:
        self.asked = asked
        self.kinds = branches(asked.attention) if kinds is None else kinds
        self._answers = [no_answers(self.kinds, len(asked.classes))]
        self._writer: AttentionWriter | None = None
        self._open = ExitStack()

    def __enter__(self) -> "ClassScores":
        if self.asked.keep is not None:
            self._writer = self._open.enter_context(AttentionWriter(self.asked.keep))
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def ask(self, network: Any, batch: ClipBatch) -> BranchOutputs:
        """Return what the network says of clips."""
        return network(batch.frames)

    def add(self, batch: ClipBatch, outputs: BranchOutputs) -> None:
        """Keep scores in memory, and attention on disk."""
        if self._writer is not None:
            keep_attention(self._writer, self.asked, batch, outputs)
        scores = {PERCEPTION: outputs.scores, ATTENTION: outputs.attention_scores}
        self.add_scores(batch, {kind: v for kind, v in scores.items() if v is not None})

    def add_scores(self, batch: ClipBatch, scores: Mapping[str, Tensor]) -> None:
        """Keep scores by the kind of answer.

        Raises:
            AttncliError: They are not finite, where weights are named that have to answer so.
        """
        weights = self.asked.weights
        if weights is not None and not all(torch.isfinite(v).all() for v in scores.values()):
            raise AttncliError(
                "these weights give class scores that are not finite",
                where=weights,
                remedy="try --precision fp32 or another --checkpoint",
            )
        found = {kind: scores[kind].float().cpu().numpy() for kind in self.kinds}
        self._answers.append(Answers(batch.rows.numpy(), found))

    def share(self) -> Share:
        """Return all answers of this process, and where their attention is."""
        return joined(self._answers), self.asked.keep

    def figures(self, shares: Sequence[Share]) -> Mapping[str, float]:
        """Return `top1` and `top5` in percent; scores that are not finite are never right."""
        answers = joined([answers for answers, _ in shares])
        if not len(answers.rows):
            return {}
        scores = torch.from_numpy(answers.scores[PERCEPTION])
        ahead = classes_ahead(scores, torch.from_numpy(labels(self.asked, answers)))
        return {f"top{n}": 100 * int((ahead < n).sum()) / len(ahead) for n in RANKS}

    def write(self, shares: Sequence[Share], failures: Sequence[Failure], out: Path) -> Row:
        """Write attention, predictions and the figures of each branch."""
        answers = joined([answers for answers, _ in shares])
        attention = out / "attention"
        merge_attention([part for _, part in shares if part is not None], attention)
        for kind in self.kinds:
            write_predictions(out / f"{kind}predictions.csv", self.predictions(answers, kind))
        return {**self.row(answers, failures), **sharpness(attention)}

    def predictions(self, answers: Answers, kind: str) -> Predictions:
        """Return one kind of answer as it is written, a row a video."""
        return predictions(self.asked, answers, kind)

    def counts(self, answers: Answers, failures: Sequence[Failure]) -> Row:
        """Return `clips`, `failed` and `unlabelled`."""
        return counts(self.asked, answers, failures)

    def shares_right(self, answers: Answers, kind: str) -> dict[str, float | None]:
        """Return the shares of one kind of answer that are right, in percent: `top1`, `top5`."""
        right = accuracies(self.asked, answers, kind)
        return {f"top{rank}": percent for rank, percent in right.items()}

    def row(self, answers: Answers, failures: Sequence[Failure]) -> Row:
        """Return the counts, and `top1` and `top5` of each branch.

        Where classes are counted apart, also `top1_edited_classes` and `top1_other_classes`.
        """
        row = self.counts(answers, failures)
        for kind in self.kinds:
            shares = self.shares_right(answers, kind)
            row |= {f"{kind}{name}": percent for name, percent in shares.items()}
        if self.asked.apart is not None:
            own = labels(self.asked, answers)
            edited = np.isin(own, list(self.asked.apart))
            for name, clips in (("edited", edited), ("other", ~edited)):
                share = top_k_percent(answers.scores[PERCEPTION][clips], own[clips], 1)
                row[f"top1_{name}_classes"] = share
        return row


def branches(attention: Sequence[str]) -> tuple[str, ...]:
    """Return the branches that answer in a network with these kinds of attention."""
    return (PERCEPTION, ATTENTION) if attention else (PERCEPTION,)

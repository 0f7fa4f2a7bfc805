"""Votes of clips: many clips of each sequence, which agree on its class."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from attncli.errors import Failure
from attncli.evaluation.answers import Answers, accuracies, accuracy_percent, probabilities
from attncli.evaluation.class_scores import PERCEPTION, ClassScores
from attncli.files.predictions import Predictions
from attncli.metrics.voting import majority_vote
from attncli.reporting import Row


class Votes(ClassScores):
    """What is made of many clips of each sequence; while a network is trained, clips count."""

    unit: ClassVar[str] = "sequences"
    chief: ClassVar[str] = "accuracy"

    def predictions(self, answers: Answers, kind: str) -> Predictions:
        """Return the vote of one kind of answer, a row a sequence.

        The probabilities are means over clips; the vote may go to a class that is not the most
        probable by them.
        """
        samples = [self.asked.samples[row] for row in answers.rows]
        labels = {sample.id: sample.label for sample in samples}  # those of its clips are the same
        numbers = {id_: number for number, id_ in enumerate(labels)}
        sequences = np.array([numbers[sample.id] for sample in samples], dtype=np.int64)
        votes = majority_vote(probabilities(answers, kind), sequences)
        classes = self.asked.classes
        return Predictions(
            ids=list(labels),
            labels=[self.asked.class_name(label) for label in labels.values()],
            predicted=[classes[winner] for winner in votes.winners],
            classes=classes,
            probabilities=votes.probabilities.astype(np.float32),
        )

    def counts(self, answers: Answers, failures: Sequence[Failure]) -> Row:
        """Return `sequences`, `clips` and `failed`, which counts sequences."""
        return {
            "sequences": len({self.asked.samples[row].id for row in answers.rows}),
            "clips": len(answers.rows),
            "failed": len({failure.id for failure in failures}),
        }

    def shares_right(self, answers: Answers, kind: str) -> dict[str, float | None]:
        """Return the share of sequences that one kind of answer is right on, as `accuracy`."""
        return {"accuracy": accuracy_percent(self.predictions(answers, kind))}

    def row(self, answers: Answers, failures: Sequence[Failure]) -> Row:
        """Return the counts, the accuracy of each branch, and that of single clips."""
        clips = accuracies(self.asked, answers, PERCEPTION)[1]
        return {**super().row(answers, failures), "clip_accuracy": clips}

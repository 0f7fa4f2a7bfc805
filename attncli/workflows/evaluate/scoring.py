"""What is made of a network's answers to clips: predictions and figures, of videos or sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from attncli import catalog
from attncli.config.ram import SequenceConfig
from attncli.files.predictions import Predictions
from attncli.files.runs import Run
from attncli.metrics.accuracy import top_k_percent
from attncli.metrics.voting import majority_vote
from attncli.reporting import Row
from attncli.workflows.evaluate.answers import (
    Answers,
    Task,
    accuracies,
    counts,
    labels,
    predictions,
    probabilities,
)

PERCEPTION, ATTENTION = "", "attention_"
"""The branches that answer, as their figures begin; a network without attention has the first."""


@runtime_checkable
class Scoring(Protocol):
    """How the answers to clips are counted."""

    def predictions(self, task: Task, answers: Answers, branch: str) -> Predictions:
        """Return one branch's answers as they are written."""
        ...

    def figures(self, task: Task, answers: Answers) -> Row:
        """Return how many answers there are, and how many of them are right, in percent."""
        ...


@dataclass(frozen=True)
class ClipScoring:
    """A clip of each video, which counts for the video."""

    edited: frozenset[int] | None = None
    """Classes that temporal edits are of, to be counted apart; None where there are no edits."""

    def predictions(self, task: Task, answers: Answers, branch: str) -> Predictions:
        """Return one branch's answers, a row a video."""
        return predictions(task, answers, branch)

    def figures(self, task: Task, answers: Answers) -> Row:
        """Return `clips`, `failed`, `unlabelled`, `top1` and `top5` of each branch.

        Where there are edits, also `top1_edited_classes` and `top1_other_classes`.
        """
        figures = counts(task, answers)
        for branch in answers.scores:
            for rank, percent in accuracies(task, answers, branch).items():
                figures[f"{branch}top{rank}"] = percent
        if self.edited is not None:
            own = labels(task, answers)
            edited = np.isin(own, list(self.edited))
            for name, clips in (("edited", edited), ("other", ~edited)):
                share = top_k_percent(answers.scores[PERCEPTION][clips], own[clips], 1)
                figures[f"top1_{name}_classes"] = share
        return figures


@dataclass(frozen=True)
class SequenceScoring:
    """Many clips of each sequence, which vote on it."""

    def predictions(self, task: Task, answers: Answers, branch: str) -> Predictions:
        """Return the vote of one branch's answers, a row a sequence.

        The probabilities are means over clips; the vote may go to a class that is not the most
        probable by them.
        """
        samples = [task.dataset.samples[row] for row in answers.rows]
        labels = {sample.id: sample.label for sample in samples}  # those of its clips are the same
        numbers = {id_: number for number, id_ in enumerate(labels)}
        sequences = np.array([numbers[sample.id] for sample in samples], dtype=np.int64)
        votes = majority_vote(probabilities(answers, branch), sequences)
        return Predictions(
            ids=list(labels),
            labels=[task.class_name(label) for label in labels.values()],
            predicted=[task.run.classes[winner] for winner in votes.winners],
            classes=task.run.classes,
            probabilities=votes.probabilities.astype(np.float32),
        )

    def figures(self, task: Task, answers: Answers) -> Row:
        """Return `sequences`, `clips`, `failed`, and the accuracies over them."""
        voted = {branch: self.predictions(task, answers, branch) for branch in answers.scores}
        return {
            "sequences": len(voted[PERCEPTION].ids),
            "clips": len(answers.rows),
            "failed": len({failure.id for failure in answers.failures}),
            **{f"{branch}accuracy": accuracy_percent(made) for branch, made in voted.items()},
            "clip_accuracy": accuracies(task, answers, PERCEPTION)[1],
        }


def branches(run: Run) -> tuple[str, ...]:
    """Return the branches of a run's network that answer."""
    has_attention = bool(catalog.method(run.method).attention)
    return (PERCEPTION, ATTENTION) if has_attention else (PERCEPTION,)


def scoring(task: Task, edited: frozenset[int] | None = None) -> Scoring:
    """Return how the answers to a run's clips are counted.

    Args:
        task: The run.
        edited: Classes to be counted apart, of runs that have a clip a video.
    """
    is_voted = isinstance(task.config, SequenceConfig)
    return SequenceScoring() if is_voted else ClipScoring(edited)


def accuracy_percent(made: Predictions) -> float | None:
    """Return the share of predictions that are right in percent; None where there are none."""
    right = is_right(made)
    return 100 * sum(right.values()) / len(right) if right else None


def is_right(made: Predictions) -> Mapping[str, bool]:
    """Return by id whether each prediction is the label."""
    lines = zip(made.ids, made.labels, made.predicted, strict=True)
    return {id_: label == predicted for id_, label, predicted in lines}

"""Class scores of clips, with more than one kind of answer to each: what they say, how many err."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from attncli.data.samples import UNKNOWN_LABEL
from attncli.errors import Failure
from attncli.evaluation.asked import Asked
from attncli.files.predictions import Predictions
from attncli.metrics.accuracy import top_k_percent
from attncli.reporting import Row

RANKS = (1, 5)
"""How many classes an answer may name: top-1 and top-5."""


@dataclass(frozen=True)
class Answers:
    """What a network says of some clips."""

    rows: Int64[np.ndarray, " n"]
    """Position of each clip in the dataset."""
    scores: Mapping[str, Float32[np.ndarray, "n k"]]
    """Class scores by the kind of answer."""


def no_answers(kinds: Sequence[str], n_classes: int) -> Answers:
    """Return what a network says of no clip."""
    nothing = np.empty((0, n_classes), dtype=np.float32)
    return Answers(np.empty(0, dtype=np.int64), dict.fromkeys(kinds, nothing))


def joined(answers: Sequence[Answers]) -> Answers:
    """Return several answers as one, in the order of the dataset."""
    rows = np.concatenate([part.rows for part in answers])
    order = np.argsort(rows)
    return Answers(
        rows=rows[order],
        scores={
            kind: np.concatenate([part.scores[kind] for part in answers])[order]
            for kind in answers[0].scores
        },
    )


def labels(asked: Asked, answers: Answers) -> Int64[np.ndarray, " n"]:
    """Return the class of each clip that was answered; -1 where it has none."""
    return np.array([asked.samples[row].label for row in answers.rows], dtype=np.int64)


def counts(asked: Asked, answers: Answers, failures: Sequence[Failure]) -> Row:
    """Return how many clips were answered, could not be read, and have no class."""
    return {
        "clips": len(answers.rows),
        "failed": len(failures),
        "unlabelled": int(np.sum(labels(asked, answers) == UNKNOWN_LABEL)),
    }


def accuracies(asked: Asked, answers: Answers, kind: str) -> dict[int, float | None]:
    """Return top-1 and top-5 accuracy of one kind of answer in percent, by rank."""
    own, scores = labels(asked, answers), answers.scores[kind]
    return {rank: top_k_percent(scores, own, rank) for rank in RANKS}


def predictions(asked: Asked, answers: Answers, kind: str) -> Predictions:
    """Return one kind of answer as it is written, a row a clip."""
    samples = [asked.samples[row] for row in answers.rows]
    return Predictions(
        ids=[sample.id for sample in samples],
        labels=[asked.class_name(sample.label) for sample in samples],
        predicted=[asked.classes[best] for best in answers.scores[kind].argmax(axis=1)],
        classes=asked.classes,
        probabilities=probabilities(answers, kind),
    )


def probabilities(answers: Answers, kind: str) -> Float32[np.ndarray, "n k"]:
    """Return the probability of each class by one kind of answer, in [0, 1]."""
    return torch.from_numpy(answers.scores[kind]).softmax(dim=1).numpy()


def is_right(made: Predictions) -> Mapping[str, bool]:
    """Return by id whether each prediction is the label."""
    lines = zip(made.ids, made.labels, made.predicted, strict=True)
    return {id_: label == predicted for id_, label, predicted in lines}


def accuracy_percent(made: Predictions) -> float | None:
    """Return the share of predictions that are right in percent; None where there are none."""
    right = is_right(made)
    return 100 * sum(right.values()) / len(right) if right else None

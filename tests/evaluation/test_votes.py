"""How the answers to clips become those to sequences, on numbers made by hand."""

from pathlib import Path

import numpy as np
import pytest

from attncli.data.samples import VideoSample
from attncli.errors import Failure
from attncli.evaluation.answers import Answers
from attncli.evaluation.asked import Asked
from attncli.evaluation.class_scores import ATTENTION, PERCEPTION
from attncli.evaluation.votes import Votes

CLASSES = ("anger", "happy", "fear")
LABELS = {"a": 0, "b": 1, "c": 2}


@pytest.fixture
def votes() -> Votes:
    """Clips of three sequences, mixed: rows 0 to 4 are of a, b, a, a, b; row 5 of c."""
    samples = [VideoSample(id_, Path(id_), LABELS[id_], start=0) for id_ in "abaabc"]
    return Votes(Asked(samples, CLASSES, attention=("spatial",)))


def answers() -> Answers:
    """Row 5 could not be read; the branches disagree on b."""
    perception = [
        [0.40, 0.35, 0.25],  # a votes anger
        [0.10, 0.80, 0.10],  # b votes happy
        [0.40, 0.35, 0.25],  # a votes anger: it wins, 2 to 1
        [0.00, 1.00, 0.00],  # a votes happy, whose mean over a is the largest
        [0.45, 0.10, 0.45],  # b votes anger: a tie, which happy wins by 0.9 to 0.55
    ]
    attention = [
        [0.9, 0.1, 0.0],
        [0.1, 0.1, 0.8],
        [0.9, 0.1, 0.0],
        [0.9, 0.1, 0.0],
        [0.1, 0.1, 0.8],
    ]
    return Answers(
        rows=np.arange(5),
        scores={
            branch: np.log(np.array(values, dtype=np.float32) + 1e-6)
            for branch, values in ((PERCEPTION, perception), (ATTENTION, attention))
        },
    )


def test_clips_vote_on_their_sequence_and_probabilities_are_their_mean(votes):
    made = votes.predictions(answers(), PERCEPTION)
    assert (made.ids, made.labels, made.predicted) == (
        ["a", "b"],
        ["anger", "happy"],
        ["anger", "happy"],
    )
    means = [[0.8 / 3, 1.7 / 3, 0.5 / 3], [0.275, 0.45, 0.275]]
    np.testing.assert_allclose(made.probabilities, means, atol=1e-4)


def test_each_branch_has_a_vote_of_its_own(votes):
    made = votes.predictions(answers(), ATTENTION)
    assert made.predicted == ["anger", "fear"]


def test_figures(votes):
    figures = votes.row(answers(), [Failure("c", "c", "damaged")] * 2)
    assert figures == {
        "sequences": 2,
        "clips": 5,
        "failed": 1,
        "accuracy": 100.0,
        "attention_accuracy": 50.0,
        "clip_accuracy": pytest.approx(60.0),
    }


def test_nothing_that_could_be_read_has_no_accuracy(votes):
    nothing = np.empty((0, 3), dtype=np.float32)
    empty = Answers(np.empty(0, dtype=np.int64), {PERCEPTION: nothing, ATTENTION: nothing})
    figures = votes.row(empty, [])
    assert (figures["sequences"], figures["accuracy"], figures["clip_accuracy"]) == (0, None, None)

from pathlib import Path

import numpy as np
import pytest

from attncli.data.samples import VideoSample
from attncli.errors import Failure
from attncli.evaluation.answers import (
    Answers,
    accuracies,
    accuracy_percent,
    counts,
    is_right,
    joined,
    labels,
    no_answers,
    predictions,
    probabilities,
)
from attncli.evaluation.asked import Asked
from attncli.files.predictions import Predictions

CLASSES = tuple("abcdefg")
ASKED = Asked(
    samples=[
        VideoSample(f"v{row}", Path(f"{row}.avi"), label) for row, label in enumerate((0, 1, -1, 2))
    ],
    classes=CLASSES,
)


def scores(*best):
    """Return class scores that rise with the position, but for the best class."""
    made = np.tile(np.arange(len(CLASSES), dtype=np.float32), (len(best), 1))
    made[np.arange(len(best)), best] = 10
    return made


ANSWERS = Answers(
    np.array([0, 1, 2, 3]), {"own": scores(0, 0, 3, 3), "inverted": scores(1, 1, 1, 2)}
)


def test_parts_are_joined_in_the_order_of_the_dataset():
    parts = [
        Answers(ANSWERS.rows[rows], {kind: of[rows] for kind, of in ANSWERS.scores.items()})
        for rows in (np.array([3, 0]), np.array([2, 1]))
    ]
    whole = joined([*parts, no_answers(("own", "inverted"), len(CLASSES))])
    assert whole.rows.tolist() == [0, 1, 2, 3]
    for kind, expected in ANSWERS.scores.items():
        np.testing.assert_array_equal(whole.scores[kind], expected)


def test_answers_to_no_clip_have_no_accuracy():
    nothing = no_answers(("own",), len(CLASSES))
    assert accuracies(ASKED, nothing, "own") == {1: None, 5: None}
    assert counts(ASKED, nothing, [])["clips"] == 0


def test_labels_are_those_of_the_clips_that_were_answered():
    some = Answers(np.array([3, 0]), {"own": scores(0, 0)})
    assert labels(ASKED, some).tolist() == [2, 0]


def test_clips_failures_and_clips_without_a_class_are_counted():
    failures = [Failure("x", "x.avi", "cut short")]
    assert counts(ASKED, ANSWERS, failures) == {"clips": 4, "failed": 1, "unlabelled": 1}


def test_accuracy_is_of_the_labelled_clips_and_of_one_kind_of_answer():
    # Of labels 0, 1 and 2, `own` has 0 right, and its five are a g f e d for label 1, d g f e c for
    # label 2. `inverted` has 1 and 2 right, and its five for label 0 are b g f e d.
    third = 100 / 3
    own = accuracies(ASKED, ANSWERS, "own")
    inverted = accuracies(ASKED, ANSWERS, "inverted")
    assert (own[1], own[5]) == pytest.approx((third, 2 * third))
    assert (inverted[1], inverted[5]) == pytest.approx((2 * third, 2 * third))


def test_predictions_name_clips_and_classes():
    made = predictions(ASKED, ANSWERS, "own")
    assert list(made.ids) == ["v0", "v1", "v2", "v3"]
    assert list(made.labels) == ["a", "b", "", "c"]
    assert list(made.predicted) == ["a", "a", "d", "d"]


def test_probabilities_are_a_softmax_of_the_scores():
    two = Answers(np.array([0]), {"own": np.log(np.array([[1, 3]], dtype=np.float32))})
    np.testing.assert_allclose(probabilities(two, "own"), [[0.25, 0.75]], rtol=1e-6)


def test_what_is_right_is_told_by_id_and_as_a_share():
    def made(*rows):
        ids, names, predicted = zip(*rows, strict=True) if rows else ((), (), ())
        shares = np.full((len(rows), 2), 0.5, dtype=np.float32)
        return Predictions(list(ids), list(names), list(predicted), ("a", "b"), shares)

    some = made(("x", "a", "a"), ("y", "a", "b"), ("z", "b", "b"), ("w", "b", "a"))
    assert is_right(some) == {"x": True, "y": False, "z": True, "w": False}
    assert accuracy_percent(some) == 50
    assert accuracy_percent(made()) is None

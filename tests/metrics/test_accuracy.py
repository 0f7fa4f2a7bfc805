import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.metrics.accuracy import classes_ahead, top_k_percent

SCORES = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.0, 0.1, 0.9]], dtype=np.float32)


def test_the_share_of_right_answers_is_in_percent() -> None:
    labels = np.array([1, 2, 0])
    assert top_k_percent(SCORES, labels, 1) == pytest.approx(100 / 3)
    assert top_k_percent(SCORES, labels, 2) == pytest.approx(200 / 3)
    assert top_k_percent(SCORES, labels, 3) == 100


def test_with_fewer_than_five_classes_every_clip_is_right_in_five() -> None:
    assert top_k_percent(SCORES, np.array([2, 1, 0]), 5) == 100


def test_of_equal_scores_the_first_class_ranks_first() -> None:
    scores = np.zeros((4, 4), dtype=np.float32)
    labels = np.arange(4)
    assert [top_k_percent(scores, labels, rank) for rank in (1, 2, 3, 4)] == [25, 50, 75, 100]


def test_a_tie_at_rank_five_goes_to_the_class_that_comes_first() -> None:
    scores = np.array([[9, 8, 7, 6, 1, 1, 1]] * 7, dtype=np.float32)
    assert classes_ahead(torch.from_numpy(scores), torch.arange(7)).tolist() == [*range(7)]
    assert top_k_percent(scores[:3], np.array([4, 5, 6]), 5) == 100 / 3


def test_a_score_that_is_no_number_is_never_right_at_first() -> None:
    scores = torch.tensor([[torch.nan, torch.nan], [torch.nan, 1.0], [1.0, 0.0]])
    assert classes_ahead(scores, torch.tensor([0, 1, 0])).tolist() == [2, 1, 0]


def test_clips_without_a_class_are_left_out() -> None:
    assert top_k_percent(SCORES, np.array([1, -1, -1]), 1) == 100
    assert top_k_percent(SCORES, np.array([-1, -1, -1]), 1) is None
    assert top_k_percent(np.empty((0, 3), np.float32), np.empty(0, np.int64), 1) is None


def test_scores_that_are_not_finite_have_no_order() -> None:
    with pytest.raises(ValueError, match="finite"):
        top_k_percent(np.array([[np.nan, 1.0]]), np.array([0]), 1)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    clips=st.integers(1, 30),
    classes=st.integers(1, 12),
    rank=st.integers(1, 12),
)
def test_it_agrees_with_sorting(seed: int, clips: int, classes: int, rank: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 5, (clips, classes)).astype(np.float64)
    labels = generator.integers(0, classes, clips)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :rank]
    expected = 100 * np.mean([label in row for label, row in zip(labels, best, strict=True)])
    assert top_k_percent(scores, labels, rank) == pytest.approx(expected)

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.metrics.voting import majority_vote


def test_the_class_that_most_clips_name_wins_though_another_is_more_probable():
    probabilities = np.array([[0.51, 0.49], [0.51, 0.49], [0.0, 1.0]])
    votes = majority_vote(probabilities, np.array([0, 0, 0]))
    assert votes.winners.tolist() == [0]
    np.testing.assert_allclose(votes.probabilities, [[0.34, 0.66]])


def test_a_tie_goes_to_the_larger_sum_of_probabilities():
    probabilities = np.array([[0.5, 0.1, 0.4], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5]])
    # One vote each: sums 1.0, 0.8, 1.2.
    assert majority_vote(probabilities, np.zeros(3, dtype=np.int64)).winners.tolist() == [2]


def test_a_class_without_a_vote_never_wins_a_tie():
    probabilities = np.array([[0.5, 0.45, 0.05], [0.05, 0.45, 0.5]])
    # Class 1 has the largest sum, 0.9, but no clip names it.
    assert majority_vote(probabilities, np.zeros(2, dtype=np.int64)).winners.tolist() == [0]


def test_sequences_may_be_mixed():
    probabilities = np.eye(2)[[0, 1, 0, 1]]
    votes = majority_vote(probabilities, np.array([1, 0, 1, 0]))
    assert votes.winners.tolist() == [1, 0]


def test_nothing_to_vote_on_is_no_error():
    votes = majority_vote(np.empty((0, 3)), np.empty(0, dtype=np.int64))
    assert votes.winners.shape == (0,)
    assert votes.probabilities.shape == (0, 3)


def test_a_gap_in_the_numbers_is_refused():
    with pytest.raises(ValueError, match="every sequence needs a clip"):
        majority_vote(np.eye(2), np.array([0, 2]))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.integers(0, 9), min_size=3, max_size=3)),
        min_size=1,
        max_size=30,
    )
)
def test_votes_agree_with_counting_by_hand(clips):
    numbers = {name: i for i, name in enumerate(dict.fromkeys(name for name, _ in clips))}
    weights = np.array([values for _, values in clips], dtype=np.float64) + 1
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    sequences = np.array([numbers[name] for name, _ in clips])
    votes = majority_vote(probabilities, sequences)
    for number in numbers.values():
        own = probabilities[sequences == number]
        counted = Counter(row.tolist().index(max(row)) for row in own)
        most = max(counted.values())
        tied = [label for label, count in counted.items() if count == most]
        sums = {label: sum(row[label] for row in own) for label in tied}
        assert sums[int(votes.winners[number])] == pytest.approx(max(sums.values()))

"""One answer for a sequence from those of its clips."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int, Int64


@dataclass(frozen=True)
class Votes:
    """What the clips of each sequence agree on."""

    winners: Int64[np.ndarray, " s"]
    """Class that most clips of a sequence name."""
    probabilities: Float64[np.ndarray, "s k"]
    """Mean over its clips of the probability of each class, in [0, 1]."""


def majority_vote(
    probabilities: Float[np.ndarray, "n k"], sequences: Int[np.ndarray, " n"]
) -> Votes:
    """Return the class that most clips of each sequence name (paper on RAM, section 4.1).

    Of classes that equally many clips name, the one wins whose probabilities sum up to most, and of
    equal sums the first; the paper does not say. A clip names the class it finds most probable, of
    equals the first.

    Args:
        probabilities: Probability of each class, a row a clip.
        sequences: Number of each clip's sequence: 0, 1, … without a gap, in any order.

    Raises:
        ValueError: A sequence has no clip.

    >>> majority_vote(np.array([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9]]), np.array([0, 0, 0])).winners
    array([1])
    """
    clips = np.bincount(sequences)
    if not clips.all():
        raise ValueError("every sequence needs a clip")
    n, k = len(clips), probabilities.shape[1]
    votes = np.zeros((n, k), dtype=np.int64)
    np.add.at(votes, (sequences, probabilities.argmax(axis=1)), 1)
    sums = np.zeros((n, k))
    np.add.at(sums, sequences, probabilities.astype(np.float64))
    leads = votes == votes.max(axis=1, keepdims=True)
    winners = np.where(leads, sums, -np.inf).argmax(axis=1)
    return Votes(winners=winners, probabilities=sums / clips[:, None])

"""Classes told by features: accuracy over divisions of the images, and differences in pairs."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from attncli.training.estimator import UNKNOWN


@dataclass(frozen=True)
class Spread:
    """A figure over several divisions of the images."""

    mean: float
    """Its mean."""
    std: float | None
    """Its sample standard deviation; None for a single division."""
    n: int
    """Divisions."""


@dataclass(frozen=True)
class Difference:
    """What one feature is better by than another, division by division."""

    spread: Spread
    """Differences of their accuracies, in percentage points; positive if the first is better."""
    wins: int
    """Divisions in which the first is better."""
    losses: int
    """Divisions in which the second is."""


def accuracy_percent(
    scores: Float[np.ndarray, "n k"], labels: Int64[np.ndarray, " n"]
) -> float | None:
    """Return the share of labelled images whose best class is theirs; None where there are none."""
    known = labels != UNKNOWN
    if not known.any():
        return None
    return 100 * float(np.mean(scores.argmax(axis=1)[known] == labels[known]))


def spread(values: Sequence[float]) -> Spread:
    """Return mean and spread of a figure.

    >>> spread([1.0, 2.0, 3.0])
    Spread(mean=2.0, std=1.0, n=3)
    """
    std = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), std, len(values))


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Return what `first` is better by than `second`, in pairs of the same division.

    The spread is that of the differences, and so free of what makes a division hard for both.

    Args:
        first: Accuracies of a feature in percent, a division each.
        second: Those of another one, in the same order.

    >>> difference([80.0, 91.0], [79.0, 90.0]).spread
    Spread(mean=1.0, std=0.0, n=2)
    """
    pairs = [mine - other for mine, other in zip(first, second, strict=True)]
    wins, losses = sum(pair > 0 for pair in pairs), sum(pair < 0 for pair in pairs)
    return Difference(spread(pairs), wins, losses)

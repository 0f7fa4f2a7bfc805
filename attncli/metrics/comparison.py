"""Whether two classifiers that were asked the same differ by more than chance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.stats import binomtest


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same samples."""

    only_first: int
    """Samples that the first classifier alone got right."""
    only_second: int
    """Samples that the second classifier alone got right."""
    p: float
    """Probability of a difference at least as large if both were equally good, in (0, 1]."""


def mcnemar(first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " n"]) -> McNemar:
    """Return McNemar's exact test, two-sided (Q. McNemar, Psychometrika 12, 1947).

    Where the classifiers disagree, each is as likely to be the one that is right if both are
    equally good; so the counts follow a binomial distribution of one half.

    Args:
        first: Whether the first classifier got each sample right.
        second: The same of the second classifier, in the same order.

    >>> mcnemar(np.array([True] * 6), np.array([False] * 6)).p
    0.03125
    """
    only_first = int(np.sum(first & ~second))
    only_second = int(np.sum(second & ~first))
    apart = only_first + only_second
    p = float(binomtest(only_first, apart, 0.5).pvalue) if apart else 1.0
    return McNemar(only_first, only_second, p)

"""How far figures of repeated trainings lie apart."""

import statistics
from collections.abc import Sequence


def mean_and_std(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean of figures and their sample standard deviation, `sqrt(Σ(x-m)²/(n-1))`.

    Args:
        values: One figure a training, in any unit.

    Returns:
        Both in that unit; None for the mean of nothing, and for the spread of fewer than two.

    >>> mean_and_std([1.0, 2.0, 3.0]), mean_and_std([4.0])
    ((2.0, 1.0), (4.0, None))
    """
    mean = statistics.fmean(values) if values else None
    return mean, statistics.stdev(values) if len(values) > 1 else None

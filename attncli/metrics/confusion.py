"""Which classes are taken for which."""

import numpy as np
from jaxtyping import Float64, Int, Int64
from sklearn.metrics import confusion_matrix


def confusion(
    labels: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], *, n_classes: int
) -> Int64[np.ndarray, "k k"]:
    """Return how many samples of each class (rows) were taken for each class (columns).

    Args:
        labels: Class of each sample.
        predicted: Class it was taken for.
        n_classes: Number of classes k, whether or not they occur.
    """
    if len(labels) == 0:
        return np.zeros((n_classes, n_classes), dtype=np.int64)
    return confusion_matrix(labels, predicted, labels=np.arange(n_classes)).astype(np.int64)


def row_percent(counts: Int[np.ndarray, "k k"]) -> Float64[np.ndarray, "k k"]:
    """Return the share of each row's samples in percent; NaN in rows without any.

    The diagonal is each class's recall.

    >>> row_percent(np.array([[3, 1], [0, 0]])).round(1).tolist()
    [[75.0, 25.0], [nan, nan]]
    """
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(100.0 * counts, totals, where=totals > 0, out=np.full(counts.shape, np.nan))

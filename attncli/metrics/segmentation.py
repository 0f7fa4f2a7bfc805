"""How well label maps agree with the truth: PASCAL VOC's intersection over union.

One table of counts is kept of all pixels of a split, and every figure is of that table: a mean of
the figures of single images would be another measure. Tables of parts of a split add up.
"""

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from attncli.files.label_maps import IGNORE_LABEL


def pixel_confusion(
    truth: UInt8[np.ndarray, "*shape"], predicted: UInt8[np.ndarray, "*shape"], *, n_labels: int
) -> Int64[np.ndarray, "n m"]:
    """Return how many pixels of each label (rows) were given each label (columns).

    There are `n_labels` rows, and one column more: the last one counts the pixels that were given
    no label (255). Pixels whose truth is 255 are left out (M. Everingham et al., "The PASCAL Visual
    Object Classes Challenge: A Retrospective", IJCV 2015, section 4).

    Args:
        truth: True label of each pixel.
        predicted: Label it was given.
        n_labels: Number of labels, the background among them.

    Raises:
        ValueError: A label is neither below `n_labels` nor 255.
    """
    counted = truth != IGNORE_LABEL
    rows, columns = truth[counted].astype(np.int64), predicted[counted].astype(np.int64)
    is_known = (columns < n_labels) | (columns == IGNORE_LABEL)
    if rows.max(initial=0) >= n_labels or not is_known.all():
        raise ValueError(f"labels must be below {n_labels}, or {IGNORE_LABEL}")
    columns = np.minimum(columns, n_labels)
    size = n_labels * (n_labels + 1)
    counts = np.bincount(rows * (n_labels + 1) + columns, minlength=size)
    return counts.reshape(n_labels, n_labels + 1)


def iou_percent(counts: Int64[np.ndarray, "n m"]) -> Float64[np.ndarray, " n"]:
    """Return the intersection over union of each label, in percent.

    TP / (TP + FP + FN). A pixel without a label is a miss (FN) of its true label. A label that is
    only given and never true has 0, one that is neither has NaN.

    Args:
        counts: Table of `pixel_confusion`.
    """
    hits = counts.diagonal()
    return _percent(hits, counts.sum(axis=1) + _given(counts) - hits)


def recall_percent(counts: Int64[np.ndarray, "n m"]) -> Float64[np.ndarray, " n"]:
    """Return what share of the pixels of each label was given it; NaN where there are none."""
    return _percent(counts.diagonal(), counts.sum(axis=1))


def precision_percent(counts: Int64[np.ndarray, "n m"]) -> Float64[np.ndarray, " n"]:
    """Return what share of the pixels given each label are of it; NaN where there are none."""
    return _percent(counts.diagonal(), _given(counts))


def mean_iou_percent(counts: Int64[np.ndarray, "n m"]) -> float | None:
    """Return the mean over the labels that are true or given anywhere; None where none is."""
    shares = iou_percent(counts)
    known = shares[~np.isnan(shares)]
    return float(known.mean()) if len(known) else None


def pixel_accuracy_percent(counts: Int64[np.ndarray, "n m"]) -> float | None:
    """Return what share of all pixels was given its true label; None where there are none."""
    total = int(counts.sum())
    return 100 * int(counts.trace()) / total if total else None


def undefined_pixels(counts: Int64[np.ndarray, "n m"]) -> int:
    """Return how many pixels that have a true label were given none."""
    return int(counts[:, -1].sum())


def _given(counts: Int64[np.ndarray, "n m"]) -> Int64[np.ndarray, " n"]:
    return counts[:, :-1].sum(axis=0)


def _percent(
    part: Int64[np.ndarray, " n"], whole: Int64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    return np.where(whole > 0, 100 * part / np.maximum(whole, 1), np.nan)

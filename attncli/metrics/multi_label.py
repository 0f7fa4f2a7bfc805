"""How well a model tells which of several classes an image shows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from sklearn.metrics import average_precision_score


@dataclass(frozen=True)
class ClassFigures:
    """Figures of each class over some images; NaN where there is no such figure."""

    images: Int64[np.ndarray, " k"]
    """Images that show the class."""
    average_precision: Float64[np.ndarray, " k"]
    """Mean precision at the rank of each image that shows the class, in [0, 1]; NaN without any."""
    precision: Float64[np.ndarray, " k"]
    """Share of those said to show the class that do, in [0, 1]; NaN where none is."""
    recall: Float64[np.ndarray, " k"]
    """Share of those that show the class that are said to, in [0, 1]; NaN without any."""
    f1: Float64[np.ndarray, " k"]
    """Harmonic mean of precision and recall, in [0, 1]; NaN where no image shows the class."""


def class_figures(
    probabilities: Float[np.ndarray, "n k"],
    shown: Bool[np.ndarray, "n k"],
    *,
    threshold: float = 0.5,
) -> ClassFigures:
    """Return how well each class is told.

    Average precision is not interpolated: the sum over ranks of the rise in recall times the
    precision there (scikit-learn), a little below the interpolated one of PASCAL VOC.

    Args:
        probabilities: Probability that an image shows a class.
        shown: Whether it does.
        threshold: Probability from which on an image is said to show a class.
    """
    said = probabilities >= threshold
    hits = (said & shown).sum(axis=0)
    images, calls = shown.sum(axis=0), said.sum(axis=0)
    ranked = [
        average_precision_score(shown[:, k], probabilities[:, k]) if images[k] else np.nan
        for k in range(shown.shape[1])
    ]
    return ClassFigures(
        images=images.astype(np.int64),
        average_precision=np.array(ranked, dtype=np.float64),
        precision=_share(hits, calls),
        recall=_share(hits, images),
        f1=np.where(images > 0, _share(2 * hits, images + calls), np.nan),
    )


def _share(part: np.ndarray, whole: np.ndarray) -> Float64[np.ndarray, " k"]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)

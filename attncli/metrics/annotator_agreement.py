"""How well people agree on the temporal attention they gave the same frames."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.metrics import cohen_kappa_score

from attncli.files.temporal_edits import LEVELS


@dataclass(frozen=True)
class PairAgreement:
    """Agreement of two people on the frames that both gave a score."""

    same_percent: float
    """Share of the frames with the same score."""
    mean_difference: float
    """Mean absolute difference of their scores, in [0, 1]."""
    kappa: float | None
    """Cohen's kappa, in [-1, 1], with weights linear in the difference; None where a score is none
    of the three levels, or both gave every frame the same one."""


def pair_agreement(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]
) -> PairAgreement:
    """Return how well two people agree; there must be a frame, and all must have a score."""
    return PairAgreement(
        same_percent=float(100 * np.mean(first == second)),
        mean_difference=float(np.mean(np.abs(first - second))),
        kappa=_linear_kappa(first, second),
    )


def _linear_kappa(first: np.ndarray, second: np.ndarray) -> float | None:
    given = np.unique([first, second])
    if len(given) == 1 or not np.isin(given, LEVELS).all():
        return None
    levels = range(len(LEVELS))
    numbers = (np.searchsorted(LEVELS, scores) for scores in (first, second))
    return float(cohen_kappa_score(*numbers, labels=[*levels], weights="linear"))


def interval_alpha(scores: Float[np.ndarray, "people n"]) -> float | None:
    """Return Krippendorff's alpha for interval data: 1 is full agreement, 0 that of chance.

    alpha = 1 - D_o / D_e, where D_o is the mean squared difference of two scores of the same frame
    and D_e that of two scores of any frames (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011).

    Args:
        scores: What each person gave each frame; NaN where nothing. Frames with fewer than two
            scores do not count.

    Returns:
        Alpha, at most 1; None where no frame counts or all scores are the same.
    """
    people = np.sum(~np.isnan(scores), axis=0)
    paired = scores[:, people > 1].astype(np.float64)
    people = people[people > 1]
    values = paired[~np.isnan(paired)]
    if len(np.unique(values)) < 2:
        return None
    expected = _squared_differences(len(values), values.sum(), np.square(values).sum())
    within = _squared_differences(
        people, np.nansum(paired, axis=0), np.nansum(np.square(paired), axis=0)
    )
    observed = np.sum(within / (people - 1)) / len(values)
    return float(1 - observed * len(values) * (len(values) - 1) / expected)


def _squared_differences(
    count: int | np.ndarray, total: float | np.ndarray, squares: float | np.ndarray
) -> np.ndarray:
    """Return the sum of (a - b)^2 over all ordered pairs of `count` numbers, from their sums."""
    return np.asarray(2 * (count * squares - np.square(total)))

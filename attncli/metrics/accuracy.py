"""How often a model names the right class."""

import numpy as np
from jaxtyping import Float, Int


def top_k_percent(
    scores: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], rank: int
) -> float | None:
    """Return the share of clips whose class is among the `rank` highest scores, in percent.

    Of equal scores the class that comes first ranks first. With no more than `rank` classes every
    clip counts as right.

    Args:
        scores: Class scores or probabilities.
        labels: Class of each clip; those with -1 have none and are left out.
        rank: How many classes the model may name.

    Returns:
        A percentage, or None where no clip has a class.

    Raises:
        ValueError: A score is not finite, so that there is no order.
    """
    if not np.isfinite(scores).all():
        raise ValueError("class scores must be finite")
    known = labels >= 0
    if not known.any():
        return None
    scores, labels = scores[known], labels[known]
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1]) < labels[:, None]
    better = (scores > own) | ((scores == own) & earlier)
    return float(100 * np.mean(better.sum(axis=1) < rank))

"""How often a model names the right class."""

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor


def classes_ahead(scores: Float[Tensor, "n k"], labels: Int64[Tensor, " n"]) -> Int64[Tensor, " n"]:
    """Return how many classes rank before that of each clip, on the device of the scores.

    Of equal scores the class that comes first ranks first. NaN counts as ahead of every score, its
    own place too, so that it never makes a clip right at first.

    Args:
        scores: Class scores or probabilities.
        labels: Class of each clip, not negative.

    >>> classes_ahead(torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]), torch.tensor([2, 0]))
    tensor([1, 0])
    """
    own = scores.gather(1, labels[:, None])
    later = torch.arange(scores.shape[1], device=labels.device) >= labels[:, None]
    behind = (scores < own) | ((scores == own) & later)
    return (~behind).sum(dim=1)


def top_k_percent(
    scores: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], rank: int
) -> float | None:
    """Return the share of clips whose class is among the `rank` highest scores, in percent.

    Classes rank as in `classes_ahead`. With no more than `rank` classes every clip counts as right.

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
    own = torch.from_numpy(labels[known].astype(np.int64))
    ahead = classes_ahead(torch.from_numpy(scores[known]), own)
    return 100 * int((ahead < rank).sum()) / len(own)

"""Distances between features of people as they are, without anything learnt."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from attncli.metrics.ranking import without_rounding

ROWS_AT_ONCE = 2048
"""Images whose features are in 64 bits at a time."""


class Cosine:
    """1 - cosine of the angle between features, in [0, 2]: an `attncli.training.metric.Distance`.

    Features of nothing but zeros are at distance 1 from all others.
    """

    def embed(self, features: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
        """Return features, which are of length 1, as they are."""
        return features

    def between(
        self, probe: Float32[np.ndarray, "q d"], gallery: Float32[np.ndarray, "g d"]
    ) -> Float64[np.ndarray, "q g"]:
        """Return the distance of each probe and gallery image, computed in 64 bits."""
        left = probe.astype(np.float64)
        distances = np.empty((len(probe), len(gallery)))
        for start in range(0, len(gallery), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            distances[:, part] = 1 - left @ gallery[part].T.astype(np.float64)
        return without_rounding(distances, np.ones(len(probe)))


def unit_rows(features: Float[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """Return features divided by their lengths; those of zeros stay zeros."""
    rows = features.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)[:, None]
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)

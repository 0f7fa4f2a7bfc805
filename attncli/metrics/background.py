"""Which constant score of the background suits class activation maps best, by the truth.

A pixel is background where no class scores higher than the constant. One histogram of the pixels
holds the tables of all constants; those of parts of a split add up.
"""

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from attncli.files.label_maps import IGNORE_LABEL
from attncli.metrics.segmentation import mean_iou_percent

CONSTANTS = np.arange(1, 101, dtype=np.float32) / np.float32(100)
"""The scores that are tried: 0.01 to 1."""


def constant_histogram(
    truth: UInt8[np.ndarray, "h w"],
    labels: UInt8[np.ndarray, "h w"],
    highest: Float32[np.ndarray, "h w"],
    *,
    n_labels: int,
) -> Int64[np.ndarray, "n n _"]:
    """Return how many pixels have a true label, a class that scores highest, and such a score.

    The score is given as the number of `CONSTANTS` that it is higher than. Pixels whose truth is
    255 are left out.

    Args:
        truth: True label of each pixel, below `n_labels` or 255.
        labels: Label of the class that scores highest, the background left out.
        highest: Its score.
        n_labels: Number n of labels, the background among them.
    """
    counted = truth != IGNORE_LABEL
    exceeded = np.searchsorted(CONSTANTS, highest[counted], side="left")
    shape = (n_labels, n_labels, len(CONSTANTS) + 1)
    places = np.ravel_multi_index((truth[counted], labels[counted], exceeded), shape)
    return np.bincount(places, minlength=np.prod(shape)).reshape(shape)


def confusion_at(histogram: Int64[np.ndarray, "n n _"], constant: int) -> Int64[np.ndarray, "n m"]:
    """Return the table of `pixel_confusion` for one of `CONSTANTS`, named by its position."""
    own = histogram[:, :, constant + 1 :].sum(axis=2)
    own[:, 0] += histogram[:, :, : constant + 1].sum(axis=(1, 2))
    return np.pad(own, ((0, 0), (0, 1)))  # no pixel goes without a label


def best_constant(histogram: Int64[np.ndarray, "n n _"]) -> int:
    """Return the position in `CONSTANTS` of that with the highest mean IoU, the first of equals."""
    means = [mean_iou_percent(confusion_at(histogram, i)) or 0.0 for i in range(len(CONSTANTS))]
    return int(np.argmax(means))

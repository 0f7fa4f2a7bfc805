"""What static SSDD foresaw of an image, beside its refined seed: `ID.difference.npz`.

It holds `knowledge` and `advice`, float16 in [0, 1], the probability of each pixel's label to be
another in the other seed, and `segmented`, the label map of the segmentation branch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from attncli.errors import AttncliError
from attncli.files.arrays import read_archive, require_unit_range
from attncli.files.atomic import replacing

SUFFIX = ".difference.npz"
REMEDY = "write it anew with `attncli refine-seeds ssdd`"


@dataclass(frozen=True)
class Differences:
    """What was foreseen of one image."""

    knowledge: Float[np.ndarray, "h w"]
    """Probability that the knowledge's label changes, in [0, 1]."""
    advice: Float[np.ndarray, "h w"]
    """Probability that the advice's label changes, in [0, 1]."""
    segmented: UInt8[np.ndarray, "h w"]
    """Label of each pixel by the segmentation branch."""


def differences_path(directory: Path, image_id: str) -> Path:
    """Return where the differences of an image are."""
    return directory / f"{image_id}{SUFFIX}"


def write_differences(directory: Path, image_id: str, differences: Differences) -> None:
    """Write the differences of one image."""
    path = differences_path(directory, image_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            knowledge=differences.knowledge.astype(np.float16),
            advice=differences.advice.astype(np.float16),
            segmented=differences.segmented,
        )


def read_differences(directory: Path, image_id: str) -> Differences:
    """Return what `write_differences` wrote.

    Raises:
        AttncliError: There are none, or the file holds something else.
    """
    path = differences_path(directory, image_id)
    names = ("knowledge", "advice", "segmented")
    knowledge, advice, segmented = read_archive(path, *names, remedy=REMEDY)
    shapes = {array.shape for array in (knowledge, advice, segmented)}
    kinds = [array.dtype for array in (knowledge, advice, segmented)]
    if kinds != [np.float16, np.float16, np.uint8] or len(shapes) > 1 or knowledge.ndim != 2:
        raise AttncliError("holds no differences", where=path, remedy=REMEDY)
    for values in (knowledge, advice):
        require_unit_range(values, what="probabilities are", where=path, remedy=REMEDY)
    return Differences(knowledge, advice, segmented)

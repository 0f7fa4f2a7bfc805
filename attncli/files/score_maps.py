"""Score maps: how much each pixel of an image belongs to each class present, a file an image.

`ID.npz` holds `classes`, the classes present as label maps number them (0 is the background, class
i of the dataset i + 1), in rising order, and `scores`, float16 in [0, 1], a map each of the image's
own size. An image that shows no class has empty arrays.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float16, Int64

from attncli.errors import AttncliError
from attncli.files.arrays import read_archive, require_unit_range
from attncli.files.atomic import replacing

SUFFIX = ".npz"
REMEDY = "write it anew with `attncli eval` or `attncli refine-seeds`"


@dataclass(frozen=True)
class ScoreMaps:
    """The score maps of one image."""

    classes: Int64[np.ndarray, " k"]
    """Classes present as label maps number them, in rising order."""
    scores: Float16[np.ndarray, "k h w"]
    """How much each pixel belongs to each of them, in [0, 1]."""


def score_maps_path(directory: Path, image_id: str) -> Path:
    """Return where the score maps of an image are."""
    return directory / f"{image_id}{SUFFIX}"  # no suffix is replaced: ids may hold dots


def write_score_maps(
    directory: Path,
    image_id: str,
    classes: Int64[np.ndarray, " k"],
    scores: Float[np.ndarray, "k h w"],
) -> None:
    """Write the score maps of one image.

    Args:
        directory: Where those of all images are.
        image_id: The image.
        classes: Classes present as label maps number them, in rising order.
        scores: Their scores, in [0, 1].
    """
    path = score_maps_path(directory, image_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, classes=classes, scores=scores.astype(np.float16))


def read_score_maps(directory: Path, image_id: str) -> ScoreMaps:
    """Return what `write_score_maps` wrote.

    Raises:
        AttncliError: There are none, or the file holds something else.
    """
    path = score_maps_path(directory, image_id)
    classes, scores = read_archive(path, "classes", "scores", remedy=REMEDY)
    is_whole = (
        classes.dtype == np.int64
        and scores.dtype == np.float16
        and classes.ndim == 1
        and scores.ndim == 3
        and len(classes) == len(scores)
        and (np.diff(classes) > 0).all()
        and (classes >= 0).all()
    )
    if not is_whole:
        raise AttncliError("holds no score maps", where=path, remedy=REMEDY)
    require_unit_range(scores, what="scores are", where=path, remedy=REMEDY)
    return ScoreMaps(classes, scores)

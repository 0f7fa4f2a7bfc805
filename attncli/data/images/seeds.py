"""Seeds as they are used: scores of all classes that count, and the label of each pixel."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from attncli.config.seeds import Background
from attncli.data.images.label_maps import read_label_map
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.files.label_maps import IGNORE_LABEL
from attncli.files.score_maps import read_score_maps
from attncli.files.seeds import SeedDirectory, write_seed

UNSCORED = 1e-5
"""Where no score reaches this, a pixel is of no class (PSA's code)."""
REMEDY = "make the seeds anew from this dataset"


@dataclass(frozen=True)
class Scored:
    """How much each pixel of an image belongs to each class that counts."""

    classes: Int64[np.ndarray, " k"]
    """The classes as label maps number them, in rising order; 255 stands for none."""
    scores: Float32[np.ndarray, "k h w"]
    """Their scores, in [0, 1]."""

    @property
    def label_map(self) -> UInt8[np.ndarray, "h w"]:
        """The class of the highest score of each pixel, the first of equal ones."""
        return labels_of(self.classes, self.scores)


def labels_of(
    classes: Int64[np.ndarray, " k"], scores: Float32[np.ndarray, "k h w"]
) -> UInt8[np.ndarray, "h w"]:
    """Return the class of the highest score of each pixel; 255 where there is none to speak of."""
    if not len(classes):
        return np.full(scores.shape[1:], IGNORE_LABEL, dtype=np.uint8)
    labels = classes.astype(np.uint8)[scores.argmax(axis=0)]
    labels[scores.max(axis=0) < UNSCORED] = IGNORE_LABEL
    return labels


def read_scores(
    seeds: SeedDirectory,
    image_id: str,
    *,
    size_hw: tuple[int, int] | None = None,
    background: Background,
) -> Scored:
    """Return the scores of an image's seed, the background's among them.

    Seeds without scores are 1 in the class of each pixel, and 0 in all others.

    Args:
        seeds: The directory.
        image_id: The image.
        size_hw: Its rows and columns; any where None.
        background: The background's score where the seeds have none.

    Raises:
        AttncliError: There is no seed of the image, it cannot be read, or it is of another size or
            of classes that the dataset has not.
    """
    path = seeds.scores_path(image_id)
    if not path.is_file():
        return one_hot(read_labels(seeds, image_id, size_hw=size_hw, background=background))
    found = read_score_maps(seeds.path, image_id)
    if size_hw not in (None, found.scores.shape[1:]):
        rows, columns = size_hw or (0, 0)
        height, width = found.scores.shape[1:]
        what = f"is of an image of {width}x{height} pixels, this one has {columns}x{rows}"
        raise AttncliError(what, where=path, remedy=REMEDY)
    if found.classes.max(initial=0) > len(seeds.classes):
        what = f"scores class {found.classes.max()}, the dataset has {len(seeds.classes)} classes"
        raise AttncliError(what, where=path, remedy=REMEDY)
    scored = Scored(found.classes, found.scores.astype(np.float32))
    return scored if 0 in scored.classes else with_background(scored, background)


def read_labels(
    seeds: SeedDirectory,
    image_id: str,
    *,
    size_hw: tuple[int, int] | None = None,
    background: Background,
) -> UInt8[np.ndarray, "h w"]:
    """Return the label map of an image's seed, that of its scores where there is no other.

    Raises:
        AttncliError: As of `read_scores`.
    """
    path = seeds.label_map_path(image_id)
    if path.is_file():
        return read_label_map(path, n_classes=len(seeds.classes), size_hw=size_hw)
    if not seeds.scores_path(image_id).is_file():
        remedy = "make seeds of all images, or leave this one out"
        raise AttncliError("holds no seed of this image", where=path, remedy=remedy)
    return read_scores(seeds, image_id, size_hw=size_hw, background=background).label_map


def write_scored(directory: Path, image_id: str, scored: Scored) -> None:
    """Write the seed of an image; its label map is that of the scores as they are kept.

    The background is always among these, as whoever reads them would else give it a score, and no
    class (255) never is: it is where nothing is scored.

    Args:
        directory: Seed directory.
        image_id: The image.
        scored: Scores of the classes that count, in [0, 1].
    """
    whole = spread(scored, np.union1d(scored.classes[scored.classes != IGNORE_LABEL], [0]))
    kept = Scored(whole.classes, whole.scores.astype(np.float16).astype(np.float32))
    write_seed(directory, image_id, kept.label_map, kept.classes, kept.scores)


def spread(scored: Scored, classes: Int64[np.ndarray, " _"]) -> Scored:
    """Return scores of certain classes, in rising order; 0 of those that have none."""
    scores = np.zeros((len(classes), *scored.scores.shape[1:]), dtype=np.float32)
    _, own, wanted = np.intersect1d(scored.classes, classes, return_indices=True)
    scores[wanted] = scored.scores[own]
    return Scored(classes, scores)


def require_shown(scored: Scored, sample: ImageSample, seeds: SeedDirectory) -> None:
    """Refuse a seed of a class that an image, whose labels are known, does not show.

    Raises:
        AttncliError: There are some; the class is named.
    """
    shown = {0, IGNORE_LABEL, *(label + 1 for label in sample.labels or ())}
    foreign = [number for number in scored.classes.tolist() if number not in shown]
    if sample.is_labelled and foreign:
        name, scores = seeds.classes[foreign[0] - 1], seeds.scores_path(sample.id)
        raise AttncliError(
            f"holds {name}, which the image does not show",
            where=scores if scores.is_file() else seeds.label_map_path(sample.id),
            remedy="make the seed from this image's labels, or correct these",
        )


def one_hot(labels: UInt8[np.ndarray, "h w"]) -> Scored:
    """Return scores of 1 in the class of each pixel and 0 in all others that are there."""
    classes = np.unique(labels).astype(np.int64)
    return Scored(classes, (labels == classes[:, None, None]).astype(np.float32))


def with_background(scored: Scored, background: Background) -> Scored:
    """Return scores with that of the background before them (PSA, eq. 2)."""
    highest = scored.scores.max(axis=0, initial=0.0)
    if background.power is None:
        own = np.full_like(highest, background.background_score)
    else:
        own = (1 - np.clip(highest, 0, 1)) ** background.power
    return Scored(
        classes=np.concatenate([np.zeros(1, np.int64), scored.classes]),
        scores=np.concatenate([own.astype(np.float32)[None], scored.scores]),
    )

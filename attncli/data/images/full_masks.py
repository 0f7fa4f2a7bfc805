"""Training images whose every pixel is labelled: some of them stand in for none (semi-supervised).

Which ones follows from each image's id and a seed: other images, or another order, change nothing.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from attncli.data.samples import ImageDataset
from attncli.errors import AttncliError

_LARGEST = 2**64


def choose_full_masks(dataset: ImageDataset, share: float, *, seed: int) -> Mapping[str, Path]:
    """Return the label maps of a share of the images, by id.

    Args:
        dataset: The training images.
        share: Probability in [0, 1] with which an image is chosen.
        seed: Another one chooses others.

    Raises:
        AttncliError: An image that was chosen has no label map.
    """
    chosen = {}
    for sample in dataset.samples:
        if _number(sample.id, seed) >= share * _LARGEST:
            continue
        if sample.label_map is None or not sample.label_map.is_file():
            what = f"image {sample.id} has no label map to learn from"
            remedy = "add the label maps, or leave --full-mask-share at 0"
            raise AttncliError(what, where=dataset.root, remedy=remedy)
        chosen[sample.id] = sample.label_map
    return chosen


def _number(image_id: str, seed: int) -> int:
    """Return a number below 2^64 that looks drawn at random."""
    digest = hashlib.sha256(f"{seed} {image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big")

"""The masks that toy videos were painted with, as files."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool

from attncli.files.masks import FrameMasks, Instance, MaskWriter


def write_masks(root: Path, video_id: str, masks: Bool[np.ndarray, "t h w"]) -> None:
    """Write a body's pixels in every frame; a frame in which it has none holds no instance."""
    with MaskWriter(root, video_id) as writer:
        for index, mask in enumerate(masks):
            found = (Instance.of(mask, category="object", score=1.0),) if mask.any() else ()
            writer.write(FrameMasks(index, (mask.shape[0], mask.shape[1]), found))

"""Whether there is room on disk for features, before the first of them is written."""

import math
from pathlib import Path

from attncli.config.svd_fc import SvdFcConfig
from attncli.errors import AttncliError
from attncli.files.feature_rows import done_in
from attncli.machine import GIB, free_disk_bytes
from attncli.workflows.svd_fc.pooling import Found

NUMBER_BYTES = 4
"""Bytes of a number of a feature: 32 bits."""


def require_room(out: Path, n_images: int, image_bytes: int, *, begins_anew: bool) -> None:
    """Make sure that the features of all images that have none yet go on the disk.

    Args:
        out: The feature directory, which need not be there.
        n_images: All images.
        image_bytes: What the features of an image take.
        begins_anew: Whether what is there makes room, as it is to be replaced.

    Raises:
        AttncliError: They do not; the message says how much they take, and how much is free.
    """
    n_done = 0 if begins_anew else int(done_in(out, n_images).sum())
    needed = (n_images - n_done) * image_bytes
    free = free_disk_bytes(out) + (_array_bytes(out) if begins_anew else 0)
    if needed > free:
        raise AttncliError(
            f"features take {needed / GIB:.3f} GiB on disk, and {free / GIB:.3f} are free there",
            where=out,
            remedy="name fewer --layers, a smaller --size-hw, --pool gap or mpn-cbp, or another -o",
        )


def image_bytes(config: SvdFcConfig, probe: Found, n_fusions: int) -> int:
    """Return how many bytes the features of an image take.

    Args:
        config: What becomes of layers.
        probe: Layers of one image, by source: 1 x c x h x w, or 1 x d.
        n_fusions: Groups of networks that are pooled together besides each alone.
    """
    shapes = [values.shape[1:] for layers in probe.values() for values in layers.values()]
    if config.pool == "mpn-cbp":
        n_features = len(shapes) + n_fusions * len(config.layers)
        return n_features * config.sketch_dim * NUMBER_BYTES
    sizes = [math.prod(shape) if config.pool == "none" else shape[0] for shape in shapes]
    return sum(sizes) * NUMBER_BYTES


def _array_bytes(out: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in out.rglob("*.npy"))

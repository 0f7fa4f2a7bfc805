"""Batches in memory, of random pixels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attncli.batches import ClipBatch, ImageBatch
from attncli.data.clips.guides import MASKS, SPATIAL_EDITS, SPATIALLY_EDITED, TEMPORAL_EDITS
from attncli.errors import Failure


def clip_batch(
    n: int = 2,
    *,
    shape: tuple[int, int, int] = (4, 64, 64),
    frames: Tensor | None = None,
    labels: Tensor | None = None,
    rows: Sequence[int] | None = None,
    failures: Sequence[Failure] = (),
    **guides: Tensor,
) -> ClipBatch:
    """Return clips that show all of their source frames, from the first one on.

    Args:
        n: How many there are.
        shape: Frames, rows and columns of a clip.
        frames: Values to take instead of random ones.
        labels: Class of each clip; 0 and 1 in turn where None.
        rows: Position of each clip in its dataset; in order where None.
        failures: Clips that could not be read.
        guides: What attention is guided by, by name.
    """
    if frames is None:
        frames = _pixels(n, 3, *shape)
    n, _, t, height, width = frames.shape
    return ClipBatch(
        frames=frames.contiguous(memory_format=torch.channels_last_3d),
        labels=torch.arange(n) % 2 if labels is None else labels,
        rows=torch.arange(n) if rows is None else torch.tensor(rows, dtype=torch.int64),
        frame_indices=torch.arange(t).repeat(n, 1),
        crops=torch.tensor([[0.0, 0.0, width, height]]).repeat(n, 1),
        flips=torch.zeros(n, dtype=torch.bool),
        guides=guides,
        failures=tuple(failures),
    )


def image_batch(
    n: int = 2,
    *,
    size_hw: tuple[int, int] = (64, 64),
    images: Tensor | None = None,
    labels: Tensor | None = None,
    n_classes: int = 2,
    small_images: Tensor | None = None,
    **label_maps: Tensor,
) -> ImageBatch:
    """Return images.

    Args:
        n: How many there are.
        size_hw: Rows and columns of an image.
        images: Values to take instead of random ones.
        labels: Whether each image shows each class; every other one where None.
        n_classes: Classes there are, where no labels are given.
        small_images: The images with a pixel a label; none where None.
        label_maps: Class of each pixel, by where it is known from.
    """
    if images is None:
        images = _pixels(n, 3, *size_hw)
    if labels is None:
        labels = (torch.arange(len(images))[:, None] + torch.arange(n_classes)) % 2 == 0
    return ImageBatch(
        images=images.contiguous(memory_format=torch.channels_last),
        labels=labels,
        rows=torch.arange(len(images)),
        label_maps=label_maps,
        small_images=small_images,
    )


def batch_for(method: str, config: Any, n_classes: int, *, n: int = 4) -> Any:
    """Return a batch as a method is trained on, with all that its settings ask for.

    Args:
        method: Name in the catalog.
        config: Its settings.
        n_classes: Number of classes.
        n: Samples in the batch.
    """
    if hasattr(config, "crop_px") and not hasattr(config, "clip_shape"):
        return _images_with_seeds(config, n, n_classes)
    labels = torch.arange(n) % n_classes
    return clip_batch(n, shape=config.clip_shape, labels=labels, **_guides(config, n))


def _images_with_seeds(config: Any, n: int, n_classes: int) -> ImageBatch:
    """Return images with labels of cells, where settings name seeds; all labels are present."""
    side, labels = config.crop_px, torch.ones(n, n_classes, dtype=torch.bool)
    stride, names = 4, list(getattr(config, "seed_directories", {}))
    if hasattr(config, "cams"):
        stride, names = 8, ["low", "high"]
    if not names:
        return image_batch(n, size_hw=config.crop_hw, n_classes=n_classes)
    cells = (side // stride, side // stride)
    generator = torch.Generator().manual_seed(2)
    maps = {
        name: torch.randint(0, n_classes + 1, (n, *cells), dtype=torch.uint8, generator=generator)
        for name in names
    }
    small = _pixels(n, 3, *cells)
    return image_batch(n, size_hw=(side, side), labels=labels, small_images=small, **maps)


def _guides(config: Any, n: int) -> dict[str, Tensor]:
    """Return masks and edits, where settings name any; half of the clips are not edited."""
    generator = torch.Generator().manual_seed(1)
    t = config.frames
    objects = torch.rand(n, *config.clip_shape, generator=generator) < 0.3
    guides = {}
    if getattr(config, "masks", None) is not None:
        guides[MASKS] = objects
    if getattr(config, "temporal_edits", None) is not None:
        edits = torch.rand(n, t, generator=generator)
        guides[TEMPORAL_EDITS] = edits.masked_fill(torch.arange(n)[:, None] % 2 == 1, torch.nan)
    if getattr(config, "spatial_edits", None) is not None:
        guides[SPATIAL_EDITS] = objects
        guides[SPATIALLY_EDITED] = (torch.arange(n)[:, None] + torch.arange(t)) % 2 == 0
    return guides


def _pixels(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)

"""Directories of images, one a frame, that stand in for videos."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Names that are taken for frames."""


def natural_order(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by which `img_9` comes before `img_10`.

    >>> sorted(["img_10", "img_9"], key=natural_order)
    ['img_9', 'img_10']
    """
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def frame_files(folder: Path) -> list[Path]:
    """Return the images in `folder` in the natural order of their names, hidden files left out."""
    images = (
        file
        for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    )
    return sorted(images, key=lambda file: natural_order(file.name))


def image_size_hw(file: Path) -> tuple[int, int]:
    """Return rows and columns of an image without decoding it.

    Raises:
        OSError: The file is missing or no image.
    """
    with Image.open(file) as image:
        return image.height, image.width


def read_image(
    file: Path, size_hw: tuple[int, int], resized_hw: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image as RGB.

    Args:
        file: The image.
        size_hw: Rows and columns it must have.
        resized_hw: Rows and columns it is resized to; its own where None.

    Raises:
        OSError: The file is missing, damaged, or no image; the message names it.
        ValueError: The image is of another size; the message names it and both sizes.
    """
    with Image.open(file) as image:
        if (image.height, image.width) != size_hw:
            height, width = size_hw
            raise ValueError(f"{file.name} is {image.width}x{image.height}, not {width}x{height}")
        try:
            picture = image.convert("RGB")
        except (OSError, SyntaxError) as error:  # the latter of PNG files with a broken chunk
            raise OSError(f"{file.name}: {error}") from error
        if resized_hw not in (None, size_hw):
            picture = picture.resize(resized_hw[::-1], Image.Resampling.BILINEAR)
        return np.array(picture)

"""Images as they are to be shown: RGB, upright, and whole."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from attncli.data.images.damage import damage
from attncli.data.video.frame_folders import NO_IMAGE, image_size_hw, read_image
from attncli.errors import AttncliError, reason

REMEDY = "get the file again, or take it off its list"


def read_rgb(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image as RGB values 0-255, turned as its EXIF data asks for.

    Grey, palette and CMYK images are converted, grey values of 16 bits scaled to 8; transparency is
    left out.

    Raises:
        AttncliError: The file is missing, no image, or damaged.
    """
    try:
        picture = read_image(path, image_size_hw(path))
        problem = damage(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from error
    if problem is not None:
        raise AttncliError(f"image {problem}", where=path, remedy=REMEDY)
    return picture


def read_stored(path: Path) -> tuple[Image.Image, str]:
    """Return an image as it is stored, not turned, and how its pixels are packed, such as `L;4`.

    Raises:
        AttncliError: The file is missing, no image, or damaged.
    """
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            packing = image.tile[0][3] if image.tile else None
            image.load()
    except Exception as error:  # whatever a broken file makes its decoder raise
        raise _unreadable(path, error) from error
    if (problem := damage(content)) is not None:
        raise AttncliError(f"image {problem}", where=path, remedy=REMEDY)
    return image, packing if isinstance(packing, str) else ""


def _unreadable(path: Path, error: Exception) -> AttncliError:
    is_other = isinstance(error, UnidentifiedImageError)
    what = NO_IMAGE if is_other else reason(error).removeprefix(f"{path.name.lower()}: ")
    return AttncliError(f"image cannot be read ({what})", where=path, remedy=REMEDY)

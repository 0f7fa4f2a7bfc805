"""Directories of images, one a frame, that stand in for videos.

The frames are one series: names that differ in one number alone, as `img_00001.jpg`. A directory
with several, such as optical flow (`flow_x_00001.jpg`) beside them, is refused: any could be meant.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Names that are taken for frames."""

FRAME_NUMBER = re.compile(r"\d+(\.\d+)?(?!.*\d)")
"""The last number of a name; with a point in it, as of time stamps in seconds, it is one too."""
SHOWN_SERIES = 4
NO_IMAGE = "it is damaged, or no image"
"""What is wrong with a file that no decoder of images takes."""
_ORIENTATION = 0x0112  # EXIF's
_TURNED = range(5, 9)
"""Orientations in which rows are shown as columns."""
_WHITE_16 = 65535

# Pillow warns of large pictures, which are read all the same, and refuses those twice as large.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Series:
    """Images of one series by their numbers."""

    before: str
    """What their names begin with."""
    after: str
    """What follows the number, suffix included."""

    def __str__(self) -> str:
        return f"{self.before}*{self.after}"


def natural_order(name: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key by which `img_9` comes before `img_10`.

    >>> sorted(["img_10", "img_9"], key=natural_order)
    ['img_9', 'img_10']
    """
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def image_files(folder: Path) -> list[Path]:
    """Return all images in `folder` in the natural order of their names, hidden ones left out."""
    images = (
        file
        for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    )
    return sorted(images, key=lambda file: natural_order(file.name))


def by_series(files: Iterable[Path]) -> Mapping[Series, list[Path]]:
    """Return images by their series; those without a number are one, whatever their names."""
    series: defaultdict[Series, list[Path]] = defaultdict(list)
    for file in files:
        number = FRAME_NUMBER.search(file.stem)
        start, end = (0, len(file.stem)) if number is None else number.span()
        after = file.stem[end:] + file.suffix.lower()
        series[Series(file.stem[:start], after)].append(file)
    return series


def frame_files(folder: Path) -> list[Path]:
    """Return the images in `folder` that are the frames of one video, in order.

    Raises:
        ValueError: There are several series of images, or two images of one number.
    """
    series = by_series(image_files(folder))
    if len(series) > 1:
        named = [f"{len(files)} of {one}" for one, files in series.items()]
        more = f" and {len(named) - SHOWN_SERIES} more" if len(named) > SHOWN_SERIES else ""
        shown = ", ".join(named[:SHOWN_SERIES])
        raise ValueError(f"several series of images: {shown}{more}; keep one of them here")
    files = next(iter(series.values()), [])
    _require_different_numbers(files)
    return files


def missing_numbers(files: Sequence[Path]) -> str | None:
    """Return what to say of numbers that are left out in a series, such as 7 in 5, 6, 8.

    Series in steps, and time stamps, whose steps differ, have no gaps.

    >>> missing_numbers([Path(f"{n}.png") for n in (5, 6, 8)])
    'no frame between 6.png and 8.png (1 is missing)'
    """
    numbers = [_number(file) for file in files]
    if any(rest for _, rest in numbers) or not all(
        FRAME_NUMBER.search(file.stem) for file in files
    ):
        return None
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(numbers)]
    usual = min(steps, default=1)
    gaps = [number for number, step in enumerate(steps) if step != usual]
    # Of a series in steps most are the same; each gap is a whole number of them.
    if not gaps or len(gaps) > len(steps) / 2 or any(step % usual for step in steps):
        return None
    first, missing = gaps[0], sum(step // usual - 1 for step in steps)
    between = f"{files[first].name} and {files[first + 1].name}"
    return f"no frame between {between} ({missing} {'is' if missing == 1 else 'are'} missing)"


def image_size_hw(file: Path) -> tuple[int, int]:
    """Return rows and columns of an image as it is to be shown, without decoding it.

    Raises:
        OSError: The file is missing or no image.
    """
    with _naming(file), Image.open(file) as image:
        is_turned = image.getexif().get(_ORIENTATION) in _TURNED
        return (image.width, image.height) if is_turned else (image.height, image.width)


def read_image(
    file: Path, size_hw: tuple[int, int], resized_hw: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image as RGB, turned as its EXIF data asks for.

    Grey values of 16 bits, as infrared and depth cameras write, are scaled to 8: 65535 is white.

    Args:
        file: The image.
        size_hw: Rows and columns it must have.
        resized_hw: Rows and columns it is resized to; its own where None.

    Raises:
        OSError: The file is missing, damaged, or no image; the message names it.
        ValueError: The image is of another size; the message names it and both sizes.
    """
    with _naming(file), Image.open(file) as image:
        ImageOps.exif_transpose(image, in_place=True)
        picture = _convertible(image).convert("RGB")
    if (picture.height, picture.width) != size_hw:
        height, width = size_hw
        raise ValueError(f"{file.name} is {picture.width}x{picture.height}, not {width}x{height}")
    if resized_hw not in (None, size_hw):
        picture = picture.resize(resized_hw[::-1], Image.Resampling.BILINEAR)
    return np.array(picture)


def _require_different_numbers(files: Sequence[Path]) -> None:
    numbered = [file for file in files if FRAME_NUMBER.search(file.stem)]
    for earlier, later in pairwise(sorted(numbered, key=_number)):
        if _number(earlier) == _number(later):
            raise ValueError(f"{earlier.name} and {later.name} are the same frame; keep one")


def _number(file: Path) -> tuple[int, str]:
    """Return the number of a frame: the whole part, and the digits after a point."""
    found = FRAME_NUMBER.search(file.stem)
    whole, _, rest = (found[0] if found else "0").partition(".")
    return int(whole), rest


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Name the image in the message of whatever a broken one makes its decoder raise."""
    try:
        yield
    except MemoryError as error:
        raise OSError(f"{file.name}: too large for the memory") from error
    except UnidentifiedImageError as error:
        raise OSError(f"{file.name}: {NO_IMAGE}") from error
    except Exception as error:
        raise OSError(f"{file.name}: {getattr(error, 'strerror', None) or error}") from error


def _convertible(image: Image.Image) -> Image.Image:
    """Return what Pillow converts to RGB rightly: grey values of 8 bits, no transparent palette."""
    if image.mode == "P" and "transparency" in image.info:
        return image.convert("RGBA")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64).clip(0, _WHITE_16)
    return Image.fromarray(((values * 255 + _WHITE_16 // 2) // _WHITE_16).astype(np.uint8))

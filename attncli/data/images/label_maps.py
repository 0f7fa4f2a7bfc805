"""Label maps: images that say of what class each pixel is.

They are palette PNGs, as PASCAL VOC has them, or 8-bit grey ones: 0 is the background, i + 1 the
i-th class of the dataset, 255 counts for nothing.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image

from attncli.data.images.reading import read_stored
from attncli.errors import AttncliError
from attncli.files.label_maps import IGNORE_LABEL, labels_of_colors


def read_label_map(
    path: Path, *, n_classes: int, size_hw: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "h w"]:
    """Return the label of each pixel: 0 to `n_classes`, or 255.

    The pixels are taken as they are stored: where an image is turned by EXIF data, its label map
    must be upright already. Of palette images the indices count, whatever their colours, but VOC's
    colours in another order are refused: programs that make files smaller change it. RGB images of
    VOC's colours are read by these.

    Args:
        path: The file.
        n_classes: Classes of the dataset, without the background.
        size_hw: Rows and columns of the image it belongs to; any where None.

    Raises:
        AttncliError: It cannot be read, is of another size, or says something else than labels.
    """
    image, packing = read_stored(path)
    if size_hw not in (None, (image.height, image.width)):
        rows, columns = size_hw or (0, 0)
        raise AttncliError(
            f"label map is {image.width}x{image.height}, its image {columns}x{rows} as it is shown",
            where=path,
            remedy="give it the image's size and orientation",
        )
    values = _values(path, image, packing)
    wrong = values[(values > n_classes) & (values != IGNORE_LABEL)]
    if wrong.size:
        raise AttncliError(
            f"label map has the value {wrong[0]}, which is no class: they go up to {n_classes},"
            f" and {IGNORE_LABEL} counts for nothing",
            where=path,
            remedy="correct the label map, or the dataset's list of classes",
        )
    return values.astype(np.uint8)


def classes_shown(labels: UInt8[np.ndarray, "h w"]) -> frozenset[int]:
    """Return the positions in a dataset's classes of what a label map shows."""
    counts = np.bincount(labels.ravel(), minlength=IGNORE_LABEL + 1)
    return frozenset((np.flatnonzero(counts[1:IGNORE_LABEL])).tolist())


def _values(path: Path, image: Image.Image, packing: str) -> Integer[np.ndarray, "h w"]:
    """Return what an image of any kind says of its pixels."""
    if image.format == "JPEG":
        raise _no_label_map(path, "is a JPEG image, which changes labels at every border")
    if image.mode == "P":
        return _indices(path, image)
    if image.mode == "1" or packing in ("L;1", "L;2", "L;4"):
        raise _no_label_map(
            path, "is grey with fewer than 8 bits, so its values may have been scaled"
        )
    if image.mode == "L" or image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    if image.mode not in ("LA", "RGB", "RGBA"):
        raise _no_label_map(path, f"has pixels of kind {image.mode!r}")
    *channels, last = np.moveaxis(np.asarray(image), -1, 0)
    if image.mode == "RGB":
        channels = [*channels, last]
    elif (last != IGNORE_LABEL).any():
        raise _no_label_map(path, "is transparent in parts")
    return channels[0] if image.mode == "LA" else _by_color(path, np.stack(channels, axis=-1))


def _indices(path: Path, image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    indices = np.asarray(image)
    listed = np.array(image.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256)[: len(listed)])
    # Black says nothing: palettes of few colours are filled up with it.
    used = used[(listed[used] > 0).any(axis=1)]
    labels = labels_of_colors(listed[used])
    is_order = (labels >= 0).all() and len(np.unique(labels)) == len(labels)
    if is_order and (labels != used).any():
        raise _no_label_map(path, "has PASCAL VOC's colours, but not in their order")
    return indices


def _by_color(path: Path, picture: UInt8[np.ndarray, "h w 3"]) -> Integer[np.ndarray, "h w"]:
    labels = labels_of_colors(picture)
    if (labels < 0).any():
        red, green, blue = picture[labels < 0][0].tolist()
        raise _no_label_map(
            path, f"has the colour ({red}, {green}, {blue}), which is not in PASCAL VOC's palette"
        )
    return labels


def _no_label_map(path: Path, what: str) -> AttncliError:
    remedy = "write it as a palette or 8-bit grey PNG, one label per pixel"
    return AttncliError(f"label map {what}", where=path, remedy=remedy)

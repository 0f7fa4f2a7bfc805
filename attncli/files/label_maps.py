"""Label maps on disk: palette PNGs in the colours of PASCAL VOC, a label a pixel.

0 is the background, i + 1 the i-th class of the dataset, 255 counts for nothing.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from attncli.files.atomic import replacing

IGNORE_LABEL = 255  # PASCAL VOC 2012
SUFFIX = ".png"

_CHANNELS = np.arange(3)
_BITS_OF_A_CHANNEL = 3  # of 8 bits of a label, in turn red's, green's and blue's


def voc_palette() -> UInt8[np.ndarray, "256 3"]:
    """Return the colours of PASCAL VOC: three bits of a label are the highest of red, green, blue.

    The next three bits are the second highest of each, and so on.

    >>> voc_palette()[[0, 1, 10, 255]].tolist()
    [[0, 0, 0], [128, 0, 0], [64, 128, 0], [224, 224, 192]]
    """
    labels, colors = np.arange(256)[:, None], np.zeros((256, 3), dtype=np.int64)
    for place in range(_BITS_OF_A_CHANNEL):
        colors |= (labels >> (3 * place + _CHANNELS) & 1) << (7 - place)
    return colors.astype(np.uint8)


def labels_of_colors(colors: UInt8[np.ndarray, "*n 3"]) -> np.ndarray:
    """Return the label that PASCAL VOC gives each colour; -1 for colours it has not."""
    labels = np.zeros(colors.shape[:-1], dtype=np.int64)
    for place in range(_BITS_OF_A_CHANNEL):
        bits = (colors.astype(np.int64) >> (7 - place)) & 1
        labels |= (bits << (3 * place + _CHANNELS)).sum(axis=-1)
    labels &= 255  # blue has two bits
    return np.where((voc_palette()[labels] == colors).all(axis=-1), labels, -1)


def write_label_map(path: Path, labels: UInt8[np.ndarray, "h w"]) -> None:
    """Write the label of each pixel, in a directory that is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels)
    image.putpalette(voc_palette().tobytes())  # which makes a palette image of a grey one
    with replacing(path) as temporary, temporary.open("wb") as file:
        image.save(file, format="PNG", optimize=False)

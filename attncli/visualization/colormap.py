"""Colours of a heat map: one look-up for a whole array, never one call a pixel or a frame."""

from difflib import get_close_matches

import cv2
import matplotlib
import numpy as np
from jaxtyping import Float, UInt8

from attncli.errors import UsageError

COLORS = 256


def color_table(name: str) -> UInt8[np.ndarray, "256 3"]:
    """Return the RGB colours of matplotlib's colour map `name`, from attention 0 to 1.

    Raises:
        UsageError: There is no such colour map; the message names the nearest ones.
    """
    if name not in matplotlib.colormaps:
        near = get_close_matches(name, list(matplotlib.colormaps), n=3) or ["jet", "viridis"]
        raise UsageError(
            f"no colour map is called {name!r}",
            where="--colormap",
            remedy=f"try {' or '.join(near)}",
        )
    colors = matplotlib.colormaps[name].resampled(COLORS)(np.arange(COLORS), bytes=True)
    return np.ascontiguousarray(colors[:, :3])


def colorize(
    attention: Float[np.ndarray, "*shape"], table: UInt8[np.ndarray, "256 3"]
) -> UInt8[np.ndarray, "*shape 3"]:
    """Return the colour of each attention value; values outside [0, 1] take the nearest end.

    Every colour covers 1/256 of [0, 1], as in matplotlib.
    """
    bins = np.clip(attention * COLORS, 0, COLORS - 1).astype(np.uint8)
    # 25 times as fast as table[bins]
    colors = cv2.applyColorMap(bins.reshape(1, -1), table.reshape(COLORS, 1, 3))
    return colors.reshape(*bins.shape, 3)

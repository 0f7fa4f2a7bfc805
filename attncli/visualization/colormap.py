"""Colours of a heat map: one look-up for a whole array, never one call a pixel or a frame."""

from difflib import get_close_matches

import cv2
import matplotlib
import numpy as np
from jaxtyping import Float, Float32, UInt8

from attncli.errors import UsageError

COLORS = 256
MID_GREY = 128
"""What colours are shown over where there is no picture: as far from black as from white."""


def color_table(name: str) -> UInt8[np.ndarray, "256 3"]:
    """Return the RGB colours of matplotlib's colour map `name`, from attention 0 to 1.

    Raises:
        UsageError: There is no such colour map; the message names the nearest ones.
    """
    if name not in matplotlib.colormaps:
        near = get_close_matches(name, list(matplotlib.colormaps), n=3) or ["jet", "viridis"]
        raise UsageError(
            f"no such colour map: {name!r}",
            where="--colormap",
            remedy=f"try {' or '.join(near)}",
        )
    colors = matplotlib.colormaps[name].resampled(COLORS)(np.arange(COLORS), bytes=True)
    return np.ascontiguousarray(colors[:, :3])


def rising(most: float) -> Float32[np.ndarray, "256"]:
    """Return the opacity of each colour: 0 for attention 0, `most` for attention 1, straight."""
    return np.linspace(0, most, COLORS, dtype=np.float32)


def over_grey(
    table: UInt8[np.ndarray, "256 3"], opacities: Float32[np.ndarray, "256"]
) -> UInt8[np.ndarray, "256 3"]:
    """Return the colours as they look over a picture that is mid-grey all over."""
    mixed = MID_GREY + opacities[:, None] * (table.astype(np.float32) - MID_GREY)
    return np.rint(mixed).astype(np.uint8)


def bins_of(attention: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Return the number of each value's colour; values outside [0, 1] take the nearest end.

    Every colour covers 1/256 of [0, 1], as in matplotlib.
    """
    return np.clip(attention * COLORS, 0, COLORS - 1).astype(np.uint8)


def colorize(
    attention: Float[np.ndarray, "*shape"], table: UInt8[np.ndarray, "256 3"]
) -> UInt8[np.ndarray, "*shape 3"]:
    """Return the colour of each attention value; values outside [0, 1] take the nearest end."""
    bins = bins_of(attention)
    # 25 times as fast as table[bins]
    colors = cv2.applyColorMap(bins.reshape(1, -1), table.reshape(COLORS, 1, 3))
    return colors.reshape(*bins.shape, 3)

"""Means over parts of a map's cells: a coarser grid, horizontal stripes, all of it.

Parts are those of adaptive pooling, as in PCB: part i of n along h rows begins with row
floor(i h / n) and ends before row ceil((i + 1) h / n), so that parts may share a row where n does
not divide h.
"""

import numpy as np
from jaxtyping import Float, Float32, Float64

from attncli.errors import UsageError


def cell_means(hw: tuple[int, int], parts_hw: tuple[int, int]) -> Float64[np.ndarray, "p q"]:
    """Return what a map's p cells, in a row, are multiplied by for the means of its q parts.

    Args:
        hw: Rows and columns of the map.
        parts_hw: Rows and columns of parts, each from 1 to those of the map.

    Raises:
        UsageError: There are more parts than cells.

    >>> cell_means((4, 1), (2, 1)).T
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    """
    if not all(1 <= parts <= cells for parts, cells in zip(parts_hw, hw, strict=True)):
        (rows, columns), (h, w) = parts_hw, hw
        what = f"a map of {h}x{w} cells cannot be divided into {rows}x{columns} parts"
        raise UsageError(what, remedy="use fewer")
    along_rows, along_columns = map(_means_along, hw, parts_hw)
    return np.kron(along_rows, along_columns)


def stripes(features: Float[np.ndarray, "n c h w"], count: int) -> Float32[np.ndarray, "n d"]:
    """Return means over horizontal stripes: all channels of the topmost, then of the next.

    Args:
        features: Maps, one an image.
        count: Stripes, from 1 to the rows of a map.

    Raises:
        UsageError: There are more stripes than rows.
    """
    matrix = cell_means(features.shape[2:], (count, 1)).astype(np.float32)
    return weighted_sums(features, matrix.T)


def average(features: Float[np.ndarray, "n c h w"]) -> Float32[np.ndarray, "n c"]:
    """Return means over all cells.

    Args:
        features: Maps, one an image.
    """
    return stripes(features, 1)


def weighted_sums(
    features: Float[np.ndarray, "n c h w"], weights: Float[np.ndarray, "m p"]
) -> Float32[np.ndarray, "n d"]:
    """Return sums over the p cells of maps by m weightings: all channels of the first, and so on.

    Args:
        features: Maps, one an image.
        weights: A row a weighting, in the order of cells row by row.
    """
    flat = features.reshape(*features.shape[:2], -1).astype(np.float32, copy=False)
    sums = flat @ weights.astype(np.float32).T
    return sums.transpose(0, 2, 1).reshape(len(features), -1)


def _means_along(cells: int, parts: int) -> Float64[np.ndarray, "cells parts"]:
    part = np.arange(parts)
    first, end = part * cells // parts, -(-(part + 1) * cells // parts)
    place = np.arange(cells)[:, None]
    return ((first <= place) & (place < end)) / (end - first)

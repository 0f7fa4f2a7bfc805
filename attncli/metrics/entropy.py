"""How sharp attention maps are: the entropy of their histograms (Nitta et al. 2022, eq. 9-11).

=======  ====================================================  ======================
eq. 9    p_i = hist[i] / sum_j hist[j]                         `_histogram_entropies`
eq. 10   entropy = sum_i -p_i log2 p_i, in bits                `_histogram_entropies`
eq. 11   its largest value, log2 N                             `largest_entropy`
=======  ====================================================  ======================

A frame's map is first stretched so that its smallest value becomes 0 and its largest 1, then its
cells are counted in N equal bins of [0, 1] (the last one closed), as `numpy.histogram` does. A
clip's entropy is the mean over its frames. Two-valued maps have at most 1 bit.

The paper leaves open what a flat map is worth, whose values are all equal and cannot be stretched.
A histogram puts all of it into one bin: 0 bits, as if it were perfectly sharp. It singles nothing
out, so here it counts as log2 N, the blurriest of all, and is reported. The paper prints
log2 10 as 3.332; it is 3.322.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from attncli.errors import UsageError
from attncli.metrics.value_range import Range, stretched

FRAMES_AT_ONCE = 1024  # a chunk of small maps stays in the cache of one core


@dataclass(frozen=True)
class MapEntropy:
    """Entropy of each clip's maps, and how many of the frames behind it were flat."""

    clip_bits: Float64[np.ndarray, " n"]
    """Mean over the clip's frames, in [0, log2 N]: smaller is sharper."""
    flat_frames: Int64[np.ndarray, " n"]
    """Frames of the clip whose map is flat, and so counts as log2 N."""


def largest_entropy(bins: int) -> float:
    """Return log2 N, the entropy of maps that fill all N bins evenly (eq. 11)."""
    return math.log2(bins)


def map_entropy(
    maps: Float[np.ndarray, "n t h w"],
    *,
    bins: int = 10,
    value_range: Range = "frame",
    where: str = "attention maps",
) -> MapEntropy:
    """Return the entropy of each clip's attention maps, in bits (eq. 9-11).

    Args:
        maps: Attention of each frame; may be a memory map, of which a part is read at a time.
        bins: Number N of equal bins, at least 2.
        value_range: Which smallest and largest value become 0 and 1: those of each frame (the
            paper), those of the clip, or none, which takes values in [0, 1] as they are.
        where: What to call the maps in an error.

    Raises:
        UsageError: There are fewer than 2 bins.
        AttncliError: A value is not finite, or outside [0, 1] with `none`; its row is named.
    """
    if bins < 2:
        raise UsageError("must be at least 2", where="--bins")
    frames = maps.shape[1]
    clip_bits, flat_frames = np.empty(len(maps)), np.empty(len(maps), dtype=np.int64)
    for rows in _chunks(len(maps), frames):
        chunk = stretched(maps[rows], value_range, first_row=rows.start, where=where)
        values = _cells_first(chunk)
        flat = values.min(axis=0) == values.max(axis=0)
        frame_bits = np.where(flat, largest_entropy(bins), _histogram_entropies(values, bins))
        clip_bits[rows] = frame_bits.reshape(-1, frames).mean(axis=1)
        flat_frames[rows] = flat.reshape(-1, frames).sum(axis=1)
    return MapEntropy(clip_bits=clip_bits, flat_frames=flat_frames)


def _chunks(clips: int, frames: int) -> Iterator[slice]:
    step = max(1, FRAMES_AT_ONCE // frames)
    return (slice(start, min(start + step, clips)) for start in range(0, clips, step))


def _cells_first(maps: np.ndarray) -> np.ndarray:
    """Return (cells, clips x frames), where reductions over cells run along memory."""
    return np.ascontiguousarray(maps.reshape(-1, math.prod(maps.shape[2:])).T)


def _histogram_entropies(values: np.ndarray, bins: int) -> np.ndarray:
    """Return eq. 10 of each column of values in [0, 1]."""
    cells = len(values)
    edges = np.histogram_bin_edges(values[:0, 0], bins=bins, range=(0, 1))
    reaching = np.zeros((bins + 1, values.shape[1]))
    reaching[0] = cells
    for i in range(1, bins):
        reaching[i] = np.add.reduce(values >= edges[i], axis=0, dtype=np.min_scalar_type(cells))
    share = -np.diff(reaching, axis=0) / cells
    return -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=0)

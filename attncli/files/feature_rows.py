"""Features that are being written: arrays of all rows, of which some are there already.

    feats/cub/.unfinished/{done.npy, I/fc.npy, I/svd-fc.npy, …}

`done.npy` has a byte a row, 1 where all its features are there. Rows are written in place, so that
neither they nor the arrays need be held in memory, and processes can each write their own.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from attncli.errors import AttncliError
from attncli.files.arrays import open_array
from attncli.files.atomic import naming, replacing
from attncli.files.features import array_path

UNFINISHED = ".unfinished"
"""No source can be called that."""
DONE = "done.npy"
REMEDY = "begin anew with --overwrite"
COPIED_BYTES = 2**26
"""Bytes of an array that are in memory when rows are left out of it."""


@dataclass(frozen=True)
class FeatureRows:
    """Where the rows of features go until all of them are there."""

    path: Path
    """The feature directory."""
    n_rows: int
    """Rows of every array."""
    shapes: Mapping[tuple[str, str], tuple[int, ...]]
    """Shape of a row, by source (or fusion) and layer."""

    @property
    def place(self) -> Path:
        """Directory of what is not finished."""
        return self.path / UNFINISHED

    def begin(self) -> None:
        """Make the arrays, but for those that are there.

        Raises:
            AttncliError: One that is there is of another shape.
        """
        for (source, layer), shape in self.shapes.items():
            path = array_path(self.place, source, layer)
            if not path.exists() and not array_path(self.path, source, layer).exists():
                _create(path, (self.n_rows, *shape), np.dtype(np.float32))
            elif path.exists():
                _require_shape(path, (self.n_rows, *shape))
        if not (self.place / DONE).exists():
            _create(self.place / DONE, (self.n_rows,), np.dtype(np.uint8))
        _require_shape(self.place / DONE, (self.n_rows,))

    def done(self) -> Bool[np.ndarray, " n"]:
        """Return which rows are there."""
        return done_in(self.path, self.n_rows)

    def waiting(self, size: int) -> list[range]:
        """Return rows in ranges of `size`, but for ranges all of whose rows are there."""
        is_done = self.done()
        starts = range(0, self.n_rows, size)
        ranges = [range(start, min(start + size, self.n_rows)) for start in starts]
        return [rows for rows in ranges if not is_done[rows.start : rows.stop].all()]

    def write(
        self,
        first: int,
        features: Mapping[tuple[str, str], np.ndarray],
        is_whole: Bool[np.ndarray, " b"],
    ) -> None:
        """Write rows from `first` on.

        Args:
            first: Number of the first row.
            features: Values, a row an image, by source and layer.
            is_whole: Whether a row is what it should be; others are written again, or left out.
        """
        for (source, layer), values in features.items():
            _put(array_path(self.place, source, layer), first, values.astype(np.float32))
        _put(self.place / DONE, first, is_whole.astype(np.uint8))

    def finish(self) -> None:
        """Move the arrays to where they belong, without rows that are not there.

        What is unfinished stays until `clear`, so that an interrupted call can be repeated.
        """
        kept = np.flatnonzero(self.done())
        for source, layer in self.shapes:
            path = array_path(self.place, source, layer)
            final = array_path(self.path, source, layer)
            if len(kept) < self.n_rows:
                _copy(path, final, kept)
            elif path.exists():
                _move(path, final)

    def clear(self) -> None:
        """Remove what is left of what was unfinished."""
        shutil.rmtree(self.place, ignore_errors=True)


def done_in(path: Path, n_rows: int) -> Bool[np.ndarray, " n"]:
    """Return which rows of a directory are there; none where nothing was begun."""
    if not (path / UNFINISHED / DONE).is_file():
        return np.zeros(n_rows, dtype=bool)
    done = open_array(path / UNFINISHED / DONE, remedy=REMEDY)
    return np.array(done, dtype=bool)


def _create(path: Path, shape: Sequence[int], dtype: np.dtype) -> None:
    """Make an array of zeros, which takes no room on disk until it is written."""
    with replacing(path) as temporary, naming(path):
        np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=tuple(shape))


def _require_shape(path: Path, shape: tuple[int, ...]) -> None:
    found = open_array(path, remedy=REMEDY).shape
    if found != shape:
        what = f"has shape {found}, the features to go on with have {shape}"
        raise AttncliError(what, where=path, remedy=REMEDY)


def _put(path: Path, first: int, values: np.ndarray) -> None:
    """Write rows into an array in place; other processes may write others."""
    array = np.lib.format.open_memmap(path, mode="r")
    row_bytes = array.itemsize * int(np.prod(array.shape[1:]))
    position = array.offset + first * row_bytes
    rest = memoryview(values.tobytes())
    with naming(path), path.open("r+b", buffering=0) as file:
        while rest:
            n_written = os.pwrite(file.fileno(), rest, position)
            rest, position = rest[n_written:], position + n_written


def _move(path: Path, final: Path) -> None:
    final.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.replace(final)


def _copy(path: Path, final: Path, kept: Int64[np.ndarray, " m"]) -> None:
    """Write some rows of an array as another one."""
    array = np.lib.format.open_memmap(path, mode="r")
    row_bytes = array.itemsize * int(np.prod(array.shape[1:]))
    step = max(1, COPIED_BYTES // row_bytes)
    shape = (len(kept), *array.shape[1:])
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
    with replacing(final) as temporary, temporary.open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(kept), step):
            file.write(np.ascontiguousarray(array[kept[start : start + step]]).tobytes())

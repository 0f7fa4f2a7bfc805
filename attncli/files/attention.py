"""The attention of many clips: `attention/{spatial.npy, temporal.npy, clips.csv}`.

The arrays are plain float32 in [0, 1] at the map's own resolution, so that
`np.load("spatial.npy", mmap_mode="r")` reads them anywhere. Row i of `clips.csv` says which clip
row i of the arrays belongs to:

===========  ======================================================================
row          position in the arrays, from 0
id           the clip's id in its dataset
label        name of its class; empty where the dataset gives none
predicted    name of the class the model answered with
frames       positions of its frames in the video, separated by spaces, as "0 4 8"
crop         part of the source frame it shows: "left top right bottom" in pixels
flip         1 where the clip is mirrored left to right (after the crop), else 0
===========  ======================================================================
"""

import csv
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import pandas as pd
from jaxtyping import Float32

from attncli.errors import AttncliError
from attncli.files.arrays import open_array, require_unit_range
from attncli.files.atomic import ESCAPED, naming
from attncli.files.tables import read_cells, whole_number

SPATIAL = "spatial.npy"
TEMPORAL = "temporal.npy"
CLIPS = "clips.csv"
COLUMNS = ("row", "id", "label", "predicted", "frames", "crop", "flip")
REMEDY = "write it anew with `attncli eval`"
CLIPS_AT_ONCE = 256
"""Clips whose attention is looked through at a time."""


@dataclass(frozen=True, order=True)
class ClipRecord:
    """Which clip a row of the arrays belongs to: a line of `clips.csv`."""

    row: int
    """Position in the arrays; in one process's part of them, position in the dataset."""
    id: str
    """The sample's id in its dataset."""
    label: str
    """Name of its class; empty where the dataset gives none."""
    predicted: str
    """Name of the class the model answered with."""
    frames: tuple[int, ...]
    """Position of each frame in its video, counted from 0 in presentation order."""
    crop: tuple[float, float, float, float]
    """Part of the source frame that the clip shows: left, top, right, bottom in source pixels."""
    flip: bool
    """Whether the clip is mirrored left to right, after the crop."""


@dataclass(frozen=True)
class Attention:
    """Attention maps as they lie on disk; what is drawn or measured is read when it is needed."""

    directory: Path
    """Where they lie."""
    spatial: Float32[np.ndarray, "n t h w"] | None
    """Spatial attention of each frame, in [0, 1], memory-mapped; None where there is none."""
    temporal: Float32[np.ndarray, "n t"] | None
    """Temporal attention of each frame, in [0, 1], memory-mapped; None where there is none."""
    clips: pd.DataFrame
    """The lines of `clips.csv`, in the order of the arrays; `frames` and `crop` as text."""

    def record(self, row: int) -> ClipRecord:
        """Return what `clips.csv` says of one row of the arrays.

        Raises:
            AttncliError: Its line does not say which frames or which part of them the clip shows.
        """
        line = self.clips.iloc[row]
        try:
            return ClipRecord(
                row=int(line["row"]),
                id=line["id"],
                label=line["label"],
                predicted=line["predicted"],
                frames=_frames(line["frames"]),
                crop=_crop(line["crop"]),
                flip=bool(whole_number(line["flip"])),
            )
        except (ValueError, OverflowError) as error:
            where = f"{self.directory / CLIPS}, row {row}"
            raise AttncliError(
                f"is not a row of clips ({error})", where=where, remedy=REMEDY
            ) from error


class AttentionWriter:
    """Writes attention batch by batch in constant memory; use as a context manager.

    The directory is not whole before the block has ended: write into one that is renamed after it,
    such as `attncli.files.atomic.replacing_directory` gives. A kind of attention that no batch
    had gets no file.

    Args:
        directory: Where the files go; made where missing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._arrays: dict[str, _GrowingArray] = {}
        self._records: list[ClipRecord] = []
        self._files = ExitStack()

    def __enter__(self) -> "AttentionWriter":
        self._directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._files:
            if error is None:
                for array in self._arrays.values():
                    array.finish()
                _write_clips(self._directory / CLIPS, self._records)

    def append(
        self,
        records: Sequence[ClipRecord],
        *,
        spatial: Float32[np.ndarray, "b t h w"] | None = None,
        temporal: Float32[np.ndarray, "b t"] | None = None,
    ) -> None:
        """Add the attention of the clips in `records`, one row each."""
        self._records += records
        for name, values in ((SPATIAL, spatial), (TEMPORAL, temporal)):
            if values is None:
                continue
            if name not in self._arrays:
                path = self._directory / name
                self._files.enter_context(naming(path))  # what closing it raises, too
                file = self._files.enter_context(path.open("wb"))
                self._arrays[name] = _GrowingArray(file, values.shape[1:])
            self._arrays[name].append(values)


class _GrowingArray:
    """A .npy file whose number of rows is known only at its end."""

    def __init__(self, file: BinaryIO, row_shape: tuple[int, ...]) -> None:
        self._file = file
        self._row_shape = row_shape
        self._rows = 0
        self._write_header()

    def append(self, values: np.ndarray) -> None:
        with naming(self._file.name):
            self._file.write(np.ascontiguousarray(values, dtype="<f4").data)
        self._rows += len(values)

    def finish(self) -> None:
        self._file.seek(0)
        self._write_header()

    def _write_header(self) -> None:
        # numpy pads headers so that any number of rows fits into the room of the first one.
        shape = (self._rows, *self._row_shape)
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def merge_attention(parts: Sequence[Path], directory: Path) -> None:
    """Write one attention directory from those of several processes.

    Args:
        parts: Directories whose `row` is the position of a clip in the dataset; empty ones count
            as parts without clips.
        directory: Where the merged files go, sorted by that position and then numbered from 0.
    """
    opened = [open_attention(part) for part in parts if _holds_maps(part)]
    if not opened:
        return
    places = sorted(
        (part.record(row), number, row)
        for number, part in enumerate(opened)
        for row in range(len(part.clips))
    )
    # Written as a stream: through a memory map, a full disk would kill the process without a word.
    with AttentionWriter(directory) as writer:
        for target, (record, number, row) in enumerate(places):
            part, one = opened[number], slice(row, row + 1)
            writer.append(
                [replace(record, row=target)],
                spatial=None if part.spatial is None else part.spatial[one],
                temporal=None if part.temporal is None else part.temporal[one],
            )


def attention_directory(path: Path, split: str) -> Path:
    """Return the directory with a run's attention; `path` itself where it is such a directory.

    Args:
        path: Run directory, or attention directory.
        split: Which evaluation of the run.

    Raises:
        AttncliError: The run was not evaluated on that split, or its method has no attention.
    """
    evaluation = path / "eval" / split
    for directory in (path, evaluation / "attention"):
        if _holds_maps(directory):
            return directory
    if not path.is_dir():
        raise AttncliError("no such directory", where=path, remedy="name a run directory")
    if evaluation.is_dir():
        raise AttncliError(
            "holds no attention maps", where=evaluation, remedy="leave out runs without them"
        )
    raise AttncliError(
        f"holds no evaluation on the {split} split",
        where=path,
        remedy=f"run `attncli eval {path} --split {split}` first",
    )


def open_attention(directory: Path) -> Attention:
    """Open what an `AttentionWriter`, or any other program, wrote; no map is kept in memory.

    Raises:
        AttncliError: The directory holds no attention, its files do not fit together, or a value is
            not in [0, 1].
    """
    if not _holds_maps(directory):
        raise AttncliError(
            "holds no attention maps", where=directory, remedy="write it with `attncli eval`"
        )
    spatial, temporal = _map_array(directory / SPATIAL, 4), _map_array(directory / TEMPORAL, 2)
    clips = _read_clips(directory / CLIPS)
    for name, array in ((SPATIAL, spatial), (TEMPORAL, temporal)):
        if array is not None and len(array) != len(clips):
            raise AttncliError(
                f"{len(array)} rows, but {CLIPS} has {len(clips)}",
                where=directory / name,
                remedy=REMEDY,
            )
    return Attention(directory, spatial=spatial, temporal=temporal, clips=clips)


def _holds_maps(directory: Path) -> bool:
    return (directory / CLIPS).exists() and any(
        (directory / name).exists() for name in (SPATIAL, TEMPORAL)
    )


def _map_array(path: Path, axes: int) -> np.ndarray | None:
    if not path.exists():
        return None
    array = open_array(path, remedy=REMEDY)
    if array.ndim != axes or array.dtype != np.float32:
        raise AttncliError(
            f"float32 with {axes} axes is expected, not {array.dtype} of shape {array.shape}",
            where=path,
            remedy="convert it, or write it anew with `attncli eval`",
        )
    if 0 in array.shape[1:]:
        what = f"the maps of shape {array.shape[1:]} have no values"
        raise AttncliError(what, where=path, remedy=REMEDY)
    for start in range(0, len(array), CLIPS_AT_ONCE):
        some = array[start : start + CLIPS_AT_ONCE]
        require_unit_range(some, what="attention is", first_row=start, where=path, remedy=REMEDY)
    return array


def _frames(text: str) -> tuple[int, ...]:
    frames = tuple(np.array(text.split(), dtype=np.int64).tolist())
    if not frames or min(frames) < 0:
        raise ValueError(f"frames {text!r} are not whole numbers from 0")
    return frames


def _crop(text: str) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(edge) for edge in text.split())
    if not (-math.inf < left < right < math.inf and -math.inf < top < bottom < math.inf):
        raise ValueError(f"crop {text!r} is not left, top, right and bottom")
    return left, top, right, bottom


def _read_clips(path: Path) -> pd.DataFrame:
    cells = read_cells(path, remedy=REMEDY)
    header = cells.iloc[0].tolist() if len(cells) else []
    missing = [name for name in COLUMNS if header.count(name) != 1]
    if missing:
        what = f"column {missing[0]} is {'listed twice' if missing[0] in header else 'missing'}"
        raise AttncliError(what, where=path, remedy=REMEDY)
    clips = cells.iloc[1:].set_axis(header, axis="columns")
    try:
        return clips.assign(row=clips["row"].map(whole_number)).reset_index(drop=True)
    except ValueError as error:
        raise AttncliError(f"column row: {error}", where=path, remedy=REMEDY) from error


def _write_clips(path: Path, records: Sequence[ClipRecord]) -> None:
    with naming(path), path.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for record in records:
            frames = " ".join(str(frame) for frame in record.frames)
            crop = " ".join(f"{edge:.10g}" for edge in record.crop)
            answer = (record.row, record.id, record.label, record.predicted)
            writer.writerow((*answer, frames, crop, int(record.flip)))

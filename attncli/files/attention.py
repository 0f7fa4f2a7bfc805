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

SPATIAL = "spatial.npy"
TEMPORAL = "temporal.npy"
CLIPS = "clips.csv"
COLUMNS = ("row", "id", "label", "predicted", "frames", "crop", "flip")
REMEDY = "write it anew with `attncli eval`"


@dataclass(frozen=True)
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
    """Attention maps as they lie on disk, read only where they are looked at."""

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
                flip=bool(int(line["flip"])),
            )
        except (ValueError, OverflowError) as error:
            raise AttncliError(
                f"no line of clips ({error})", where=f"{CLIPS}, row {row}", remedy=REMEDY
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
                file = self._files.enter_context((self._directory / name).open("wb"))
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
    directory.mkdir(parents=True, exist_ok=True)
    positions = np.concatenate([part.clips["row"].to_numpy() for part in opened])
    targets = np.split(np.argsort(np.argsort(positions)), np.cumsum([len(p.clips) for p in opened]))
    for name in (SPATIAL, TEMPORAL):
        arrays = [part.spatial if name == SPATIAL else part.temporal for part in opened]
        _merge_arrays([a for a in arrays if a is not None], targets, directory / name)
    records = [part.record(row) for part in opened for row in range(len(part.clips))]
    records.sort(key=lambda record: record.row)
    _write_clips(directory / CLIPS, [replace(record, row=i) for i, record in enumerate(records)])


def _merge_arrays(arrays: list[np.ndarray], targets: list[np.ndarray], path: Path) -> None:
    if not arrays:
        return
    shape = (sum(len(array) for array in arrays), *arrays[0].shape[1:])
    merged = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype("<f4"), shape=shape)
    for array, target in zip(arrays, targets, strict=False):
        merged[target] = array
    merged.flush()


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
            "there are no attention maps", where=evaluation, remedy="leave out runs without them"
        )
    raise AttncliError(
        f"there is no evaluation on the {split} split",
        where=path,
        remedy=f"run `attncli eval {path} --split {split}` first",
    )


def open_attention(directory: Path) -> Attention:
    """Open what an `AttentionWriter`, or any other program, wrote; nothing is read into memory.

    Raises:
        AttncliError: The directory holds no attention, or its files do not fit together.
    """
    if not _holds_maps(directory):
        raise AttncliError(
            "there is no attention here", where=directory, remedy="write it with `attncli eval`"
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
    return Attention(spatial=spatial, temporal=temporal, clips=clips)


def _holds_maps(directory: Path) -> bool:
    return (directory / CLIPS).exists() and any(
        (directory / name).exists() for name in (SPATIAL, TEMPORAL)
    )


def _map_array(path: Path, axes: int) -> np.ndarray | None:
    if not path.exists():
        return None
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OverflowError) as error:
        raise AttncliError(
            f"this is no plain .npy array ({error})", where=path, remedy=REMEDY
        ) from error
    if array.ndim != axes or array.dtype != np.float32:
        raise AttncliError(
            f"float32 with {axes} axes is expected, not {array.dtype} of shape {array.shape}",
            where=path,
            remedy="convert it, or write it anew with `attncli eval`",
        )
    if 0 in array.shape[1:]:
        what = f"the maps of shape {array.shape[1:]} have no values"
        raise AttncliError(what, where=path, remedy=REMEDY)
    return array


def _frames(text: str) -> tuple[int, ...]:
    frames = tuple(np.array(text.split(), dtype=np.int64).tolist())
    if not frames or min(frames) < 0:
        raise ValueError(f"{text!r} are no frames")
    return frames


def _crop(text: str) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(edge) for edge in text.split())
    if not (-math.inf < left < right < math.inf and -math.inf < top < bottom < math.inf):
        raise ValueError(f"{text!r} is no part of a frame")
    return left, top, right, bottom


def _read_clips(path: Path) -> pd.DataFrame:
    text = dict.fromkeys(("id", "label", "predicted", "frames", "crop"), str)
    try:
        clips = pd.read_csv(path, dtype=text, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise AttncliError(f"this is no CSV table ({error})", where=path, remedy=REMEDY) from error
    missing = [name for name in COLUMNS if name not in clips.columns]
    if missing:
        raise AttncliError(f"column {missing[0]} is missing", where=path, remedy=REMEDY)
    return clips


def _write_clips(path: Path, records: Sequence[ClipRecord]) -> None:
    lines = [
        {
            "row": record.row,
            "id": record.id,
            "label": record.label,
            "predicted": record.predicted,
            "frames": " ".join(str(frame) for frame in record.frames),
            "crop": " ".join(f"{edge:.10g}" for edge in record.crop),
            "flip": int(record.flip),
        }
        for record in records
    ]
    pd.DataFrame(lines, columns=list(COLUMNS)).to_csv(path, index=False, lineterminator="\n")

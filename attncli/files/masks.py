"""Instance masks of videos: one JSON-lines file a video, one line a frame, in frame order.

A line reads `{"frame": 0, "size": [240, 320], "instances": [{"category": "person", "score": 0.98,
"bbox": [x, y, w, h], "counts": "…"}]}`: the frame's own pixels, COCO's compressed run lengths.
Frames between two lines were skipped when segmenting and take the earlier line's masks. The last
line is the video's last frame. A file has its name only once it is whole.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import numpy as np
from jaxtyping import Bool, Int64
from pycocotools import mask as coco

from attncli.errors import AttncliError, reason
from attncli.files.atomic import replacing
from attncli.files.limits import LARGEST_FRAME_PX

_FRAME = re.compile(rb'"frame"\s*:\s*(\d{1,18})\b')


@dataclass(frozen=True)
class Instance:
    """One object in one frame."""

    category: str
    """Name of its class."""
    score: float
    """How sure the segmenter is, in [0, 1]."""
    bbox: tuple[float, float, float, float]
    """Left, top, width and height in pixels."""
    counts: str
    """Run lengths of its mask, column by column, in COCO's compressed ASCII form."""

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "h w"], *, category: str, score: float) -> "Instance":
        """Return the instance that covers the true pixels of `mask`."""
        encoded = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
        left, top, width, height = map(float, coco.toBbox(encoded))
        counts = encoded["counts"].decode("ascii")
        return cls(category, round(score, 4), (left, top, width, height), counts)

    def mask(self, size_hw: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """Return the pixels it covers in a frame of `size_hw`.

        Raises:
            ValueError: The run lengths do not fill such a frame.
        """
        height, width = size_hw
        return _columns(self.counts, height * width).reshape(width, height).T


@dataclass(frozen=True)
class FrameMasks:
    """The instances of one frame: a line of a mask file."""

    frame: int
    """Position of the frame in its video, counted from 0 in presentation order."""
    size_hw: tuple[int, int]
    """Rows and columns of the frame."""
    instances: tuple[Instance, ...]
    """Objects found; none in an empty frame."""

    def union(self) -> Bool[np.ndarray, "h w"]:
        """Return the pixels any instance covers.

        Raises:
            ValueError: An instance's run lengths do not fill the frame.
        """
        height, width = self.size_hw
        covered = np.zeros(height * width, dtype=np.bool_)
        for instance in self.instances:
            covered |= _columns(instance.counts, height * width)
        return covered.reshape(width, height).T


class MaskWriter:
    """Writes a video's masks frame by frame; the file appears when the `with` block succeeds."""

    def __init__(self, root: Path, video_id: str) -> None:
        """Prepare to write the masks of `video_id` below `root`."""
        self._path = MaskDirectory(root).path(video_id)
        self._stack = ExitStack()
        self._lines: TextIO

    def __enter__(self) -> "MaskWriter":
        temporary = self._stack.enter_context(replacing(self._path))
        self._lines = self._stack.enter_context(temporary.open("w", encoding="ascii"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, masks: FrameMasks) -> None:
        """Append one frame; frames come in rising order and the video's last one is among them."""
        line = {
            "frame": masks.frame,
            "size": masks.size_hw,
            "instances": [asdict(instance) for instance in masks.instances],
        }
        self._lines.write(json.dumps(line, separators=(",", ":")) + "\n")


@dataclass(frozen=True)
class MaskDirectory:
    """Masks of a dataset's videos, as `attncli segment` writes them."""

    root: Path
    """Directory with a file `<video id>.jsonl` for each video."""

    def path(self, video_id: str) -> Path:
        """Return where the masks of `video_id` are, or would be."""
        return self.root / f"{video_id}.jsonl"

    def finished(self, video_id: str) -> bool:
        """Return whether the masks of `video_id` are there."""
        return self.path(video_id).exists()

    def frames(self, video_id: str) -> Iterator[FrameMasks]:
        """Yield the segmented frames of a video in order, in constant memory.

        Raises:
            AttncliError: The file is missing, or a line of it is malformed.
        """
        path, before = self._existing(video_id), -1
        with _readable(path), path.open("rb") as lines:
            for number, line in enumerate(lines):
                masks = _parse(path, number, line)
                if masks.frame <= before:
                    raise _malformed(path, number, "frame numbers must increase")
                yield masks
                before = masks.frame

    def at(
        self, video_id: str, frame_indices: Iterable[int], *, size_hw: tuple[int, int]
    ) -> list[FrameMasks]:
        """Return the instances of some frames; a skipped one has those that hold for it.

        Args:
            video_id: Which video.
            frame_indices: Positions in the video, in any order.
            size_hw: Rows and columns of the video.

        Raises:
            AttncliError: The file is missing, malformed, of a video of another size, or ends before
                a frame that is asked for.
        """
        lines = _Lines.of(self._existing(video_id))
        rows = {int(frame): lines.row_at(int(frame)) for frame in frame_indices}
        parsed = {row: lines.masks(row, size_hw) for row in dict.fromkeys(rows.values())}
        return [replace(parsed[row], frame=frame) for frame, row in rows.items()]

    def read(
        self,
        video_id: str,
        frame_indices: Sequence[int] | Int64[np.ndarray, " t"],
    ) -> Bool[np.ndarray, "t h w"]:
        """Return the union of the instance masks of some frames, at source resolution.

        Only the lines of these frames are parsed.

        Args:
            video_id: Which video.
            frame_indices: At least one position in the video, in any order.

        Raises:
            AttncliError: The file is missing, malformed, or ends before a frame that is asked for.
        """
        lines = _Lines.of(self._existing(video_id))
        rows = [lines.row_at(int(frame)) for frame in frame_indices]
        unions = lines.unions(rows)
        return np.stack([unions[row] for row in rows])

    def read_own(
        self,
        video_id: str,
        frame_indices: Sequence[int] | Int64[np.ndarray, " t"],
    ) -> tuple[Bool[np.ndarray, "t h w"], Bool[np.ndarray, " t"]]:
        """Return masks as `read` does, but only of frames that have a line of their own.

        Args:
            video_id: Which video.
            frame_indices: At least one position in the video, in any order.

        Returns:
            The masks, empty in frames without a line, and which frames have one.

        Raises:
            AttncliError: The file is missing, malformed, or has no line at all.
        """
        lines = _Lines.of(self._existing(video_id))
        rows = [lines.row_of(int(frame)) for frame in frame_indices]
        unions = lines.unions([row for row in rows if row is not None] or [0])
        nothing = np.zeros_like(next(iter(unions.values())))
        masks = np.stack([nothing if row is None else unions[row] for row in rows])
        return masks, np.array([row is not None for row in rows])

    def _existing(self, video_id: str) -> Path:
        path = self.path(video_id)
        if not path.is_file():
            raise AttncliError(
                "no masks for this video", where=path, remedy="run attncli segment --resume"
            )
        return path


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Name a file that the system does not let us read, as that of one video among others."""
    try:
        yield
    except OSError as error:
        what = reason(error)
        raise AttncliError(what, where=path, remedy="change its rights or copy it anew") from error


def _columns(counts: str, n_pixels: int) -> Bool[np.ndarray, " n"]:
    """Return the mask's pixels column by column, from COCO's compressed run lengths.

    Runs of uncovered and covered pixels alternate. Each is a number of 5-bit digits, lowest
    first, with flags for "more digits" (32) and, in the last, "negative" (16); from the fourth
    run on it is the difference to the run before the last. pycocotools reads past its memory
    or never returns where runs do not fill the frame, so runs are checked before they are used.
    """
    digits = np.frombuffer(counts.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    last = np.flatnonzero(digits & 32 == 0)
    if not len(last) or last[-1] != len(digits) - 1 or digits.min() < 0 or digits.max() > 63:
        raise ValueError("broken run lengths")
    first = np.concatenate(([0], last[:-1] + 1))
    shift = 5 * (np.arange(len(digits)) - np.repeat(first, last - first + 1))
    if shift.max() > 30:
        raise ValueError("broken run lengths")
    runs = np.add.reduceat((digits & 31) << shift, first)
    runs -= np.where(digits[last] & 16, 32 << shift[last], 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    if runs.min() < 0 or runs.sum() != n_pixels:
        raise ValueError(f"run lengths do not fill {n_pixels} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


@dataclass(frozen=True)
class _Lines:
    """The lines of a mask file, each parsed only when it is needed."""

    path: Path
    lines: Sequence[bytes]
    frames: Sequence[int]
    """The frame of each line; they rise."""

    @classmethod
    def of(cls, path: Path) -> "_Lines":
        with _readable(path):
            content = path.read_bytes()
        lines = content.removesuffix(b"\n").split(b"\n") if content else []
        return cls(path, lines, _frame_numbers(path, lines))

    def row_at(self, frame: int) -> int:
        """Return the line that holds for a frame: its own or, where it was skipped, the last."""
        if not self.frames or not self.frames[0] <= frame <= self.frames[-1]:
            raise AttncliError(
                f"no masks for frame {frame}",
                where=self.path,
                remedy="segment this very video again",
            )
        return bisect_right(self.frames, frame) - 1

    def row_of(self, frame: int) -> int | None:
        """Return the line of this very frame; None where it has none."""
        row = bisect_left(self.frames, frame)
        return row if row < len(self.frames) and self.frames[row] == frame else None

    def masks(self, row: int, size_hw: tuple[int, int]) -> FrameMasks:
        """Return a line's instances, which fill frames of `size_hw`."""
        masks = _parse(self.path, row, self.lines[row])
        if masks.size_hw != size_hw:
            (rows, columns), (height, width) = masks.size_hw, size_hw
            what = f"masks are {columns}x{rows}, the video is {width}x{height}"
            raise AttncliError(what, where=self.path, remedy="segment this video again")
        _union(self.path, row, masks)
        return masks

    def unions(self, rows: Iterable[int]) -> dict[int, Bool[np.ndarray, "h w"]]:
        """Return the pixels any instance covers in each of some lines, all of one size."""
        if not self.lines:
            raise AttncliError("holds no line", where=self.path, remedy="delete this file")
        size_hw: tuple[int, int] | None = None
        unions = {}
        for row in dict.fromkeys(rows):
            masks = _parse(self.path, row, self.lines[row])
            if masks.size_hw != (size_hw := size_hw or masks.size_hw):
                raise _malformed(self.path, row, "not the size of the frames before")
            unions[row] = _union(self.path, row, masks)
        return unions


def _frame_numbers(path: Path, lines: Sequence[bytes]) -> list[int]:
    numbers: list[int] = []
    for row, line in enumerate(lines):
        found = _FRAME.search(line)
        if found is None:
            raise _malformed(path, row, "no frame number")
        numbers.append(int(found[1]))
        if row and numbers[row] <= numbers[row - 1]:
            raise _malformed(path, row, "frame numbers must increase")
    return numbers


def _parse(path: Path, number: int, line: bytes) -> FrameMasks:
    try:
        fields: dict[str, Any] = json.loads(line)
        height, width = map(int, fields["size"])
        if min(height, width) <= 0 or height * width > LARGEST_FRAME_PX:
            raise ValueError(f"a frame cannot have {width}x{height} pixels")
        instances = tuple(_instance(**entry) for entry in fields["instances"])
        return FrameMasks(int(fields["frame"]), (height, width), instances)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _malformed(path, number, str(error)) from error


def _instance(category: str, score: float, bbox: Sequence[float], counts: str) -> Instance:
    left, top, width, height = map(float, bbox)
    return Instance(str(category), float(score), (left, top, width, height), str(counts))


def _union(path: Path, number: int, masks: FrameMasks) -> Bool[np.ndarray, "h w"]:
    try:
        return masks.union()
    except ValueError as error:
        raise _malformed(path, number, str(error)) from error


def _malformed(path: Path, number: int, problem: str) -> AttncliError:
    return AttncliError(
        f"not a line of masks ({problem})",
        where=f"{path}:{number + 1}",
        remedy="delete the file and make it again, as with attncli segment --resume",
    )

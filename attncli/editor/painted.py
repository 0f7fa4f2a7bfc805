"""The masks people paint: on disk after every change, and as the page has them."""

from collections.abc import Iterable, Mapping
from threading import Lock
from types import TracebackType

import numpy as np
from jaxtyping import Bool

from attncli.editor.exclusive import Stamp, require_unchanged, stamp
from attncli.errors import AttncliError
from attncli.files.atomic import sweep
from attncli.files.locks import hold_beside
from attncli.files.masks import FrameMasks, Instance
from attncli.files.spatial_edits import SpatialClip, SpatialEditDirectory

CATEGORY = "attention"
"""Category of what people painted."""
Runs = list[int]
"""A mask row by row: pixels not covered, pixels covered, and so on in turn."""


class PaintedMasks:
    """Edits of spatial attention that this process alone changes; use as a context manager.

    Each clip's file is replaced as a whole with each change.

    Args:
        directory: Where the edits are.

    Raises:
        AttncliError: Another editor has the edits open, or they do not fit the clips.
    """

    def __init__(self, directory: SpatialEditDirectory) -> None:
        self.directory = directory
        self._changing = Lock()
        self._is_closed = False
        self._stamps: dict[str, Stamp | None] = {}
        self._frames: dict[str, dict[int, FrameMasks]] = {}
        self._hold = hold_beside(directory.edits.root, remedy="end that one first")
        try:
            sweep(directory.edits.root)
            for clip in directory.read_clips().values():
                self._stamps[clip.id] = stamp(directory.edits.path(clip.id))
                self._frames[clip.id] = directory.read_frames(clip)
        except BaseException:
            self._hold.end()
            raise

    def __enter__(self) -> "PaintedMasks":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let others change the edits, once a change that is under way is on disk."""
        with self._changing:
            self._hold.end()
            self._is_closed = True

    def of(self, clip_id: str) -> Mapping[int, FrameMasks]:
        """Return the edited frames of a clip by their position in the video."""
        return self._frames[clip_id]

    def change(
        self, clip: SpatialClip, changes: Iterable[tuple[int, Bool[np.ndarray, "h w"] | None]]
    ) -> None:
        """Give frames of a clip new masks; its file holds them by then.

        Args:
            clip: Which clip.
            changes: A frame, counted from 0, and its mask; None takes its edit away.

        Raises:
            AttncliError: Another program has changed the file, or may since this was closed;
                nothing is changed.
            OSError: The file cannot be written; nothing is changed.
        """
        path = self.directory.edits.path(clip.id)
        with self._changing:
            if self._is_closed:
                raise AttncliError("the editor has been ended", where=path)
            require_unchanged(path, self._stamps[clip.id])
            frames = dict(self._frames[clip.id])
            for frame, mask in changes:
                if mask is None:
                    frames.pop(frame, None)
                else:
                    frames[frame] = FrameMasks(frame, clip.size_hw, _instances(mask))
            self.directory.write_frames(clip.id, frames)
            self._frames[clip.id], self._stamps[clip.id] = frames, stamp(path)


def _instances(mask: Bool[np.ndarray, "h w"]) -> tuple[Instance, ...]:
    return (Instance.of(mask, category=CATEGORY, score=1.0),) if mask.any() else ()


def runs_of(mask: Bool[np.ndarray, "h w"]) -> Runs:
    """Return a mask as the page has it.

    >>> runs_of(np.array([[False, True], [True, False]]))
    [1, 2, 1]
    """
    pixels = mask.ravel()
    turns = np.flatnonzero(np.diff(pixels)) + 1
    runs = np.diff(turns, prepend=0, append=len(pixels)).tolist()
    return [0, *runs] if pixels[0] else runs


def mask_of(runs: Runs, size_hw: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Return the mask that the page has as runs.

    Raises:
        ValueError: They do not fill a frame of `size_hw`.
    """
    height, width = size_hw
    if sum(runs) != height * width or min(runs) < 0:
        raise ValueError(f"runs do not fill {width}x{height} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(size_hw)

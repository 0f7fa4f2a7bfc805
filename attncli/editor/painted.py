"""The masks people paint, a file a clip, and as the page has them."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from attncli.editor.store import EditFiles
from attncli.files.atomic import sweep
from attncli.files.masks import FrameMasks, Instance
from attncli.files.spatial_edits import SpatialEditDirectory

CATEGORY = "attention"
"""Category of what people painted."""
Painted = Mapping[int, FrameMasks]
"""The edited frames of a clip by their position in the video."""
Mask = Bool[np.ndarray, "h w"] | None
"""A frame's new mask; None takes its edit away."""
Runs = list[int]
"""A mask row by row: pixels not covered, pixels covered, and so on in turn."""


class PaintedMasks(EditFiles[Painted, Mask]):
    """Edits of spatial attention; each clip's file is replaced as a whole with each change.

    Args:
        directory: Where the edits are.

    Raises:
        AttncliError: Its clips cannot be read.
    """

    def __init__(self, directory: SpatialEditDirectory) -> None:
        self._directory = directory
        self._clips = directory.read_clips()

    @property
    def place(self) -> Path:
        """Directory of the files."""
        return self._directory.edits.root

    @property
    def clips(self) -> Collection[str]:
        """All clips of the directory."""
        return self._clips

    def path(self, clip_id: str) -> Path:
        """Return the file of a clip; there is none where it is not edited."""
        return self._directory.edits.path(clip_id)

    def read(self) -> dict[str, Painted]:
        """Return the edited frames of every clip."""
        sweep(self.place)
        return {clip.id: self._directory.read_frames(clip) for clip in self._clips.values()}

    def changed(self, clip_id: str, edits: Painted, changes: Iterable[tuple[int, Mask]]) -> Painted:
        """Return edited frames with the masks of some replaced."""
        size_hw = self._clips[clip_id].size_hw
        frames = dict(edits)
        for frame, mask in changes:
            if mask is None:
                frames.pop(frame, None)
            else:
                frames[frame] = FrameMasks(frame, size_hw, _instances(mask))
        return frames

    def write(self, clip_id: str, edits: Painted) -> None:
        """Replace the file of a clip."""
        self._directory.write_frames(clip_id, edits)


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

"""Clips that were chosen for editing: what directories for both kinds of edits have in common.

    DIR/{config.toml, classes.txt, clips.csv, failures.jsonl, frames/<id>/000001.jpg}

`config.toml` is written last: where it is, the directory is whole.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from attncli.errors import AttncliError
from attncli.files.tables import Table, read_table, write_table


@dataclass(frozen=True)
class EditClip:
    """A clip that was chosen for editing: a line of `clips.csv`."""

    id: str
    """The video's id in its dataset."""
    label: str
    """Name of its class."""
    predicted: str
    """Name of the class the network answered with."""
    frames: int
    """Frames of the whole video."""
    fps: float
    """Frames per second at which it is played."""


C = TypeVar("C", bound=EditClip)


@dataclass(frozen=True)
class ClipDirectory(ABC):
    """What directories for edits of either kind of attention hold; none of it need exist."""

    path: Path
    """The directory itself."""

    @property
    def config_path(self) -> Path:
        """How the clips were chosen, and from which run."""
        return self.path / "config.toml"

    @property
    def classes_path(self) -> Path:
        """Class names, one a line, in the order of the class scores."""
        return self.path / "classes.txt"

    @property
    def clips_path(self) -> Path:
        """The chosen clips."""
        return self.path / "clips.csv"

    @property
    def failures_path(self) -> Path:
        """Clips that could not be read."""
        return self.path / "failures.jsonl"

    def frames_path(self, video_id: str) -> Path:
        """Directory with a small picture of every frame of a video."""
        return self.path / "frames" / video_id

    def frame_path(self, video_id: str, frame: int) -> Path:
        """JPEG picture of a frame, given by its position in the video from 0."""
        return self.frames_path(video_id) / f"{frame + 1:06}.jpg"

    @abstractmethod
    def read_clips(self) -> Mapping[str, EditClip]:
        """Return the chosen clips by id, in their order.

        Raises:
            AttncliError: `clips.csv` is missing or malformed.
        """

    @abstractmethod
    def has_edits(self) -> bool:
        """Return whether anybody has edited anything.

        Raises:
            AttncliError: That cannot be told.
        """

    def require_made(self, command: str) -> None:
        """Raise an `AttncliError` where there is no such directory; `command` makes them."""
        if self.config_path.is_file() and self.clips_path.is_file():
            return
        is_there = self.path.is_dir()
        what = "holds no config.toml and clips.csv" if is_there else "no such edit directory"
        remedy = f"name a directory `attncli {command} select` wrote"
        raise AttncliError(what, where=self.path, remedy=remedy)


def read_clips(path: Path, kind: type[C]) -> dict[str, C]:
    """Return the clips of a `clips.csv` by id, in their order; its columns are fields of `kind`.

    Raises:
        AttncliError: The file is missing or malformed.
    """
    columns = tuple(field.name for field in fields(kind))
    table = read_table(path, columns)
    clips: dict[str, C] = {}
    for row, cells in enumerate(table.cells[list(columns)].to_numpy().tolist()):
        clip = _clip(table, row, kind, cells)
        if clip.id in clips:
            raise table.error(row, f"clip {clip.id!r} is listed twice")
        clips[clip.id] = clip
    return clips


def write_clips(path: Path, kind: type[C], clips: Iterable[C]) -> None:
    """Write a `clips.csv`, whose columns are the fields of `kind`."""
    write_table(path, [field.name for field in fields(kind)], map(astuple, clips))


def _clip(table: Table, row: int, kind: type[C], cells: Sequence[str]) -> C:
    id_ = cells[0]
    place = PurePosixPath(id_)
    if not id_ or place.is_absolute() or ".." in place.parts:
        raise table.error(row, f"clip {id_!r} cannot be the name of its directory of frames")
    types: dict[str, Any] = {field.name: field.type for field in fields(kind)}
    numbers = [name for name, type_ in types.items() if type_ is not str]
    try:
        values = {name: types[name](cell) for name, cell in zip(types, cells, strict=True)}
    except ValueError as error:
        raise table.error(row, f"clip {id_!r}: {error}") from None
    if not all(0 < values[name] < math.inf for name in numbers):
        names = " and ".join((", ".join(numbers[:-1]), numbers[-1]))
        raise table.error(row, f"clip {id_!r}: {names} must be positive")
    return kind(**values)

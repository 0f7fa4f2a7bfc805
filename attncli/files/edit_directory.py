"""Where people edit temporal attention: what `attncli edit-temporal select` makes.

    edits/{config.toml, classes.txt, clips.csv, edits.csv, attention.csv, failures.jsonl,
           frames/<id>/000001.jpg, annotators/NAME.csv}

`edits.csv` begins with blank scores; `attention.csv` has the same columns with the network's own
temporal attention; the files in `annotators/` are each one person's edits. `config.toml` is written
last: where it is, the directory is whole.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Float32

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import resolve
from attncli.errors import AttncliError, UsageError
from attncli.files.tables import Table, read_table, write_table
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits


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


CLIP_COLUMNS = tuple(field.name for field in fields(EditClip))


@dataclass(frozen=True)
class EditDirectory:
    """Where each file of an edit directory is; none of them need exist."""

    path: Path
    """The edit directory itself."""

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
    def edits_path(self) -> Path:
        """The edits, to be filled in."""
        return self.path / "edits.csv"

    @property
    def attention_path(self) -> Path:
        """The network's own temporal attention over each whole video."""
        return self.path / "attention.csv"

    @property
    def failures_path(self) -> Path:
        """Clips that could not be read."""
        return self.path / "failures.jsonl"

    @property
    def annotators_path(self) -> Path:
        """Directory with one file of edits a person."""
        return self.path / "annotators"

    def annotator_path(self, name: str) -> Path:
        """Return the file with one person's edits.

        Raises:
            UsageError: The name makes no file name.
        """
        if not re.fullmatch(r"\w[\w.-]{0,63}", name):
            what = f"{name!r} is no name of letters, digits, `_`, `-` and `.`"
            raise UsageError(what, where="--annotator")
        return self.annotators_path / f"{name}.csv"

    def annotators(self) -> dict[str, Path]:
        """Return each person's file of edits by name, in alphabetical order."""
        return {file.stem: file for file in sorted(self.annotators_path.glob("[!.]*.csv"))}

    def frames_path(self, video_id: str) -> Path:
        """Directory with a thumbnail of every frame of a video."""
        return self.path / "frames" / video_id

    def frame_path(self, video_id: str, frame: int) -> Path:
        """JPEG thumbnail of a frame, given by its position in the video from 0."""
        return self.frames_path(video_id) / f"{frame + 1:06}.jpg"

    def read_settings(self) -> SelectConfig:
        """Return how the clips were chosen, and from which run.

        Raises:
            UsageError: `config.toml` is missing or holds something else.
        """
        return resolve(SelectConfig, self.config_path)

    def read_clips(self) -> dict[str, EditClip]:
        """Return the chosen clips by id, in their order.

        Raises:
            AttncliError: `clips.csv` is missing or malformed.
        """
        table = read_table(self.clips_path, CLIP_COLUMNS)
        clips: dict[str, EditClip] = {}
        for row, cells in enumerate(table.cells[list(CLIP_COLUMNS)].to_numpy().tolist()):
            clip = _clip(table, row, *cells)
            if clip.id in clips:
                raise table.error(row, f"clip {clip.id!r} is there twice")
            clips[clip.id] = clip
        return clips

    def write_clips(self, clips: Iterable[EditClip]) -> None:
        """Write `clips.csv`."""
        write_table(self.clips_path, CLIP_COLUMNS, map(astuple, clips))

    def read_edits(self, path: Path | None = None, *, allow_partial: bool = False) -> TemporalEdits:
        """Return edits of the chosen clips, checked against `clips.csv`.

        Args:
            path: Such as one annotator's file; `edits.csv` where None.
            allow_partial: Whether a clip may have scores for some of its frames only.

        Raises:
            AttncliError: The file is no table of edits, or does not fit the clips.
        """
        n_frames = {clip.id: clip.frames for clip in self.read_clips().values()}
        return read_temporal_edits(
            path or self.edits_path, n_frames=n_frames, allow_partial=allow_partial
        )

    def read_attention(self) -> Mapping[str, Float32[np.ndarray, " n"]]:
        """Return the network's own temporal attention over each whole video, in [0, 1], by id.

        Raises:
            AttncliError: `attention.csv` is missing, malformed, or does not fit the clips.
        """
        attention = self.read_edits(self.attention_path)
        given = set(attention.ids)
        for id_ in self.read_clips():
            if id_ not in given:
                what, remedy = f"there is none of clip {id_!r}", "select the clips again"
                raise AttncliError(what, where=self.attention_path, remedy=remedy)
        return attention.scores


def open_edit_directory(path: Path) -> EditDirectory:
    """Return the edit directory at `path`.

    Raises:
        AttncliError: There is none.
    """
    directory = EditDirectory(path)
    if not (directory.config_path.is_file() and directory.clips_path.is_file()):
        what = (
            "no config.toml and clips.csv in this directory" if path.is_dir() else "no such edits"
        )
        remedy = "name a directory `attncli edit-temporal select` wrote"
        raise AttncliError(what, where=path, remedy=remedy)
    return directory


def _clip(table: Table, row: int, id_: str, label: str, predicted: str, *numbers: str) -> EditClip:
    place = PurePosixPath(id_)
    if not id_ or place.is_absolute() or ".." in place.parts:
        raise table.error(row, f"clip {id_!r} cannot be the name of its directory of frames")
    try:
        frames, fps = int(numbers[0]), float(numbers[1])
    except ValueError as error:
        raise table.error(row, f"clip {id_!r}: {error}") from None
    if frames < 1 or not 0 < fps < math.inf:
        raise table.error(row, f"clip {id_!r}: frames and fps must be positive")
    return EditClip(id_, label, predicted, frames, fps)

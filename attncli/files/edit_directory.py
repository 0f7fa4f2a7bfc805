"""Where people edit temporal attention: what `attncli edit-temporal select` makes.

    edits/{config.toml, classes.txt, clips.csv, edits.csv, attention.csv, failures.jsonl,
           frames/<id>/000001.jpg, annotators/NAME.csv, notes.csv, notes/NAME.csv}

`edits.csv` begins with blank scores; `attention.csv` has the same columns with the network's own
temporal attention; the files in `annotators/` are each one person's edits. `notes.csv` says with
which clips the annotator is done, see `files.clip_notes`; `notes/NAME.csv` is one person's.
`config.toml` is written last: where it is, the directory is whole.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import resolve
from attncli.errors import AttncliError, UsageError
from attncli.files.clip_directory import ClipDirectory, read_clips, write_clips
from attncli.files.clip_directory import EditClip as EditClip
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits


@dataclass(frozen=True)
class EditDirectory(ClipDirectory):
    """Where each file of a directory for edits of temporal attention is."""

    @property
    def edits_path(self) -> Path:
        """The edits, to be filled in."""
        return self.path / "edits.csv"

    @property
    def attention_path(self) -> Path:
        """The network's own temporal attention over each whole video."""
        return self.path / "attention.csv"

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
            what = f"must be made of letters, digits, `_`, `-` and `.`, not {name!r}"
            raise UsageError(what, where="--annotator")
        return self.annotators_path / f"{name}.csv"

    def annotators(self) -> dict[str, Path]:
        """Return each person's file of edits by name, in alphabetical order."""
        return {file.stem: file for file in sorted(self.annotators_path.glob("[!.]*.csv"))}

    def notes_path(self, edits: Path) -> Path:
        """Return where notes are kept of a file of edits: `edits.csv`, or that of an annotator."""
        if edits.parent == self.annotators_path:
            return self.path / "notes" / edits.name
        return self.path / "notes.csv"

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
        return read_clips(self.clips_path, EditClip)

    def write_clips(self, clips: Iterable[EditClip]) -> None:
        """Write `clips.csv`."""
        write_clips(self.clips_path, EditClip, clips)

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

    def has_edits(self) -> bool:
        """Return whether any frame has a score, or anybody made notes or began a file of their own.

        Raises:
            AttncliError: `edits.csv` is no table of edits, or does not fit the clips.
        """
        if self.annotators() or self.notes_path(self.edits_path).exists():
            return True
        if not self.edits_path.exists():
            return False
        edits = self.read_edits(allow_partial=True)
        return len(edits.unedited) < len(edits.scores)

    def read_attention(self) -> Mapping[str, Float32[np.ndarray, " n"]]:
        """Return the network's own temporal attention over each whole video, in [0, 1], by id.

        Raises:
            AttncliError: `attention.csv` is missing, malformed, or does not fit the clips.
        """
        attention = self.read_edits(self.attention_path)
        given = set(attention.ids)
        for id_ in self.read_clips():
            if id_ not in given:
                what, remedy = f"has no rows of clip {id_!r}", "select the clips again"
                raise AttncliError(what, where=self.attention_path, remedy=remedy)
        return attention.scores


def open_edit_directory(path: Path) -> EditDirectory:
    """Return the edit directory at `path`.

    Raises:
        AttncliError: There is none.
    """
    directory = EditDirectory(path)
    directory.require_made("edit-temporal")
    return directory

"""What `select` writes for edits of temporal attention."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.temporal_edits import write_temporal_edits
from attncli.workflows.edit.select.unfinished import Kept, Record
from attncli.workflows.edit.select.whole_videos import Kind, Watched

ATTENTION_DECIMALS = 4


@dataclass(frozen=True)
class TemporalEditing:
    """Edits of temporal attention: a score a frame, beside thumbnails."""

    kind: ClassVar[Kind] = "temporal"
    command: ClassVar[str] = "edit-temporal"
    picture_px: ClassVar[int] = 96

    def directory(self, path: Path) -> EditDirectory:
        """Return where what is in a directory for such edits."""
        return EditDirectory(path)

    def record(self, path: Path, watched: Watched, fps: float) -> Record:  # noqa: ARG002
        """Return what goes into the tables of one video."""
        rounded = watched.attention.astype(np.float64).round(ATTENTION_DECIMALS).tolist()
        return {"fps": fps, "attention": rounded}

    def write_tables(self, path: Path, kept: Kept) -> None:
        """Write the clips, their attention, and scores that are to be filled in."""
        directory = self.directory(path)
        attention = {m.id: np.array(record["attention"], np.float32) for m, record in kept}
        directory.write_clips(
            EditClip(m.id, m.label, m.predicted, frames=len(attention[m.id]), fps=record["fps"])
            for m, record in kept
        )
        write_temporal_edits(directory.attention_path, attention)
        blank = {id_: np.full_like(vector, np.nan) for id_, vector in attention.items()}
        write_temporal_edits(directory.edits_path, blank)
        directory.annotators_path.mkdir(exist_ok=True)

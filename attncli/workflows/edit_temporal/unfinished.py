"""An edit directory in the making, hidden beside the place where it will appear as a whole."""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.edit_directory import EditClip, EditDirectory
from attncli.files.failures import write_failures
from attncli.files.temporal_edits import write_temporal_edits
from attncli.workflows.edit_temporal.mistakes import Mistake

RECORDS = "records"
ATTENTION_DECIMALS = 4


class UnfinishedEdits:
    """What is known of the clips so far; an interrupted command finds it again.

    Args:
        out: Where the edit directory will be.
    """

    def __init__(self, out: Path) -> None:
        self.out = out.resolve()
        self.directory = EditDirectory(self.out.with_name(f".{self.out.name}.partial"))

    def begin(self, settings: SelectConfig, *, resume: bool) -> None:
        """Make the hidden directory; what is in it stays only if it is to be continued.

        Raises:
            AttncliError: It is to be continued, but was begun with other settings.
        """
        if not resume:
            shutil.rmtree(self.directory.path, ignore_errors=True)
        require_same_settings(self.directory, settings)
        write_text(self.directory.config_path, dump(settings))

    def holds(self, video_id: str) -> bool:
        """Return whether everything about a video is there."""
        return self._record(video_id).exists()

    def keep(self, video_id: str, attention: Float32[np.ndarray, " n"], fps: float) -> None:
        """Keep what is to be known of a video whose thumbnails are there."""
        rounded = attention.astype(np.float64).round(ATTENTION_DECIMALS).tolist()
        record = json.dumps({"fps": fps, "attention": rounded})
        write_text(self._record(video_id), record)

    def finish(
        self, mistakes: Iterable[Mistake], classes: Sequence[str], failures: Sequence[Failure]
    ) -> None:
        """Write the tables of all clips that are there, and let the directory appear."""
        clips, attention, blank = [], {}, {}
        for mistake in mistakes:
            if self.holds(mistake.id):
                record = json.loads(self._record(mistake.id).read_text(encoding="utf-8"))
                vector = np.array(record["attention"], dtype=np.float32)
                names = mistake.id, mistake.label, mistake.predicted
                clips.append(EditClip(*names, frames=len(vector), fps=record["fps"]))
                attention[mistake.id] = vector
                blank[mistake.id] = np.full_like(vector, np.nan)
        write_text(self.directory.classes_path, "".join(f"{name}\n" for name in classes))
        self.directory.write_clips(clips)
        write_temporal_edits(self.directory.attention_path, attention)
        write_temporal_edits(self.directory.edits_path, blank)
        write_failures(self.directory.failures_path, failures)
        self.directory.annotators_path.mkdir(exist_ok=True)
        self.directory.path.replace(self.out)
        shutil.rmtree(self.out / RECORDS, ignore_errors=True)  # there are none without clips

    def _record(self, video_id: str) -> Path:
        return self.directory.path / RECORDS / f"{video_id}.json"


def require_same_settings(directory: EditDirectory, settings: SelectConfig) -> None:
    """Make sure that clips were chosen with the same settings, where they were chosen already.

    Raises:
        AttncliError: They were chosen with others.
    """
    path = directory.config_path
    if path.exists() and path.read_text(encoding="utf-8") != dump(settings):
        raise AttncliError(
            "these clips were chosen with other settings",
            where=path,
            remedy="repeat those settings, or write elsewhere",
        )

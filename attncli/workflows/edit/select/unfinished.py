"""An edit directory in the making, hidden beside the place where it will appear as a whole."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attncli.config.edit_temporal import SelectConfig
from attncli.config.toml import dump
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import write_text
from attncli.files.clip_directory import ClipDirectory
from attncli.files.failures import write_failures
from attncli.files.text import parse_json, read_text
from attncli.workflows.edit.select.mistakes import Mistake

RECORDS = "records"
REMEDY = "delete it, and go on with --resume"
Record = Mapping[str, Any]
"""What is known of a clip, as JSON has it."""
Kept = list[tuple[Mistake, Record]]
"""Clips that are there, and what is known of them."""


class UnfinishedEdits:
    """What is known of the clips so far; an interrupted command finds it again.

    Args:
        out: Where the edit directory will be.
        open_directory: Says where what is in such a directory.
    """

    def __init__(self, out: Path, open_directory: Callable[[Path], ClipDirectory]) -> None:
        self.out = out.resolve()
        self.directory = open_directory(self.out.with_name(f".{self.out.name}.partial"))

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

    def keep(self, video_id: str, record: Record) -> None:
        """Keep what is to be known of a video, all of whose files are there."""
        write_text(self._record(video_id), json.dumps(record))

    def finish(
        self,
        mistakes: Iterable[Mistake],
        classes: Sequence[str],
        failures: Sequence[Failure],
        write_tables: Callable[[Path, Kept], None],
    ) -> None:
        """Write what is about all clips that are there, and let the directory appear."""
        kept = [(mistake, self._read(mistake.id)) for mistake in mistakes if self.holds(mistake.id)]
        write_text(self.directory.classes_path, "".join(f"{name}\n" for name in classes))
        write_tables(self.directory.path, kept)
        write_failures(self.directory.failures_path, failures)
        self.directory.path.replace(self.out)
        shutil.rmtree(self.out / RECORDS, ignore_errors=True)  # there are none without clips

    def _read(self, video_id: str) -> Record:
        path = self._record(video_id)
        record: Record = parse_json(read_text(path, remedy=REMEDY), where=path, remedy=REMEDY)
        return record

    def _record(self, video_id: str) -> Path:
        return self.directory.path / RECORDS / f"{video_id}.json"


def require_same_settings(directory: ClipDirectory, settings: SelectConfig) -> None:
    """Make sure that clips were chosen with the same settings, where they were chosen already.

    Raises:
        AttncliError: They were chosen with others.
    """
    path = directory.config_path
    if path.exists() and path.read_bytes() != dump(settings).encode():
        raise AttncliError(
            "these clips were chosen with other settings",
            where=path,
            remedy="repeat those settings, or write elsewhere",
        )

"""Find out whether edits are whole and what they hold."""

from pathlib import Path

from attncli.files.edit_directory import EditDirectory, open_edit_directory
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits
from attncli.reporting import Outcome
from attncli.workflows.edit.temporal.filling import summary


def check_edits(path: Path) -> Outcome:
    """Check edits and count them, one row a file.

    Args:
        path: Edit directory, of which all files are checked, or one file of edits. A file in an
            edit directory is checked against its clips. Only what one annotator is still at may
            have clips that are filled in part.

    Raises:
        AttncliError: The first thing that is wrong, with its file, clip and frame.
    """
    if not path.is_dir():
        return Outcome(rows=[summary(_read_file(path))])
    directory = open_edit_directory(path)
    directory.read_attention()
    in_progress = directory.annotators().values()
    own = [directory.read_edits(file, allow_partial=True) for file in in_progress]
    return Outcome(rows=[summary(edits) for edits in (directory.read_edits(), *own)])


def _read_file(path: Path) -> TemporalEdits:
    for parent in path.absolute().parents[:2]:
        directory = EditDirectory(parent)
        if directory.clips_path.is_file():
            in_progress = path.parent == directory.annotators_path
            return directory.read_edits(path, allow_partial=in_progress)
    return read_temporal_edits(path)

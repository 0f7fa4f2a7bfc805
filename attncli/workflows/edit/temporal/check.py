"""Find out whether edits are whole and what they hold."""

from pathlib import Path

from attncli.files.clip_notes import count_states, read_notes
from attncli.files.edit_directory import EditDirectory, open_edit_directory
from attncli.files.temporal_edits import TemporalEdits, partly_scored, read_temporal_edits
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.edit.temporal.filling import summary


def check_edits(path: Path, *, skip_partial: bool = False, reporter: Reporter) -> Outcome:
    """Check edits and count them, one row a file.

    Args:
        path: Edit directory, of which all files are checked, or one file of edits. A file in an
            edit directory is checked against its clips. Only what one annotator is still at may
            have clips that are filled in part.
        skip_partial: Whether any file may have such clips.
        reporter: Is told all clips that are filled in part where they may be.

    Raises:
        PartlyEditedError: Clips are filled in part that may not be; all of them are named.
        AttncliError: The first thing else that is wrong, with its file, clip and frame.
    """
    if not path.is_dir():
        return Outcome(rows=[_row(*_read_file(path, skip_partial), reporter)])
    directory = open_edit_directory(path)
    directory.read_attention()
    whole = directory.read_edits(allow_partial=skip_partial)
    in_progress = directory.annotators().values()
    own = [directory.read_edits(file, allow_partial=True) for file in in_progress]
    return Outcome(rows=[_row(edits, directory, reporter) for edits in (whole, *own)])


def _row(edits: TemporalEdits, directory: EditDirectory | None, reporter: Reporter) -> Row:
    """Return what a file of edits holds, and what its annotator says of the clips."""
    if edits.partly_edited:
        partly = {id_: edits.scores[id_] for id_ in edits.partly_edited}
        reporter.note(f"{edits.path}: left out are {partly_scored(partly)}")
    if directory is None:
        return summary(edits)
    notes = read_notes(directory.notes_path(edits.path.absolute()), directory.read_clips())
    return {**summary(edits), **count_states(notes.values())}


def _read_file(path: Path, skip_partial: bool) -> tuple[TemporalEdits, EditDirectory | None]:
    """Return the edits in a file, and the directory it is in, if that is one of edits."""
    for parent in path.absolute().parents[:2]:
        directory = EditDirectory(parent)
        if directory.clips_path.is_file():
            in_progress = path.absolute().parent == directory.annotators_path
            partial = skip_partial or in_progress
            return directory.read_edits(path, allow_partial=partial), directory
    return read_temporal_edits(path, allow_partial=skip_partial), None

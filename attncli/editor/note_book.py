"""The notes one person makes of clips: in memory to be looked at, on disk after every change."""

from collections.abc import Collection
from pathlib import Path
from threading import Lock
from typing import Any

from attncli.editor.exclusive import require_unchanged, stamp
from attncli.files.clip_notes import LONGEST_COMMENT, STATES, ClipNote, read_notes, write_notes


class NoteBook:
    """A file of notes, begun with the first of them.

    Whoever has the scores beside it open has it too: it takes no lock of its own.

    Args:
        path: The file; need not exist.
        known: Ids of all clips that may be in it.

    Raises:
        AttncliError: It is malformed, or of other clips.
    """

    def __init__(self, path: Path, known: Collection[str]) -> None:
        self._path = path
        self._changing = Lock()
        # Taken before it is read: what changes meanwhile must not be written over.
        self._stamp = stamp(path)
        self._notes = read_notes(path, known)

    def of(self, clip_id: str) -> ClipNote:
        """Return what is said of a clip."""
        return self._notes.get(clip_id, ClipNote())

    def note(self, clip_id: str, said: ClipNote) -> None:
        """Say something else of a clip; the file holds it by then.

        Raises:
            AttncliError: Another program has changed the file; nothing is changed.
            OSError: The file cannot be written; nothing is changed.
        """
        with self._changing:
            require_unchanged(self._path, self._stamp)
            notes = self._notes | {clip_id: said}
            write_notes(self._path, notes)
            self._notes, self._stamp = notes, stamp(self._path)


def note_of(sent: Any) -> ClipNote | None:
    """Return the note that a page sent; None where that is none."""
    if not isinstance(sent, dict):
        return None
    state, comment = sent.get("state"), sent.get("comment")
    if not (isinstance(state, str) and isinstance(comment, str)):
        return None
    if state not in ("", *STATES) or len(comment) > LONGEST_COMMENT:
        return None
    return ClipNote(state, " ".join(comment.split()))

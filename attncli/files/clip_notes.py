"""What an annotator says of clips as a whole: `notes.csv`, one row a clip.

=======  ==========================================================================
id       the video's id in its dataset
state    confirmed, skipped or unsure; blank while the clip is open
comment  a remark in the annotator's own words, or blank
=======  ==========================================================================

Notes are kept beside the scores and change nothing of what a training reads.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from attncli.files.tables import read_table, write_table

COLUMNS = ("id", "state", "comment")
STATES = ("confirmed", "skipped", "unsure")
"""What an annotator may say of a clip; a clip of which nothing is said is open."""
LONGEST_COMMENT = 2000
"""Letters."""


@dataclass(frozen=True)
class ClipNote:
    """What an annotator says of one clip."""

    state: str = ""
    """One of `STATES`, or blank while the clip is open."""
    comment: str = ""
    """A remark in one line."""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said."""
        return not (self.state or self.comment)


def count_states(notes: Iterable[ClipNote]) -> dict[str, int]:
    """Return of how many clips each of `STATES` is said."""
    said = Counter(note.state for note in notes)
    return {state: said[state] for state in STATES}


def read_notes(path: Path, known: Collection[str]) -> dict[str, ClipNote]:
    """Return the notes in a file by clip; none where there is no file.

    Args:
        path: CSV file, as `write_notes` writes it.
        known: Ids of all clips there are.

    Raises:
        AttncliError: It is no such table, or a row's clip or state cannot be.
    """
    if not path.exists():
        return {}
    table = read_table(path, COLUMNS)
    notes: dict[str, ClipNote] = {}
    for row, cells in enumerate(table.cells[list(COLUMNS)].to_numpy().tolist()):
        id_, state, comment = cells
        if id_ not in known:
            raise table.error(row, f"no such clip: {id_!r}", "keep the ids that were there")
        if id_ in notes:
            raise table.error(row, f"clip {id_!r} is listed twice", "remove one of its rows")
        if state and state not in STATES:
            remedy = f"write {', '.join(STATES)}, or nothing"
            raise table.error(row, f"clip {id_!r}: {state!r} is not a state", remedy)
        notes[id_] = ClipNote(state, comment)
    return notes


def write_notes(path: Path, notes: Mapping[str, ClipNote]) -> None:
    """Write one row a clip of which anything is said; what is at `path` is replaced as a whole."""
    said = ((id_, note.state, note.comment) for id_, note in notes.items() if not note.is_blank)
    write_table(path, COLUMNS, said)

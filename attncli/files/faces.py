"""`faces.csv`: where the face is in each sequence, a row a sequence.

Columns `id,source,left,top,right,bottom`, the last four in whole pixels of the source frame, right
and bottom not included: a square, the same in all frames of the sequence.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal, get_args

from attncli.errors import AttncliError
from attncli.files.tables import Table, read_table, write_table

FaceSource = Literal["landmarks", "detector", "centre", "none"]
"""Where a box comes from: points of the face, a detector, or nowhere, from the frame alone."""

COLUMNS = ("id", "source", "left", "top", "right", "bottom")

_PIXELS = re.compile("[0-9]{1,6}")


@dataclass(frozen=True)
class FaceBox:
    """The square that holds the face in all frames of a sequence."""

    source: FaceSource
    """Where it comes from."""
    left: int
    """First column, in pixels of the source frame."""
    top: int
    """First row."""
    right: int
    """First column that is not part of it."""
    bottom: int
    """First row that is not part of it."""

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


def write_face_boxes(path: Path, faces: Mapping[str, FaceBox]) -> None:
    """Write one line a sequence, by its id; what is at `path` is replaced as a whole."""
    write_table(path, COLUMNS, ((id_, *astuple(face)) for id_, face in faces.items()))


def read_face_boxes(path: Path, *, known: Collection[str] | None = None) -> dict[str, FaceBox]:
    """Return the box of every sequence by its id, in the order of the file.

    Args:
        path: CSV file; a byte order mark, Windows line ends and blank lines do no harm.
        known: Ids of all sequences there are; any id will do where None.

    Raises:
        AttncliError: The file is missing or no such table, has a sequence twice or one that is not
            known, or a box that is no square of whole pixels; the message names the line.
    """
    table = read_table(path, COLUMNS)
    faces: dict[str, FaceBox] = {}
    for number in range(len(table.cells)):
        id_, face = _row(table, number)
        if known is not None and id_ not in known:
            remedy = "take the file of a run on the same dataset"
            raise table.error(number, f"the dataset has no sequence {id_!r}", remedy)
        if id_ in faces:
            raise table.error(number, f"sequence {id_!r} is listed twice", remedy="keep one row")
        faces[id_] = face
    return faces


def _row(table: Table, number: int) -> tuple[str, FaceBox]:
    id_, text, *sides = (str(table.cells[name].iloc[number]).strip() for name in COLUMNS)
    if not id_:
        raise table.error(number, "has no id", remedy="name the sequence")
    source: FaceSource | None = next((s for s in get_args(FaceSource) if s == text), None)
    if source is None:
        known = ", ".join(get_args(FaceSource))
        raise table.error(
            number, f"sequence {id_!r}: no such source: {text!r}", f"use one of {known}"
        )
    for side, cell in zip(COLUMNS[2:], sides, strict=True):
        if not _PIXELS.fullmatch(cell):
            raise _wrong_box(
                table, number, f"sequence {id_!r}: {side} {cell!r} is not a whole pixel"
            )
    left, top, right, bottom = map(int, sides)
    if not right - left == bottom - top > 0:
        what = f"sequence {id_!r}: box of {right - left}x{bottom - top} pixels is not square"
        raise _wrong_box(table, number, what)
    return id_, FaceBox(source, left, top, right, bottom)


def _wrong_box(table: Table, number: int, what: str) -> AttncliError:
    return table.error(number, what, remedy="write a square in whole pixels from 0")

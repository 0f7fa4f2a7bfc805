"""When the action of each toy video takes place: `active.csv`, one row a video.

=====================  ======================================================
id                     the video's id in its dataset
first, last            frames in which the action takes place, both included
key_first, key_last    the part of them that decides the class, both included
=====================  ======================================================

Frames are counted from 0 in presentation order.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from attncli.files.tables import read_table, write_table

COLUMNS = ("id", "first", "last", "key_first", "key_last")


@dataclass(frozen=True)
class ActiveInterval:
    """When one video's action takes place."""

    first: int
    """Its first frame."""
    last: int
    """Its last frame."""
    key_first: int
    """First frame of the part that decides the class."""
    key_last: int
    """Last frame of the part that decides the class."""


def read_active_intervals(path: Path) -> dict[str, ActiveInterval]:
    """Return the intervals by video.

    Raises:
        AttncliError: The file is missing, no such table, or holds an interval that cannot be.
    """
    table = read_table(path, COLUMNS)
    intervals = {}
    for row, (id_, *cells) in enumerate(table.cells[list(COLUMNS)].itertuples(index=False)):
        if not all(cell.isdecimal() for cell in cells):
            raise table.error(row, "frames are whole numbers, counted from 0")
        interval = ActiveInterval(*map(int, cells))
        if not interval.first <= interval.key_first <= interval.key_last <= interval.last:
            raise table.error(row, "needs first <= key_first <= key_last <= last")
        intervals[id_] = interval
    return intervals


def write_active_intervals(path: Path, intervals: Mapping[str, ActiveInterval]) -> None:
    """Write one row a video."""
    rows = ((id_, *astuple(interval)) for id_, interval in intervals.items())
    write_table(path, COLUMNS, rows)

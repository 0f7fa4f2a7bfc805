"""`splits.csv`: which images are in which part of each division; a row an image and division."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attncli.files.tables import read_table, whole_number, write_table

COLUMNS = ("split", "id", "part")
REMEDY = "train the run anew"

Parts = Mapping[str, Iterable[int]]
"""Rows of images by the name of the part they are in."""


def write_parts(path: Path, divisions: Mapping[int, Parts], ids: Sequence[str]) -> None:
    """Write divisions.

    Args:
        path: File to write.
        divisions: The parts of each division, by its number.
        ids: Id of the image of each row.
    """
    rows = (
        (number, ids[row], name)
        for number, parts in divisions.items()
        for name, part in parts.items()
        for row in part
    )
    write_table(path, COLUMNS, rows)


def read_parts(
    path: Path, ids: Sequence[str], names: Sequence[str]
) -> dict[int, dict[str, list[int]]]:
    """Return the parts of each division by its number, in rising order.

    Args:
        path: What `write_parts` wrote.
        ids: Id of the image of each row.
        names: The parts there are; one may be empty.

    Raises:
        AttncliError: It is no such table, or names an image or a part that there is not.
    """
    table = read_table(path, COLUMNS)
    known = {id_: row for row, id_ in enumerate(ids)}
    found: dict[int, dict[str, list[int]]] = {}
    cells = zip(*(table.cells[name].tolist() for name in COLUMNS), strict=True)
    for line, (split, id_, part) in enumerate(cells):
        if id_ not in known or part not in names or not split.isdigit():
            raise table.error(line, "does not divide these images", REMEDY)
        rows = found.setdefault(whole_number(split), {name: [] for name in names})
        rows[part].append(known[id_])
    return dict(sorted(found.items()))

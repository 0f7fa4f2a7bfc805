"""CSV tables that may have been in a spreadsheet: every cell is kept as text, with its line."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from attncli.errors import AttncliError, reason
from attncli.files.atomic import ESCAPED, replacing


@dataclass(frozen=True)
class Table:
    """The rows of a table."""

    path: Path
    """File they were read from."""
    cells: pd.DataFrame
    """Text by column; the index is each row's line in the file, from 1."""

    def error(self, row: int, what: str, remedy: str | None = None) -> AttncliError:
        """Return the error to raise for what is wrong with a row, counted from 0."""
        line = self.cells.index[row]
        return AttncliError(what, where=f"{self.path}, line {line}", remedy=remedy)


def read_table(path: Path, columns: tuple[str, ...]) -> Table:
    """Return a table that has exactly these columns, in whatever order.

    A byte order mark, Windows line ends and rows without any text do no harm.

    Raises:
        AttncliError: The file is missing or no such table.
    """
    expected = f"write columns {', '.join(columns)} separated by commas, and decimals as 0.5"
    cells = read_cells(path, trimmed=True, remedy=expected)
    header = cells.iloc[0].tolist() if len(cells) else []
    wrong = [name for name in dict.fromkeys((*columns, *header)) if header.count(name) != 1]
    wrong += [name for name in header if name not in columns]
    if wrong:
        what = "unknown" if wrong[0] not in columns else "double" if wrong[0] in header else "no"
        raise AttncliError(f"{what} column {wrong[0]!r}", where=path, remedy=expected)
    return Table(path, cells.iloc[1:].set_axis(header, axis="columns"))


def read_cells(
    path: Path, *, columns: range | None = None, trimmed: bool = False, remedy: str
) -> pd.DataFrame:
    """Return every cell of a table as text, its header first; the index is the line in the file.

    Args:
        path: CSV file; a byte order mark, Windows line ends and rows without any text do no harm.
        columns: Positions of the columns to read; all where None.
        trimmed: Leave out blanks before the text of a cell, as people put after commas.
        remedy: What to do where it is no table.

    Raises:
        AttncliError: The file is missing or no table.
    """
    try:
        cells = pd.read_csv(
            path,
            header=None,
            usecols=columns,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=trimmed,
        ).fillna("")
    except OSError as error:
        what = reason(error)
        raise AttncliError(what, where=path, remedy="name a CSV file") from error
    except Exception as error:  # the parser raises whatever broken text makes of its own parts
        raise AttncliError(
            f"is not a CSV table ({_problem(error)})", where=path, remedy=remedy
        ) from error
    cells.index += 1
    return cells[(cells != "").any(axis=1)]


def _problem(error: Exception) -> str:
    """Return what is wrong with a table in our words, where those of the parser are known."""
    if isinstance(error, pd.errors.EmptyDataError):
        return "it is empty"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    text = " ".join(str(error).split())
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", text)
    return f"line {found[2]} has {found[3]} cells, not {found[1]}" if found else text


def whole_number(cell: str) -> int:
    """Return the number in a cell.

    Raises:
        ValueError: There is none, or it has more than nine digits.
    """
    if not re.fullmatch("[0-9]{1,9}", cell):
        raise ValueError(f"{cell!r} is not a whole number")
    return int(cell)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows; what is at `path` is replaced as a whole."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)

"""`folds.csv`: who is tested in which fold of a cross-validation, a row a sequence.

Columns `id,subject,label,fold`: the label is the name of its class, folds count from 1. People may
write it too: it is checked as a whole when it is read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.tables import Table, read_table, write_table

COLUMNS = ("id", "subject", "label", "fold")
REMEDY = "correct it, or have new folds made by another run"

_FOLD = re.compile("[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class FoldRow:
    """Where one sequence is tested."""

    id: str
    """The sequence's id in its dataset."""
    subject: str
    """Who is to be seen."""
    label: str
    """Name of its class."""
    fold: int
    """The fold whose network is tested on it and not trained on it, from 1."""


def write_fold_rows(path: Path, rows: Iterable[FoldRow]) -> None:
    """Write one line a sequence, in the given order; what is at `path` is replaced as a whole."""
    write_table(path, COLUMNS, map(astuple, rows))


def read_fold_rows(
    path: Path, *, known: Mapping[str, tuple[str, str]] | None = None
) -> tuple[FoldRow, ...]:
    """Return the rows of a table of folds, all of them checked.

    Args:
        path: CSV file; a byte order mark, Windows line ends and blank lines do no harm.
        known: Subject and class of every sequence to be tested, by its id, all of which must be
            there and no others; any will do where None.

    Raises:
        AttncliError: The file is missing or no such table, a row cannot be or is there twice, a
            subject is in two folds, folds are not numbered 1 to at least 2 without a gap, or the
            sequences are not those that are known.
    """
    table = read_table(path, COLUMNS)
    rows = [_row(table, number) for number in range(len(table.cells))]
    _require_once(table, rows)
    _require_whole_people(table, rows)
    _require_all_folds(path, rows)
    if known is not None:
        _require_known(table, rows, known)
    return tuple(rows)


def _row(table: Table, number: int) -> FoldRow:
    id_, subject, label, fold = (str(table.cells[name].iloc[number]).strip() for name in COLUMNS)
    for column, text in (("id", id_), ("subject", subject)):
        if not text:
            raise table.error(number, f"has no {column}", remedy=REMEDY)
    if not _FOLD.fullmatch(fold):
        what = f"sequence {id_!r}: fold {fold!r} is not a whole number from 1"
        raise table.error(number, what, remedy=REMEDY)
    return FoldRow(id_, subject, label, int(fold))


def _require_once(table: Table, rows: Sequence[FoldRow]) -> None:
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if row.id in seen:
            raise table.error(number, f"sequence {row.id!r} is listed twice", remedy=REMEDY)
        seen.add(row.id)


def _require_whole_people(table: Table, rows: Sequence[FoldRow]) -> None:
    folds: dict[str, int] = {}
    for number, row in enumerate(rows):
        if folds.setdefault(row.subject, row.fold) != row.fold:
            raise table.error(
                number,
                f"sequence {row.id!r}: subject {row.subject!r} is in fold {folds[row.subject]}"
                f" and in fold {row.fold}",
                remedy="put all sequences of a person into one fold",
            )


def _require_all_folds(path: Path, rows: Sequence[FoldRow]) -> None:
    folds = {row.fold for row in rows}
    largest = max(folds, default=0)
    if largest < 2:
        what = "no fold" if largest == 0 else "only one fold"
        raise AttncliError(f"has {what}", where=path, remedy="give it at least two")
    if missing := next((fold for fold in range(1, largest) if fold not in folds), None):
        raise AttncliError(
            f"has a fold {largest} but no fold {missing}",
            where=path,
            remedy="number the folds from 1 without a gap",
        )


def _require_known(
    table: Table, rows: Sequence[FoldRow], known: Mapping[str, tuple[str, str]]
) -> None:
    for number, row in enumerate(rows):
        if row.id not in known:
            what = f"the dataset has no labelled sequence {row.id!r}"
            raise table.error(number, what, remedy=REMEDY)
        for name, found, expected in zip(
            ("subject", "label"), (row.subject, row.label), known[row.id], strict=True
        ):
            if found != expected:
                what = f"sequence {row.id!r} has {name} {found!r}, in the dataset {expected!r}"
                raise table.error(number, what, remedy=REMEDY)
    listed = {row.id for row in rows}
    if missing := [id_ for id_ in known if id_ not in listed]:
        raise AttncliError(
            f"has no row for sequence {missing[0]!r} (1 of {len(missing)})",
            where=table.path,
            remedy=REMEDY,
        )

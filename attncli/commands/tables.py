"""Tables of rows: as wide as the terminal, and without a broken word or number."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from attncli.errors import printable
from attncli.reporting import Row

PERCENT = {
    *("top1", "top5", "accuracy", "miou", "iou", "f1", "map", "percent"),
    *("rank1", "rank5", "rank10", "rank20", "right", "changed", "taken"),
}
BITS = {"entropy", "bits"}
NAMES = "run"
"""Key of the name of a run; of several only what differs is shown."""
GAP = 2
"""Spaces between columns."""
MOST_KEYS = 30
"""Columns of a single row of which somebody still finds the right one."""
LEAST_TEXT = 16
"""Letters to which a column of texts is narrowed at most."""
INDENT = "  "
"""What the second line of a broken text begins with, so that it is not taken for another row."""
BREAK = re.compile(r"(?<=[ /])")
FINE_BREAK = re.compile(r"(?<=[ /])|(?<=\w-)(?=[A-Za-z])")
"""Where texts may be broken: after spaces and slashes; in need also between compounded words."""
Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    head: str
    """What stands above it; several lines where it is broken between words."""
    cells: tuple[str, ...]
    """What stands in each row, as it is shown."""
    is_text: bool
    """Whether it may be broken between words, and is set to the left."""
    breaks: re.Pattern[str] = BREAK
    """Where it may be broken."""

    @property
    def width(self) -> int:
        """Letters its longest line takes, CJK letters being two wide."""
        return max(map(_width, (self.head, *self.cells)))

    @property
    def least(self) -> int:
        """Letters it takes at least without a broken word or number."""
        if not self.is_text:
            return self.width
        pieces = (piece.rstrip() for cell in self.cells for piece in self.breaks.split(cell))
        longest = len(INDENT) + max(map(_width, pieces), default=0)
        return min(self.width, max(_width(self.head), longest, LEAST_TEXT))


Table = tuple[Column, ...]


@dataclass(frozen=True)
class Layout:
    """How rows are shown on a terminal."""

    said: str
    """What all rows have alike, for a line above; empty where there is nothing."""
    tables: tuple[Table, ...]
    """One table, or several below each other where one would be too wide."""


def lay_out(rows: Sequence[Row], width: int) -> Layout:
    """Return rows as tables that are no wider than `width`, if words and numbers let them.

    A key that is empty in every row is left out; a setting or a count that is equal in every one of
    several rows is said above, while figures and classes stay, which are what is looked for. What
    is still too wide gets heads of several lines, then broken texts; after that rows become
    columns, and at last several tables of them.

    Args:
        rows: What is shown; at least one.
        width: Letters a line of the terminal takes.
    """
    keys = [key for key in keys_of(rows) if any(not _is_empty(row.get(key)) for row in rows)]
    alike = [
        key
        for key in keys
        if len(rows) > 1 and _is_alike(rows, key) and not _is_result(key, rows[0].get(key))
    ]
    if len(alike) == len(keys):
        alike = alike[1:]
    shown = [key for key in keys if key not in alike]
    columns = tuple(_column(rows, key) for key in shown)
    said = _said([f"{key} {format_cell(key, rows[0].get(key))}" for key in alike], width)
    return Layout(said, _fitting(columns, width))


def _is_result(key: str, value: Cell) -> bool:
    """Return whether a value is a figure or a class.

    >>> _is_result("top1", 50.0), _is_result("top1_class", "jump"), _is_result("clips", 54)
    (True, True, False)
    """
    return isinstance(value, float) or key == "predicted" or key.split("_")[-1] == "class"


def _said(facts: Sequence[str], width: int) -> str:
    """Return facts in lines of at most a width; only one that has no line of its own is broken."""
    joined = [f"{fact} · " for fact in facts[:-1]] + list(facts[-1:])
    lines = _packed(joined, width)
    kept = [
        one if _width(one) <= width else one.removesuffix(" ·") for one in map(str.rstrip, lines)
    ]
    return "\n".join(chain.from_iterable(_filled(line, width) for line in kept)) if facts else ""


def _fitting(columns: Table, width: int) -> tuple[Table, ...]:
    stacked = tuple(replace(column, head=_stacked(column.head)) for column in columns)
    for table in (columns, stacked):
        if _table_width(table) <= width:
            return (table,)
    is_long = len(columns) < len(columns[0].cells)  # turned on its side it would be wide
    finely = tuple(replace(column, breaks=FINE_BREAK) for column in stacked)
    for table in (columns, stacked, finely) if is_long else (columns, stacked):
        if sum(column.least for column in table) + GAP * (len(table) - 1) <= width:
            return (_narrowed(table, width),)
    return tuple(_sideways(columns, width))


def keys_of(rows: Iterable[Row]) -> list[str]:
    """Return the keys of all rows, in the order in which they come up."""
    return list(dict.fromkeys(key for row in rows for key in row))


def format_cell(key: str, value: Cell) -> str:
    """Return a value as a table shows it: percent to 2 decimals, bits to 3, nothing as `-`.

    >>> format_cell("top1", 93.964), format_cell("entropy_std", 2.0), format_cell("top1", None)
    ('93.96', '2.000', '-')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if not isinstance(value, float):
        return printable(str(value))
    words = set() if key.endswith("probability") else set(key.split("_"))
    return format(value, ".2f" if words & PERCENT else ".3f" if words & BITS else ".4g")


def short_names(names: Sequence[str]) -> list[str]:
    """Return paths without the folders with which all of them begin or end.

    >>> short_names(["runs/abn/fold01", "runs/x3d/fold01"]), short_names(["runs/abn"])
    (['abn', 'x3d'], ['runs/abn'])
    """
    if len(set(names)) < 2:
        return list(names)
    parts = [name.split("/") for name in names]
    begins = _common(parts)
    ends = _common([list(reversed(own[begins:])) for own in parts])
    return ["/".join(own[begins : len(own) - ends]) for own in parts]


def _common(parts: Sequence[Sequence[str]]) -> int:
    """Return with how many parts all begin, short of the whole of any of them."""
    shortest = min(map(len, parts))
    alike = (len({own[place] for own in parts}) == 1 for place in range(shortest - 1))
    return next((place for place, same in enumerate(alike) if not same), max(shortest - 1, 0))


def draw(rows: Sequence[Row]) -> None:
    """Write rows to stdout, a terminal, as wide as it is."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    layout = lay_out(rows, console.width)
    if layout.said:
        console.print(layout.said, soft_wrap=True)
    for number, table in enumerate(layout.tables):
        if number:
            console.print()
        # What a narrow terminal cannot hold goes on in its next line, and is not cut.
        console.width = max(console.width, _table_width(table))
        console.print(_drawn(table))


def aligned(rows: Sequence[Row]) -> list[str]:
    """Return lines of all keys of the rows, two spaces apart, however wide that is.

    A single row of more keys than anybody finds in one line is written a key a line.
    """
    columns = [_column(rows, key, whole=True) for key in keys_of(rows)]
    if len(rows) == 1 and len(columns) > MOST_KEYS:
        heads = tuple(column.head for column in columns)
        columns = [Column(heads[0], heads[1:], is_text=True), _turned(tuple(columns), 0, None)]
    return ["  ".join(cells).rstrip() for cells in zip(*map(_lines, columns), strict=True)]


def _lines(column: Column) -> list[str]:
    """Return the cells of a column, all equally wide, its head first."""
    fill: Callable[[str, int], str] = str.ljust if column.is_text else str.rjust
    width = column.width
    cells = (column.head, *column.cells)
    return [fill(cell, width - _width(cell) + len(cell)) for cell in cells]


def _drawn(columns: Table) -> Any:
    from rich import box
    from rich.table import Table as Drawing
    from rich.text import Text

    drawing = Drawing(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0)
    )
    for column in columns:
        side: Any = "left" if column.is_text else "right"
        drawing.add_column(Text(column.head), justify=side, no_wrap=True, vertical="top")
    for cells in zip(*(column.cells for column in columns), strict=True):
        drawing.add_row(*map(Text, cells))
    return drawing


def _column(rows: Sequence[Row], key: str, *, whole: bool = False) -> Column:
    values = [row.get(key) for row in rows]
    is_text = any(isinstance(value, str) for value in values)
    cells = [format_cell(key, value) for value in values]
    if key == NAMES and is_text and not whole:
        cells = short_names(cells)
    return Column(key, tuple(cells), is_text)


def _narrowed(columns: Table, width: int) -> Table:
    """Return a table whose texts are broken between words, the widest first, to be of a width."""
    widths = [column.width for column in columns]
    least = [column.least for column in columns]
    while sum(widths) + GAP * (len(columns) - 1) > width:
        spare = [own - fewest for own, fewest in zip(widths, least, strict=True)]
        widest = max(range(len(columns)), key=lambda i: (spare[i] > 0, widths[i]))
        widths[widest] -= 1
    return tuple(_broken(column, own) for column, own in zip(columns, widths, strict=True))


def _broken(column: Column, width: int) -> Column:
    """Return a column of texts as lines of at most a width."""
    if column.width <= width:
        return column
    filled = (_filled(cell, width, breaks=column.breaks, indent=INDENT) for cell in column.cells)
    return replace(column, cells=tuple(map("\n".join, filled)))


def _sideways(columns: Table, width: int) -> list[Table]:
    """Return the keys as rows and the rows as columns, as many in a table as there is room for."""
    keys = Column(columns[0].head, tuple(column.head for column in columns[1:]), is_text=True)
    room = width - keys.width - GAP
    turned = [_turned(columns, row, room) for row in range(len(columns[0].cells))]
    tables: list[Table] = []
    for column in turned:
        if tables and _table_width((*tables[-1], column)) <= width:
            tables[-1] = (*tables[-1], column)
        else:
            tables.append((keys, column))
    return tables


def _turned(columns: Table, row: int, room: int | None) -> Column:
    """Return one row as a column; texts are broken between words where there is no room."""
    cells = (
        "\n".join(_filled(column.cells[row], room))
        if column.is_text and room is not None
        else column.cells[row]
        for column in columns
    )
    head, *rest = cells
    return Column(head, tuple(rest), is_text=True)


def _stacked(head: str) -> str:
    r"""Return a key a word a line.

    >>> _stacked("accuracy_fold_std")
    'accuracy_\nfold_std'
    """
    words = [f"{word}_" for word in head.split("_")]
    words[-1] = words[-1].removesuffix("_")
    longest = max(map(len, words))
    return "\n".join(_packed(words, longest))


def _filled(
    text: str, width: int, *, breaks: re.Pattern[str] = BREAK, indent: str = ""
) -> list[str]:
    """Return a text as lines of at most a width, broken between words alone.

    >>> _filled("eval runs/a -o x", 9, indent="  ")
    ['eval', '  runs/a', '  -o x']
    """
    room = width - len(indent)
    words = re.split(r"(?<= )", text)  # only a word that has no line of its own is broken further
    pieces = ([w] if _width(w.rstrip()) <= room else breaks.split(w) for w in words)
    lines = _packed(chain.from_iterable(pieces), width, indent=indent)
    return [line.rstrip() for line in lines]


def _packed(pieces: Iterable[str], width: int, *, indent: str = "") -> list[str]:
    """Return as few lines as hold the pieces in turn; one that is too long has its own."""
    lines = [""]
    for piece in pieces:
        if lines[-1].strip() and _width(lines[-1] + piece.rstrip()) > width:
            lines.append(indent)
        lines[-1] += piece
    return lines


def _width(text: str) -> int:
    from rich.cells import cell_len

    return max(cell_len(line) for line in text.split("\n"))


def _table_width(columns: Table) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _is_empty(value: Cell) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _is_alike(rows: Sequence[Row], key: str) -> bool:
    return len({(type(row.get(key)), row.get(key)) for row in rows}) == 1

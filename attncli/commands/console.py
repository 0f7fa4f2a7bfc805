"""What a command shows: rows on stdout, everything else on stderr."""

import json
import math
import os
import sys
from collections.abc import Sequence

import typer

from attncli.errors import ExitCode, Failure
from attncli.reporting import Outcome, Reporter, Row, Silent

NAMED_FAILURES = 3
PERCENT = {"top1", "top5", "accuracy", "miou", "iou", "rank1", "rank5", "map", "percent"}
BITS = {"entropy", "bits"}


def terminal() -> Reporter:
    """Return what shows a workflow's progress: bars on a terminal, plain lines elsewhere.

    Of the processes of a distributed run only the first shows anything.
    """
    if rank() != 0:
        return Silent()
    from attncli.commands.progress import Bars, Lines  # rich takes as long to import as the rest

    can_draw = sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}
    return Bars() if can_draw else Lines()


def finish(outcome: Outcome, *, as_json: bool) -> None:
    """Write the rows to stdout, and end with the exit code of what could not be read.

    Raises:
        typer.Exit: Some inputs could not be read; they are named on stderr.
    """
    if rank() != 0:
        return
    if as_json:
        write_json(outcome.rows)
    else:
        write_table(outcome.rows)
    if outcome.failures:
        names = [_named(failure) for failure in outcome.failures[:NAMED_FAILURES]]
        more = len(outcome.failures) - len(names)
        named = ", ".join([*names, f"and {more} more"] if more else names)
        terminal().warn(f"{len(outcome.failures)} could not be used: {named}")
        raise typer.Exit(ExitCode.PARTIAL)


def _named(failure: Failure) -> str:
    reason = failure.error.removeprefix(f"{failure.path}: ")
    return f"{failure.path} ({reason})"


def rank() -> int:
    """Return the position of this process among those `torchrun` started; 0 without it."""
    return int(os.environ.get("RANK", "0"))


def write_json(rows: Sequence[Row]) -> None:
    """Write the rows to stdout as a JSON list; a number that is not finite becomes null."""
    finite = [{key: _finite(value) for key, value in row.items()} for row in rows]
    text = json.dumps(finite, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # JSON has escapes of its own
        text = json.dumps(finite, indent=2)
    sys.stdout.write(text + "\n")


def write_table(rows: Sequence[Row]) -> None:
    """Write the rows to stdout: a drawn table on a terminal, aligned columns elsewhere."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[format_cell(key, row.get(key)) for key in columns] for row in rows]
    right = [not any(isinstance(row.get(key), str) for row in rows) for key in columns]
    if not rows:
        return
    if sys.stdout.isatty():
        _draw(columns, cells, right)
    else:
        sys.stdout.write("\n".join(_aligned([columns, *cells], right)) + "\n")


def format_cell(key: str, value: str | int | float | None) -> str:
    """Return a value as a table shows it: percent to 2 decimals, bits to 3, nothing as `-`.

    >>> format_cell("top1", 93.964), format_cell("entropy_std", 2.0), format_cell("top1", None)
    ('93.96', '2.000', '-')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if not isinstance(value, float):
        return str(value)
    words = set(key.split("_"))
    return format(value, ".2f" if words & PERCENT else ".3f" if words & BITS else ".4g")


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for key, numeric in zip(columns, right, strict=True):
        table.add_column(key, justify="right" if numeric else "left", overflow="fold")
    for line in cells:
        table.add_row(*line)
    Console(markup=False, highlight=False).print(table)


def _aligned(lines: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Return the lines with their columns two spaces apart, however wide that is."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _finite(value: str | int | float | None) -> str | int | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""What a command shows: rows on stdout, everything else on stderr."""

import csv
import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import typer

from attncli.commands.tables import aligned, draw, keys_of
from attncli.commands.volume import volume
from attncli.config.shown import RowFormat, RowsShown
from attncli.errors import ExitCode, Failure
from attncli.reporting import Outcome, Reporter, Row, Silent

NAMED_FAILURES = 3


def terminal() -> Reporter:
    """Return what shows a workflow's progress: bars on a terminal, plain lines elsewhere.

    Of the processes of a distributed run only the first shows anything; `-q` leaves warnings.
    """
    if rank() != 0:
        return Silent()
    from attncli.commands.progress import Bars, Lines, Quiet  # rich is as slow as the rest

    can_draw = sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}
    reporter = (Bars if can_draw else Lines)(verbose=volume() == "verbose")
    return Quiet(reporter) if volume() == "quiet" else reporter


def finish(outcome: Outcome, shown: RowsShown) -> None:
    """Write the rows to stdout, and end with the exit code of what could not be read.

    Args:
        outcome: What a workflow hands back.
        shown: How rows are written, and how many inputs may fail.

    Raises:
        typer.Exit: More inputs could not be read than may fail; all are counted, and some named,
            on stderr.
        UsageError: Inputs failed of which a share may, but the command does not count them.
    """
    if rank() != 0:
        return
    WRITERS[shown.rows_as](outcome.rows)
    if outcome.failures:
        names = [_named(failure) for failure in outcome.failures[:NAMED_FAILURES]]
        more = len(outcome.failures) - len(names)
        named = ", ".join([*names, f"and {more} more"] if more else names)
        terminal().warn(f"{len(outcome.failures)} could not be used: {named}")
        if len(outcome.failures) > shown.failures_allowed(outcome.inputs):
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


def write_csv(rows: Sequence[Row]) -> None:
    """Write the rows to stdout as CSV (RFC 4180); what is missing or not finite is empty."""
    if not rows:
        return
    writer = csv.DictWriter(sys.stdout, keys_of(rows), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _finite(value) for key, value in row.items()} for row in rows)


def write_table(rows: Sequence[Row]) -> None:
    """Write the rows to stdout: as wide as a terminal, or as aligned columns of all keys."""
    if not rows:
        return
    if sys.stdout.isatty():
        draw(rows)
    else:
        sys.stdout.write("\n".join(aligned(rows)) + "\n")


def _finite(value: str | int | float | None) -> str | int | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


WRITERS: Mapping[RowFormat, Callable[[Sequence[Row]], None]] = {
    "table": write_table,
    "json": write_json,
    "csv": write_csv,
}
"""What writes rows, by the format that is asked for."""

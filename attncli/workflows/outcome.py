"""What a workflow hands back to the terminal."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from attncli.errors import Failure, Remark
from attncli.reporting import Reporter

NAMED_REMARKS = 3

Row = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Outcome:
    """Rows for stdout, and the inputs that had to be left out."""

    rows: list[Row] = field(default_factory=list)
    """One row a run, dataset or file, with the metric keys of the file formats."""
    failures: list[Failure] = field(default_factory=list)
    """Inputs that could not be read; the command exits 3 where there are any."""


def warn_of(remarks: Iterable[Remark], reporter: Reporter) -> None:
    """Say which inputs were used though they may not be what they should be, the first by name."""
    found = sorted(set(remarks), key=lambda remark: (remark.id, remark.text))
    if not found:
        return
    named = ", ".join(f"{remark.path} ({remark.text})" for remark in found[:NAMED_REMARKS])
    more = len(found) - NAMED_REMARKS
    reporter.warn(f"{len(found)} may lack frames: {named}{f' and {more} more' if more > 0 else ''}")

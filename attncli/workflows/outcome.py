"""What a workflow hands back to the terminal."""

from dataclasses import dataclass, field

from attncli.errors import Failure

Row = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Outcome:
    """Rows for stdout, and the inputs that had to be left out."""

    rows: list[Row] = field(default_factory=list)
    """One row a run, dataset or file, with the metric keys of the file formats."""
    failures: list[Failure] = field(default_factory=list)
    """Inputs that could not be read; the command exits 3 where there are any."""

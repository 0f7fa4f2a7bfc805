"""One command of a demo: what it said and answered is kept, so that it need not run twice."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.errors import AttncliError, ExitCode
from attncli.files.atomic import write_text
from attncli.files.text import parse_json, read_text
from attncli.reporting import Row
from attncli.workflows.calls import Process, start_attncli

Arguments = list[str]
"""What one call of `attncli` is told."""
RESUME = "--resume"
TOY_DATA = "toy-data"


@dataclass(frozen=True)
class Step:
    """A call of `attncli` with its place among the logs.

    While it runs, what it says is added to `log` (`.txt`) and what it answers goes to a file of the
    same name that ends in `.part`; when it has ended well, command and rows are kept as `.json`.
    """

    command: Arguments
    """What it is told."""
    log: Path
    """File of its messages."""

    @property
    def printed(self) -> str:
        """The command as it is typed."""
        return shlex.join(["attncli", *self.command])

    def start(self, *, threads: int) -> Process:
        """Start it, with so many threads to compute with."""
        self._record.unlink(missing_ok=True)
        arguments = [*self.command, "--json"]
        return start_attncli(arguments, messages=self.log, threads=threads, answer=self._answer)

    def finish(self, process: Process) -> list[Row]:
        """Return the rows that it answered with, which are kept.

        Raises:
            AttncliError: It failed.
        """
        if process.returncode != ExitCode.DONE:
            raise AttncliError(
                f"`{self.printed}` ended with exit code {process.returncode}",
                where=self.log,
                remedy="see its last line",
            )
        rows: list[Row] = json.loads(self._answer.read_text(encoding="utf-8"))
        record = {"command": self._without_resume(), "rows": rows}
        write_text(self._record, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        self._answer.unlink()
        return rows

    def earlier_rows(self) -> list[Row] | None:
        """Return what the same call answered before, if its output is still there."""
        output = output_of(self.command)
        if output is not None and not output.exists():
            return None
        if not self._record.exists():
            # Toy data appear whole or not at all: they are there even if nobody was left to say so.
            return [] if self.command[0] == TOY_DATA else None
        remedy = "remove it, and go on with --resume"
        record = parse_json(
            read_text(self._record, remedy=remedy), where=self._record, remedy=remedy
        )
        if not isinstance(record, dict) or record.get("command") != self._without_resume():
            return None
        rows: list[Row] = record["rows"]
        return rows

    def _without_resume(self) -> Arguments:
        return [word for word in self.command if word != RESUME]

    @property
    def _answer(self) -> Path:
        return self.log.with_suffix(".part")

    @property
    def _record(self) -> Path:
        return self.log.with_suffix(".json")


def output_of(command: Sequence[str]) -> Path | None:
    """Return what a call writes to; None where that lies within runs, as scores do.

    >>> output_of(["train", "x3d", "--data", "d", "-o", "runs/x3d"])
    PosixPath('runs/x3d')
    """
    if command[0] == TOY_DATA:
        return Path(command[2])
    return Path(command[command.index("-o") + 1]) if "-o" in command else None

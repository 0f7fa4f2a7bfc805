"""The errors a user may see, each with the exit code the command contract gives it."""

from dataclasses import dataclass
from enum import IntEnum
from os import PathLike


class ExitCode(IntEnum):
    """What a finished command tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    MISSING = 4
    INTERRUPTED = 130


class AttncliError(Exception):
    """A failure with a cause a user can act on, printed as one line.

    Args:
        what: What is wrong, in one clause without a full stop.
        where: The file, directory or option it is wrong with.
        remedy: What to do about it, as an imperative clause.

    >>> str(AttncliError("no such directory", where="ucf101", remedy="check --data"))
    'ucf101: no such directory; check --data'
    """

    exit_code = ExitCode.FAILED

    def __init__(
        self, what: str, *, where: str | PathLike[str] | None = None, remedy: str | None = None
    ) -> None:
        place = "" if where is None else f"{where}: "
        action = "" if remedy is None else f"; {remedy}"
        super().__init__(f"{place}{what}{action}")


class UsageError(AttncliError):
    """The command line or a configuration asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class PartialError(AttncliError):
    """The rest is done, but some inputs could not be read; `failures.jsonl` names them."""

    exit_code = ExitCode.PARTIAL


class MissingDependencyError(AttncliError):
    """An optional package or a device is not there."""

    exit_code = ExitCode.MISSING


@dataclass(frozen=True)
class Failure:
    """One input that could not be used: a line of `failures.jsonl`."""

    id: str
    """The sample's id, as in its manifest or split file."""
    path: str
    """The file that could not be used."""
    error: str
    """What is wrong with it, in one line."""

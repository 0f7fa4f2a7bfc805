"""The errors a user may see, each with the exit code the command contract gives it."""

from dataclasses import dataclass
from enum import IntEnum
from os import PathLike

LONGEST_TEXT = 600
"""Letters of a message beyond which its middle is left out: a table's cell may hold thousands."""


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
        place = "" if where is None else f"{shortened(str(where))}: "
        action = "" if remedy is None else f"; {shortened(remedy)}"
        super().__init__(f"{place}{shortened(what)}{action}")


def reason(error: Exception) -> str:
    """Return what the system says of an error, without the name of the file.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.csv"))
    'no such file or directory'
    """
    return (getattr(error, "strerror", None) or str(error)).lower()


def printable(text: str) -> str:
    """Return a text in one line, with escapes for what a terminal would not print but obey."""
    line = " ".join(text.split("\n"))
    return line if line.isprintable() else "".join(map(_escaped, line))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]


def shortened(text: str) -> str:
    """Return a text in one line, without its middle where it quotes what no line can hold."""
    if "Original Traceback" in text:  # torch's words about an error of a process that reads data
        return text
    text = printable(text)
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: 2 * LONGEST_TEXT // 3]} … {text[-LONGEST_TEXT // 4 :]}"


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
class Remark:
    """One input that was used, though it may not be what it should be."""

    id: str
    """The sample's id, as in its manifest or split file."""
    path: str
    """The file."""
    text: str
    """What the user should look at, in one line."""

    @classmethod
    def on(cls, id_: str, path: PathLike[str], text: str | None) -> "Remark | None":
        """Return a remark with a text; None where there is none."""
        return None if text is None else cls(id_, str(path), text)


@dataclass(frozen=True)
class Failure:
    """One input that could not be used: a line of `failures.jsonl`."""

    id: str
    """The sample's id, as in its manifest or split file."""
    path: str
    """The file that could not be used."""
    error: str
    """What is wrong with it, in one line."""

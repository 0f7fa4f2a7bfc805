"""How a command shows its rows, and how many unreadable inputs it puts up with."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from attncli.config.fields import Checked, Option
from attncli.errors import UsageError

RowFormat = Literal["table", "json", "csv"]


@dataclass(frozen=True, kw_only=True)
class RowsShown(Checked):
    """How rows are shown, and when a command fails; classes below name the option."""

    json: bool = False
    """Short for `--format json`."""
    allow_failed: Annotated[str | None, Option(metavar="<N or N%>")] = None
    """Unreadable inputs that leave the exit code 0, as a number or as a share of all inputs
    (`2%`); they are named all the same.  [default: 0]"""

    def __post_init__(self) -> None:
        """Refuse what cannot be met.

        Raises:
            UsageError: Two formats are asked for, or what may fail is neither a number nor a share.
        """
        super().__post_init__()
        flag, asked = self._asked
        if self.json and asked not in (None, "json"):
            raise UsageError("exclude each other", where=f"--json and {flag} {asked}")
        text = "0" if self.allow_failed is None else self.allow_failed
        if re.fullmatch(r"\d+", text) is None and not _is_share(text):
            raise UsageError(
                "must be a number, such as 3, or a share, such as 2%", where="--allow-failed"
            )

    @property
    def rows_as(self) -> RowFormat:
        """How rows go to stdout."""
        return "json" if self.json else self._asked[1] or "table"

    def failures_allowed(self, inputs: int | None) -> int:
        """Return how many inputs may fail.

        Args:
            inputs: How many there were; None where that is not known.

        Raises:
            UsageError: A share is asked for, but of how many is not known.
        """
        text = self.allow_failed or "0"
        if not text.endswith("%"):
            return int(text)
        if inputs is None:
            raise UsageError(
                "this command does not count its inputs",
                where=f"--allow-failed {text}",
                remedy="give a number instead of a share",
            )
        return int(inputs * float(text[:-1]) / 100 + 1e-9)  # 29 % of 100 are 28.999… in binary

    @property
    def _asked(self) -> tuple[str, RowFormat | None]:
        """The option that names a format, and what it says."""
        return "--format", None


@dataclass(frozen=True, kw_only=True)
class Shown(RowsShown):
    """How a command shows its rows."""

    format: RowFormat | None = None
    """How rows go to stdout: a table for people, or JSON or CSV with all keys and all digits.
    [default: table]"""

    @property
    def _asked(self) -> tuple[str, RowFormat | None]:
        return "--format", self.format


@dataclass(frozen=True, kw_only=True)
class ShownBesideFigure(RowsShown):
    """How a command shows its rows whose `--format` is that of a figure."""

    json: bool = False
    """Short for `--rows json`."""
    rows: RowFormat | None = None
    """How rows go to stdout: a table for people, or JSON or CSV with all keys and all digits.
    [default: table]"""

    @property
    def _asked(self) -> tuple[str, RowFormat | None]:
        return "--rows", self.rows


def _is_share(text: str) -> bool:
    """Return whether a text is a share of a whole, in percent.

    >>> _is_share("2.5%"), _is_share("101%"), _is_share("%")
    (True, False, False)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    return found is not None and float(found[1]) <= 100

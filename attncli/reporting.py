"""How the rooms below the terminal say what they do, and what they hand back: it shows both."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from attncli.errors import Failure, Remark

T = TypeVar("T")

NAMED_REMARKS = 3

Row = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Outcome:
    """What a workflow hands back to the terminal."""

    rows: list[Row] = field(default_factory=list)
    """One row a run, dataset or file, with the metric keys of the file formats; for stdout."""
    failures: list[Failure] = field(default_factory=list)
    """Inputs that could not be read; the command exits 3 where there are any."""


@runtime_checkable
class Reporter(Protocol):
    """Where a workflow sends its progress; the terminal writes it to stderr."""

    def note(self, text: str) -> None:
        """Say what happened, such as where files went."""

    def warn(self, text: str) -> None:
        """Say what the user should look at."""

    def track(
        self, items: Iterable[T], *, label: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        """Yield `items` while showing how many are done, their rate and the time left.

        Args:
            items: What is worked through.
            label: What the work is, such as `epoch 3/50`.
            total: Number of items; their `len` where None and there is one.
            unit: What one item is, such as `clips`.
        """
        ...


class Silent:
    """A reporter that shows nothing: tests, and every rank of a distributed run but the first."""

    def note(self, text: str) -> None:
        """Drop the note."""

    def warn(self, text: str) -> None:
        """Drop the warning."""

    def track(
        self, items: Iterable[T], *, label: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        """Yield `items` unseen."""
        yield from items


def warn_of(remarks: Iterable[Remark], reporter: Reporter) -> None:
    """Say which inputs were used though they may not be what they should be, the first by name."""
    found = sorted(set(remarks), key=lambda remark: (remark.id, remark.text))
    if not found:
        return
    named = ", ".join(f"{remark.path} ({remark.text})" for remark in found[:NAMED_REMARKS])
    more = len(found) - NAMED_REMARKS
    reporter.warn(f"{len(found)} may lack frames: {named}{f' and {more} more' if more > 0 else ''}")

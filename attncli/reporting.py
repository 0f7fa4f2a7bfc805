"""How the rooms below the terminal say what they do, and what they hand back: it shows both."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

from attncli.errors import Failure, Remark

T = TypeVar("T")

NAMED_REMARKS = 3

Row = dict[str, str | int | float | None]
Live = Callable[[], str]
"""Returns figures of what goes on, in a few words."""
ENDINGS = (("ies", "y"), ("ches", "ch"), ("s", ""))
"""How words for several things end, and those for one."""


@dataclass(frozen=True)
class Outcome:
    """What a workflow hands back to the terminal."""

    rows: list[Row] = field(default_factory=list)
    """One row a run, dataset or file, with the metric keys of the file formats; for stdout."""
    failures: list[Failure] = field(default_factory=list)
    """Inputs that could not be read; the command exits 3 where there are more than may be."""
    inputs: int | None = None
    """Inputs there were, whether they could be read or not; None where they are not counted."""


@runtime_checkable
class Reporter(Protocol):
    """Where a workflow sends its progress; the terminal writes it to stderr."""

    def note(self, text: str) -> None:
        """Say what happened, such as where files went."""

    def warn(self, text: str) -> None:
        """Say what the user should look at."""

    def track(
        self,
        items: Iterable[T],
        *,
        label: str,
        total: int | None = None,
        unit: str = "it",
        live: Live | None = None,
    ) -> Iterator[T]:
        """Yield `items` while showing how many are done, their rate and the time left.

        Args:
            items: What is worked through.
            label: What the work is, such as `epoch 3/50`.
            total: Number of items; their `len` where None and there is one.
            unit: What items are, such as `clips`.
            live: Asked for what there is to say of those that are done, such as their loss. Who
                passes it says how it came out when all are done.
        """
        ...


@runtime_checkable
class Talkative(Protocol):
    """A reporter that may have been asked for more than what all users want to know."""

    def detail(self, text: str) -> None:
        """Say what only some users ask for."""


class Silent:
    """A reporter that shows nothing: tests, and every rank of a distributed run but the first."""

    def note(self, text: str) -> None:
        """Drop the note."""

    def warn(self, text: str) -> None:
        """Drop the warning."""

    def track(
        self,
        items: Iterable[T],
        *,
        label: str,
        total: int | None = None,
        unit: str = "it",
        live: Live | None = None,
    ) -> Iterator[T]:
        """Yield `items` unseen."""
        yield from items


def inputs_of(outcomes: Iterable[Outcome]) -> int | None:
    """Return how many inputs several outcomes are of; None where one of them does not count its."""
    counts = [outcome.inputs for outcome in outcomes]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def warn_of(remarks: Iterable[Remark], reporter: Reporter) -> None:
    """Say which inputs were used though they may not be what they should be, the first by name."""
    found = sorted(set(remarks), key=lambda remark: (remark.id, remark.text))
    if not found:
        return
    named = ", ".join(f"{remark.path} ({remark.text})" for remark in found[:NAMED_REMARKS])
    more = len(found) - NAMED_REMARKS
    reporter.warn(f"{len(found)} may lack frames: {named}{f' and {more} more' if more > 0 else ''}")


def detail(text: str, reporter: Reporter) -> None:
    """Say something to users who asked for more, where the reporter knows of such."""
    if isinstance(reporter, Talkative):
        reporter.detail(text)


def singular(unit: str) -> str:
    """Return the word for one of several things.

    >>> [singular(unit) for unit in ("clips", "batches", "queries", "it")]
    ['clip', 'batch', 'query', 'it']
    """
    for several, one in ENDINGS:
        if unit.endswith(several):
            return unit.removesuffix(several) + one
    return unit


def counted(n: int, unit: str) -> str:
    """Return a number of things in words.

    >>> counted(9537, "clips"), counted(1, "clips")
    ('9,537 clips', '1 clip')
    """
    return f"{n:,} {singular(unit) if n == 1 else unit}"

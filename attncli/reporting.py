"""How the rooms below the terminal say what they are doing: they call, the terminal shows."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")


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

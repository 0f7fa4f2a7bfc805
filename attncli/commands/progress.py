"""The reporters: bars on a terminal, lines where there is none, and one that says little."""

import platform
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sized
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from attncli import __version__
from attncli.errors import printable
from attncli.reporting import Live, Reporter, Silent, counted, singular

T = TypeVar("T")

LINE_INTERVAL_SEC = 10.0
"""Time between two progress lines where there is no terminal to draw a bar on."""
LIBRARIES = ("torch", "torchvision", "numpy", "av", "opencv-python-headless", "matplotlib")
"""What results depend on besides attncli itself."""
BAR_MOST, BAR_LEAST = 40, 6
"""Letters that a bar is wide; beside the least one there is no room for the time that went by."""
BESIDE_BAR = 84
"""Letters that what stands beside a bar takes, at most and mostly."""


class _Speaker(ABC):
    """What both reporters have alike: nothing is said twice, and details only if asked for."""

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose
        self._said: set[str] = set()

    def note(self, text: str) -> None:
        """Say what happened, unless that was said before."""
        if self._is_new(text):
            self._write(printable(text))

    def warn(self, text: str) -> None:
        """Say what the user should look at, unless that was said before."""
        warning = f"warning: {text}"
        if self._is_new(warning):
            self._write(printable(warning), style="yellow")

    def detail(self, text: str) -> None:
        """Say what not all users want to know, to those who asked for it."""
        if self.verbose:
            self.note(text)

    def _is_new(self, text: str) -> bool:
        is_new = text not in self._said
        self._said.add(text)
        return is_new

    @abstractmethod
    def _write(self, line: str, *, style: str = "") -> None:
        """Write a line, in a style where there is any."""


class Bars(_Speaker):
    """Progress bars with rate and time left; notes scroll by above them.

    Args:
        verbose: Whether to say details, and how fast each work was.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        super().__init__(verbose=verbose)
        self.console = Console(stderr=True, highlight=False)
        width = max(BAR_LEAST, min(BAR_MOST, self.console.width - BESIDE_BAR))
        elapsed = [TimeElapsedColumn()] if width > BAR_LEAST else []
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(width),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            *elapsed,
            TimeRemainingColumn(),
            TextColumn("{task.fields[live]}", markup=False),
            console=self.console,
            transient=True,
        )

    def track(
        self,
        items: Iterable[T],
        *,
        label: str,
        total: int | None = None,
        unit: str = "it",
        live: Live | None = None,
    ) -> Iterator[T]:
        """Yield `items` beside a bar that goes when they are done."""
        if not self.progress.tasks:
            self.progress.start()
        task = self.progress.add_task(label, total=_count(items, total), rate="", live="")
        start = time.monotonic()
        done = 0
        try:
            for item in items:
                yield item
                done += 1
                rate = _rate(done, time.monotonic() - start, unit)
                self.progress.update(task, completed=done, rate=rate, live=_live(live))
            if self.verbose:
                self._write(_ending(label, done, time.monotonic() - start, unit))
        finally:
            self.progress.remove_task(task)
            if not self.progress.tasks:
                self.progress.stop()

    def _write(self, line: str, *, style: str = "") -> None:
        self.console.print(Text(line, style=style), soft_wrap=True)


class Lines(_Speaker):
    """A line now and then, for logs and terminals that cannot draw.

    Args:
        verbose: Whether to say details, and how fast each work was, however short.
    """

    def track(
        self,
        items: Iterable[T],
        *,
        label: str,
        total: int | None = None,
        unit: str = "it",
        live: Live | None = None,
    ) -> Iterator[T]:
        """Yield `items`; say how far they are every few seconds, and how fast they were."""
        total = _count(items, total)
        start = told = time.monotonic()
        done = 0
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - told >= LINE_INTERVAL_SEC:
                told = now
                parts = [_standing(done, total, now - start, unit), _live(live)]
                self._write(printable(f"{label}: {', '.join(filter(None, parts))}"))
        is_long = told > start and live is None
        if is_long or self.verbose:
            self._write(printable(_ending(label, done, time.monotonic() - start, unit)))

    def _write(self, line: str, *, style: str = "") -> None:  # noqa: ARG002 - plain lines have none
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class Quiet(Silent):
    """Says what the user should look at, and nothing else.

    Args:
        reporter: What shows it.
    """

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def warn(self, text: str) -> None:
        """Say what the user should look at."""
        self.reporter.warn(text)


def versions() -> str:
    """Return which versions of what matters most are installed; none of it is imported."""
    found = [f"attncli {__version__}", f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def _standing(done: int, total: int | None, elapsed_sec: float, unit: str) -> str:
    rate = _rate(done, elapsed_sec, unit)
    if not total:
        return f"{counted(done, unit)}, {rate}"
    left_sec = int(elapsed_sec / done * max(total - done, 0))
    left = f"{left_sec // 3600}:{left_sec // 60 % 60:02}:{left_sec % 60:02}"
    return f"{done:,}/{counted(total, unit)}, {rate}, {left} left"


def _ending(label: str, done: int, elapsed_sec: float, unit: str) -> str:
    return f"{label}: {counted(done, unit)}, {_rate(done, elapsed_sec, unit)}"


def _rate(done: int, elapsed_sec: float, unit: str) -> str:
    """Return how fast it goes: several things a second, or how long one takes."""
    per_sec = done / max(elapsed_sec, 1e-9)
    if per_sec >= 1 or not done:
        return f"{per_sec:.1f} {unit}/s"
    return f"{1 / per_sec:.1f} s/{singular(unit)}"


def _live(live: Live | None) -> str:
    return "" if live is None else live()


def _count(items: Iterable[T], total: int | None) -> int | None:
    return len(items) if total is None and isinstance(items, Sized) else total

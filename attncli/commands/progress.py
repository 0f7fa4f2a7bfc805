"""The two reporters: bars on a terminal, lines where there is none."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
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

from attncli.errors import printable

T = TypeVar("T")

LINE_INTERVAL_SEC = 10.0
"""Time between two progress lines where there is no terminal to draw a bar on."""


class Bars:
    """Progress bars with rate and time left; notes scroll by above them."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )

    def note(self, text: str) -> None:
        """Say what happened."""
        self.console.print(printable(text), markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say what the user should look at."""
        warning = Text(f"warning: {printable(text)}", style="yellow")
        self.console.print(warning, soft_wrap=True)

    def track(
        self, items: Iterable[T], *, label: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        """Yield `items` beside a bar that goes when they are done."""
        if not self.progress.tasks:
            self.progress.start()
        task = self.progress.add_task(label, total=_count(items, total), rate="")
        start = time.monotonic()
        try:
            for done, item in enumerate(items, start=1):
                yield item
                rate = _rate(done, time.monotonic() - start, unit)
                self.progress.update(task, completed=done, rate=rate)
        finally:
            self.progress.remove_task(task)
            if not self.progress.tasks:
                self.progress.stop()


class Lines:
    """A line now and then, for logs and terminals that cannot draw."""

    def note(self, text: str) -> None:
        """Say what happened."""
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()

    def warn(self, text: str) -> None:
        """Say what the user should look at."""
        self.note(f"warning: {text}")

    def track(
        self, items: Iterable[T], *, label: str, total: int | None = None, unit: str = "it"
    ) -> Iterator[T]:
        """Yield `items`; say how far they are every few seconds and when they are done."""
        total = _count(items, total)
        start = told = time.monotonic()
        done = 0
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - told >= LINE_INTERVAL_SEC:
                told = now
                self.note(f"{label}: {_standing(done, total, now - start, unit)}")
        self.note(f"{label}: {done} {unit}, {_rate(done, time.monotonic() - start, unit)}")


def _standing(done: int, total: int | None, elapsed_sec: float, unit: str) -> str:
    rate = _rate(done, elapsed_sec, unit)
    if not total:
        return f"{done} {unit}, {rate}"
    left_sec = int(elapsed_sec / done * max(total - done, 0))
    left = f"{left_sec // 3600}:{left_sec // 60 % 60:02}:{left_sec % 60:02}"
    return f"{done}/{total} {unit}, {rate}, {left} left"


def _rate(done: int, elapsed_sec: float, unit: str) -> str:
    per_sec = done / max(elapsed_sec, 1e-9)
    return f"{per_sec:.1f} {unit}/s" if per_sec >= 1 or not done else f"{1 / per_sec:.1f} s/{unit}"


def _count(items: Iterable[T], total: int | None) -> int | None:
    return len(items) if total is None and isinstance(items, Sized) else total

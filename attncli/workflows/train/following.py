"""What processes beside this one write to their logs, said here as they write it."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attncli.reporting import Reporter

TOLD = re.compile(r"fold \d+: (epoch \d+/\d+  loss|training|going on) ?.*")
"""Lines that are said: a line an epoch, and what is said at the start."""
POLL_SEC = 0.5


class Follower:
    """Reads logs that grow, from where they end now.

    Args:
        logs: Files that others write, or will write.
        reporter: Told of their lines that `TOLD` matches.
    """

    def __init__(self, logs: Iterable[Path], reporter: Reporter) -> None:
        self.reporter = reporter
        self._read = {log: log.stat().st_size if log.exists() else 0 for log in logs}

    def look(self) -> None:
        """Say what is new in the logs; a line that is not whole yet waits for the next time."""
        for log, start in self._read.items():
            if not log.exists():
                continue
            with log.open("rb") as file:
                file.seek(start)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read[log] = start + len(whole) + 1
                self._tell(whole.decode(errors="replace").splitlines())

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            if TOLD.fullmatch(line):
                self.reporter.note(line)


@contextmanager
def followed(logs: Iterable[Path], reporter: Reporter) -> Iterator[None]:
    """Say what is written to logs, for as long as the context is open."""
    follower, done = Follower(logs, reporter), threading.Event()

    def follow() -> None:
        while not done.wait(POLL_SEC):
            follower.look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        follower.look()

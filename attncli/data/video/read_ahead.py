"""Work on items while the next ones are being made."""

import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Full, Queue
from typing import TypeVar

T = TypeVar("T")

_POLL_SEC = 0.1


def read_ahead(items: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield `items`, made by a thread that is at most `depth` of them ahead.

    What making an item raises is raised here in its place. When this generator is closed, the
    thread ends.
    """
    queue: Queue[tuple[T] | BaseException | None] = Queue(depth)
    closed = threading.Event()

    def put(entry: tuple[T] | BaseException | None) -> None:
        while not closed.is_set():
            with suppress(Full):
                queue.put(entry, timeout=_POLL_SEC)
                return

    def make() -> None:
        try:
            for item in items:
                put((item,))
                if closed.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (entry := queue.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        closed.set()
        thread.join()

"""Files and directories that one process alone may change, as long as it lives.

What is held here is told from what a killed process left: the system lets go of the locks of a
process that ends in whatever way, on this machine or, through a network file system that knows
locks, on another one.
"""

import fcntl
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from attncli.errors import AttncliError

LOCK = ".lock"
"""File in an output directory that says who writes there."""
LONGEST_HOLDER = 1000

_locked: set[int] = set()
"""Descriptors of what this process holds."""


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file or directory; False where another process has, None where no one can."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    _locked.add(descriptor)
    return True


def release(descriptor: int) -> None:
    """Close an open file or directory, and let others lock it."""
    _locked.discard(descriptor)
    os.close(descriptor)


def _hold_nothing() -> None:
    """Close what the process that started this one holds: it may be killed, and we live on."""
    while _locked:
        os.close(_locked.pop())


# A lock is held until the last process has closed it, those forked to read data included.
os.register_at_fork(after_in_child=_hold_nothing)


def is_named(path: Path, descriptor: int) -> bool:
    """Return whether an open file or directory is still the one of that name."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


class TakenError(Exception):
    """Another process holds a lock file; what it has written there is the message."""


@dataclass(frozen=True)
class Hold:
    """A lock file that this process holds."""

    path: Path
    """The file, which is there for as long as it is held."""
    descriptor: int

    def end(self) -> None:
        """Let go of it."""
        self.path.unlink(missing_ok=True)
        release(self.descriptor)


def take(path: Path) -> Hold:
    """Make a lock file and hold it.

    Raises:
        TakenError: Another process holds it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if try_lock(descriptor) is False:
            holder = os.read(descriptor, LONGEST_HOLDER).decode(errors="replace").strip()
            release(descriptor)
            raise TakenError(holder or "another process")
        if is_named(path, descriptor):
            break
        release(descriptor)  # whoever held it before has just removed it
    os.ftruncate(descriptor, 0)
    with suppress(OSError):  # of a full disk; what fails to be written next is named
        os.write(descriptor, _this_process().encode(errors="replace"))
    return Hold(path, descriptor)


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Be the only process that writes to `directory`, which is made, until the block ends.

    Raises:
        AttncliError: Another process writes there; the message says which.
    """
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    try:
        hold = take(directory / LOCK)
    except TakenError as error:
        what, remedy = f"is being written by {error}", "wait until it has ended, or write elsewhere"
        raise AttncliError(what, where=directory, remedy=remedy) from None
    try:
        yield
    finally:
        hold.end()
        if is_new:
            with suppress(OSError):  # something was written
                directory.rmdir()


def hold_beside(path: Path, *, remedy: str) -> Hold:
    """Hold a file beside `path` that one process can hold at a time, until that is ended.

    For what cannot hold a lock itself: a file is replaced by another one with each change.

    Args:
        path: File or directory to be written, which need not exist.
        remedy: What to do where another process holds it.

    Raises:
        AttncliError: Another process holds it; the message says which.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return take(path.with_name(f".{path.name}.lock"))
    except TakenError as error:
        raise AttncliError(f"is in use by {error}", where=path, remedy=remedy) from None


@contextmanager
def held_beside(path: Path, *, remedy: str) -> Iterator[None]:
    """Hold a file beside `path`, as `hold_beside` does, until the block ends.

    Raises:
        AttncliError: Another process holds it.
    """
    hold = hold_beside(path, remedy=remedy)
    try:
        yield
    finally:
        hold.end()


def _this_process() -> str:
    call = shlex.join(["attncli", *sys.argv[1:]])
    return f"process {os.getpid()} on {socket.gethostname()} ({call[:200]})\n"

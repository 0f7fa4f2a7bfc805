"""Files that one editor alone may change, and how it sees that another program did so anyway."""

import fcntl
import os
from pathlib import Path

from attncli.errors import AttncliError

Stamp = tuple[int, int, int]
"""What changes whenever a file is written or replaced."""


def hold(path: Path, *, remedy: str) -> int:
    """Return the descriptor of a file beside `path` that one process can hold at a time.

    The file itself cannot be held: each change puts another one in its place.

    Args:
        path: File or directory of edits.
        remedy: What to do where another process holds it.

    Raises:
        AttncliError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        what = "another editor has this file open"
        raise AttncliError(what, where=path, remedy=remedy) from None
    return descriptor


def stamp(path: Path) -> Stamp | None:
    """Return what changes whenever a file is written or replaced; None where it is gone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def require_unchanged(path: Path, before: Stamp | None) -> None:
    """Make sure that a file is as it was when its stamp was taken.

    Raises:
        AttncliError: It is not.
    """
    if stamp(path) != before:
        raise AttncliError(
            "another program has changed this file",
            where=path,
            remedy="start the editor again to go on from what it holds now",
        )

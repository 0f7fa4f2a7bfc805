"""Files that one editor alone may change, and how it sees that another program did so anyway."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attncli.errors import AttncliError
from attncli.files.locks import Hold, TakenError, take

Stamp = tuple[int, int, int]
"""What changes whenever a file is written or replaced."""


def hold(path: Path, *, remedy: str) -> Hold:
    """Hold a file beside `path` that one process can hold at a time, until that is ended.

    The file itself cannot be held: each change puts another one in its place.

    Args:
        path: File or directory of edits.
        remedy: What to do where another process holds it.

    Raises:
        AttncliError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return take(path.with_name(f".{path.name}.lock"))
    except TakenError as error:
        what = f"another editor has this file open, {error}"
        raise AttncliError(what, where=path, remedy=remedy) from None


@contextmanager
def held_alone(path: Path, *, remedy: str) -> Iterator[None]:
    """Hold a file or directory of edits, as `hold` does, until the block ends.

    Raises:
        AttncliError: Another process holds it.
    """
    held = hold(path, remedy=remedy)
    try:
        yield
    finally:
        held.end()


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

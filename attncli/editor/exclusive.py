"""How an editor sees that another program has changed the file it alone may change."""

from pathlib import Path

from attncli.errors import AttncliError

Stamp = tuple[int, int, int]
"""What changes whenever a file is written or replaced."""


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

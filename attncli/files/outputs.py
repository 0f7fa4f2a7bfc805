"""Whether a command may write where it was told to."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from attncli.config.toml import read
from attncli.errors import AttncliError, UsageError
from attncli.files.atomic import sweep
from attncli.files.locks import LOCK

SETTINGS = "config.toml"
"""File that every output directory holds; it says how the rest was made."""
_HELD_FOR_EDITING = ("clips.csv", "frames")
"""What a directory of clips that people edit holds, and no other output."""


def claim(
    path: Path,
    *,
    overwrite: bool = False,
    resume: bool | None = None,
    inputs: Iterable[Path] = (),
    may_hold_edits: bool = False,
    dry_run: bool = False,
) -> None:
    """Make sure that an output can be written to `path`; nothing is created.

    With `overwrite` a directory that attncli wrote is emptied, while a file stays until its
    replacement is renamed over it. With `resume` what is there is left alone, but for what killed
    processes left unfinished.

    Args:
        path: Output file or directory.
        overwrite: What is at `path` may go.
        resume: What is at `path` is to be continued; None where the command cannot do that.
        inputs: What the command reads, and so must not empty.
        may_hold_edits: A directory of clips for editing may go; the caller saw that none is edited.
        dry_run: Refuse what would be refused, and touch nothing.

    Raises:
        UsageError: Both `overwrite` and `resume` are asked for.
        AttncliError: Something is at `path` and may not go, or `path` cannot be written.
    """
    if overwrite and resume:
        raise UsageError("exclude each other", where="--overwrite and --resume")
    _require_writable(path)
    if resume and not dry_run:
        sweep(path)
    if resume or not _holds_something(path):
        return
    if not overwrite:
        options = "--overwrite" if resume is None else "--overwrite or --resume"
        raise AttncliError(
            "exists already", where=path, remedy=f"pass {options}, or write elsewhere"
        )
    if not path.is_dir():
        return
    if not may_hold_edits and all((path / name).exists() for name in _HELD_FOR_EDITING):
        raise AttncliError(
            "holds people's edits", where=path, remedy="remove it yourself, or write elsewhere"
        )
    _require_ours(path, inputs)
    if not dry_run:
        _empty(path)


def claim_file(path: Path, *, overwrite: bool = False, dry_run: bool = False) -> None:
    """Make sure that a file can be written to `path`, as `claim` does; no directory is emptied.

    What killed processes left unfinished beside it is removed.

    Args:
        path: Output file.
        overwrite: The file at `path` may go.
        dry_run: Refuse what would be refused, and touch nothing.

    Raises:
        AttncliError: Something is at `path` and may not go, or `path` cannot be written.
    """
    if path.is_dir():
        raise AttncliError("is a directory, not a file", where=path, remedy="name a file")
    claim(path, overwrite=overwrite, dry_run=dry_run)
    if not dry_run:
        sweep(path.parent, below=False)


def _holds_something(path: Path) -> bool:
    if not path.is_dir():
        return path.exists()
    return any(entry.name != LOCK for entry in path.iterdir())


def _require_writable(path: Path) -> None:
    """Raise unless the nearest directory that is there already can be written."""
    place = next(p for p in (path, *path.absolute().parents) if p.exists())
    if place.is_file() and place != path:
        raise AttncliError("is a file, not a directory", where=place, remedy="write elsewhere")
    if not os.access(place, os.W_OK):
        raise AttncliError(
            "cannot be written", where=place, remedy="change its rights or write elsewhere"
        )


def _is_ours(path: Path) -> bool:
    """Return whether a directory holds the settings attncli leaves in each it writes."""
    try:
        return "format_version" in read(path / SETTINGS)
    except UsageError:  # there are none, or they are somebody else's
        return False


def _require_ours(path: Path, inputs: Iterable[Path]) -> None:
    """Raise unless a directory is an output of attncli that holds nothing which is needed."""
    if not _is_ours(path):
        raise AttncliError(
            "is not an output of attncli",
            where=path,
            remedy="remove it yourself, or write elsewhere",
        )
    kept = path.resolve()
    for needed in (Path.cwd(), Path("~"), *inputs):
        # Without a home, as in some containers, `~` stays what it is.
        if Path(os.path.expanduser(needed)).resolve().is_relative_to(kept):  # noqa: PTH111
            raise AttncliError(
                f"holds {needed}, which must stay", where=path, remedy="write elsewhere"
            )


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()

"""Files and directories that are there whole or not at all.

What is being written has a short hidden name beside its own until it is whole, and is locked as
long as the process that writes it lives. So `sweep` can tell what a killed process left.
"""

import ctypes
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attncli.files.locks import is_named, release, try_lock

LONGEST_SUFFIX = 16
ESCAPED: Final = "backslashreplace"
"""What becomes of letters that UTF-8 cannot say: bytes of file names that are not UTF-8."""
_UNFINISHED = re.compile(r"\.attncli-[0-9a-f]{8}\.tmp(\.\w+)?")
"""Names of what is being written."""
_UNFINISHED_BEFORE = re.compile(r"\..+?(\.\w+)?\.[0-9]+\.tmp(?(1)\1)")
"""Names that version 0.3.0 gave it, such as `.last.pt.4321.tmp.pt`; others may have such, too."""
_RENAME_EXCHANGE = 2  # of <linux/fs.h>
_CURRENT_DIRECTORY = -100  # AT_FDCWD of <fcntl.h>


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the temporary name of an empty file beside `path`; on success it becomes `path`.

    The bytes are on disk before the name changes. When the body raises, the temporary file is
    removed and `path` stays as it was; an error of the operating system that names no file, as a
    full disk does, names `path`. Missing parent directories are made. The body writes into the file
    that is there, so that its rights are those the user's umask gives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _unfinished_name(path)
    try:
        with _being_written(temporary):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    except OSError as error:
        raise _named(error, temporary, path) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_directory(path: Path) -> Iterator[Path]:
    """Yield an empty directory beside `path`; on success it replaces whatever `path` was.

    When the body raises, the new directory is removed and `path` stays as it was. Where the system
    can exchange names, there is no moment without `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _recover(path)
    with temporary_directory(path.parent) as temporary:
        try:
            yield temporary
            _put_in_place(temporary, path)
        except OSError as error:
            raise _named(error, temporary, path) from error


@contextmanager
def temporary_directory(place: Path) -> Iterator[Path]:
    """Yield an empty directory in `place` that is gone when the block ends.

    What processes that are gone left in `place` is removed first.
    """
    place.mkdir(parents=True, exist_ok=True)
    sweep(place, below=False)
    temporary = _unfinished_name(place / "directory")
    try:
        with _being_written(temporary, is_directory=True):
            yield temporary
    finally:
        _discard(temporary)


def sweep(root: Path, *, below: bool = True) -> None:
    """Remove what processes that are gone left unfinished in `root`.

    Args:
        root: Where to look; need not exist.
        below: Whether all below it is an output, too, in which nothing else has names such as
            version 0.3.0 gave. Where it is not, those are left alone.
    """
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            if _UNFINISHED.fullmatch(name) or (below and _UNFINISHED_BEFORE.fullmatch(name)):
                _remove_abandoned(Path(folder, name))
        if not below:
            return


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Let an error of the operating system that names no file, as a full disk does, name `path`."""
    try:
        yield
    except OSError as error:
        if error.filename:
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def write_text(path: Path, text: str) -> None:
    r"""Write `text` as UTF-8 so that `path` holds all of it or what it held before.

    Bytes of file names that are not UTF-8 become escapes such as `\udce9`, as JSON has them.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=ESCAPED, newline="\n")


def _unfinished_name(path: Path) -> Path:
    """Return a name that no other has, short enough for a `path` of any length."""
    suffix = path.suffix if len(path.suffix) <= LONGEST_SUFFIX else ""
    return path.with_name(f".attncli-{secrets.token_hex(4)}.tmp{suffix}")


@contextmanager
def _being_written(path: Path, *, is_directory: bool = False) -> Iterator[None]:
    """Make an empty file or directory that is locked until the block ends."""
    descriptor = _create(path, is_directory)
    try:
        yield
    finally:
        release(descriptor)


def _create(path: Path, is_directory: bool) -> int:
    while True:
        # Another process may sweep it away, or be about to, before it is locked.
        with suppress(FileExistsError):
            path.mkdir() if is_directory else path.touch()
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY)
            if try_lock(descriptor) is not False and is_named(path, descriptor):
                return descriptor
            release(descriptor)


def _remove_abandoned(path: Path) -> None:
    """Remove a file or directory that was being written, unless its writer lives."""
    if path.is_symlink():
        return
    with suppress(OSError):  # it has its own name by now, or is not ours to remove
        descriptor = os.open(path, os.O_RDONLY)
        try:
            # Who opened it late may lock what another has removed, while its name is taken anew.
            if try_lock(descriptor) is True and is_named(path, descriptor):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        finally:
            release(descriptor)


def _named(error: OSError, temporary: Path, path: Path) -> OSError:
    """Return an error that names `path`, or what is in it, where it named none or a hidden one."""
    named = os.fsdecode(error.filename or temporary)
    if not named.startswith(str(temporary)):
        return error
    shown = f"{path}{named.removeprefix(str(temporary))}"
    return OSError(error.errno, error.strerror or str(error), shown)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Give a directory its name; what had it before is under the temporary one, or is gone."""
    while True:
        try:
            return os.rename(temporary, path)  # noqa: PTH104 - over nothing or an empty directory
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        with suppress(FileNotFoundError):  # another process has just taken it away
            return _exchange(temporary, path)


def _exchange(temporary: Path, path: Path) -> None:
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is not None:
        places = [_CURRENT_DIRECTORY, os.fsencode(temporary), _CURRENT_DIRECTORY, os.fsencode(path)]
        if rename(*places, _RENAME_EXCHANGE) == 0:
            return
        if (code := ctypes.get_errno()) not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), str(path))
    path.replace(_retired(path))  # this system cannot exchange names
    temporary.replace(path)
    _discard(_retired(path))


def _discard(path: Path) -> None:
    """Remove whatever has a name, if anything: a link itself, and not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _retired(path: Path) -> Path:
    return path.with_name(f".{path.name}.attncli-old")


def _recover(path: Path) -> None:
    """Put back a directory that was taken away by a process killed before it put a new one."""
    retired = _retired(path)
    if retired.exists() and not path.exists():
        retired.replace(path)
    _discard(retired)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

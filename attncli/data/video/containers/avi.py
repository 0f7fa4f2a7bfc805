"""AVI: chunks of a kind, a length and a content, padded to an even length; lists of chunks.

Files of more than a gigabyte have several outermost chunks (OpenDML).
"""

from collections.abc import Iterator
from typing import BinaryIO

from attncli.data.video.containers.damage import CUT_SHORT, SECOND_FILE, damaged_at

_HEADER = 8
_OPEN = (0, 0xFFFFFFFF)
"""Lengths that a program writes which never came to fill them in."""


def fits(head: bytes) -> bool:
    """Return whether a file begins as AVI files do."""
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where the outermost chunk reaches beyond the file, or where a hole is."""
    for kind, at, end in _chunks(file, 0, size):
        if at > 0 and _form(file, at) == b"AVI ":
            return SECOND_FILE
        if kind != b"RIFF":
            return None  # whatever another program put behind the end
        if end - at - _HEADER in _OPEN:
            return None
        if end > size:
            return CUT_SHORT
        hole = _hole_up_to_pictures(file, at + _HEADER + 4, end)
        if hole is not None:
            return damaged_at(hole)
    return None


def _hole_up_to_pictures(file: BinaryIO, start: int, end: int) -> int | None:
    """Return where, up to the end of the pictures of an outermost chunk, something is no chunk."""
    for kind, at, stop in _chunks(file, start, end):
        if not _is_kind(kind):
            return at
        if kind == b"LIST" and _form(file, at) == b"movi":
            return _first_hole(file, at + _HEADER + 4, min(stop, end))
    return None  # it has none, as an index of its own may


def _first_hole(file: BinaryIO, start: int, end: int) -> int | None:
    """Return where, among the chunks with pictures and sound, something is that is no chunk."""
    for kind, at, stop in _chunks(file, start, end):
        if not _is_kind(kind) or stop > end + 1:  # some count the padding of the last one
            return at
        if kind == b"LIST" and (hole := _first_hole(file, at + _HEADER + 4, stop)) is not None:
            return hole
    return None


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, first byte and end, without padding, of each chunk in turn."""
    at = start
    while at + _HEADER <= end:
        kind, length = _header(file, at)
        stop = at + _HEADER + length
        yield kind, at, stop
        at = stop + length % 2
        if length % 2 and not _is_kind(_header(file, at)[0]) and _is_kind(_header(file, stop)[0]):
            at = stop  # some programs do not pad


def _header(file: BinaryIO, at: int) -> tuple[bytes, int]:
    file.seek(at)
    header = file.read(_HEADER)
    return header[:4], int.from_bytes(header[4:], "little")


def _form(file: BinaryIO, at: int) -> bytes:
    file.seek(at + _HEADER)
    return file.read(4)


def _is_kind(kind: bytes) -> bool:
    return len(kind) == 4 and all(0x20 <= byte < 0x7F for byte in kind)

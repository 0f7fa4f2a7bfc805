"""MP4 and QuickTime: boxes of a length, a kind and a content (ISO/IEC 14496-12, section 4.2)."""

from collections.abc import Iterator
from typing import BinaryIO

from attncli.data.video.containers.damage import CUT_SHORT, damaged_at

_KINDS = {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"sidx", b"wide", b"free", b"skip", b"pnot"}
_HEADER = 8


def fits(head: bytes) -> bool:
    """Return whether a file begins with a box that MP4 or QuickTime files begin with."""
    return head[4:8] in _KINDS


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where a box reaches beyond the file, or a fragment lacks its content.

    In a file of fragments, bytes that are no box hide the fragments behind them; else they may be
    anything that another program put at the end.
    """
    before = b""
    fragmented = False
    for kind, at, end in _boxes(file, size):
        if kind is None:
            return damaged_at(at) if fragmented else None
        if end > size:
            return CUT_SHORT
        fragmented |= kind == b"moof"
        before = kind
    return CUT_SHORT if before == b"moof" else None


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes | None, int, int]]:
    """Yield kind, first byte and end of each box in turn; no kind for what is no box."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(_HEADER + 8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:_HEADER]
        if len(header) < _HEADER:
            # The beginning of a box, unless it is what some programs fill up with.
            yield (b"part" if any(header) else None), at, size + 1
            return
        if length == 1:
            length = int.from_bytes(header[_HEADER:], "big")
        elif length == 0 and kind in _KINDS:
            length = size - at  # it goes on to the end
        if length < _HEADER or not _is_kind(kind):
            yield None, at, size
            return
        yield kind, at, at + length
        at += length


def _is_kind(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)

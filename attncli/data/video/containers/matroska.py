"""Matroska and WebM: elements of an id, a length and a content (RFC 8794, RFC 9559)."""

from typing import BinaryIO

from attncli.data.video.containers.damage import CUT_SHORT, SECOND_FILE, damaged_at

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_ANYWHERE = frozenset({0xEC, 0xBF})  # void, checksum
_IN_SEGMENT = _ANYWHERE | {
    *(0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER),  # seek head, info, tracks
    *(0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367),  # cues, attachments, chapters, tags
}
_IN_CLUSTER = _ANYWHERE | {
    *(0xE7, 0xA3, 0xA0),  # timestamp, simple block, block group
    *(0xA7, 0xAB, 0xAF, 0x5854),  # position, size of the one before, encrypted block, silent tracks
}


def fits(head: bytes) -> bool:
    """Return whether a file begins as Matroska files do."""
    return head[:4] == _EBML.to_bytes(4, "big")


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where an element reaches beyond the file, or where a hole is."""
    at = 0
    while at < size:
        file.seek(at)
        element = _element(file)
        if element is None:
            return CUT_SHORT if at + 12 > size else None
        kind, length = element
        start = file.tell()
        if kind == _SEGMENT:
            end = size if length is None else start + length
            if end > size:
                return CUT_SHORT
            file.seek(end)
            return SECOND_FILE if fits(file.read(4)) else _walk(file, start, end, _IN_SEGMENT)
        if length is None:
            return None
        at = start + length
    return CUT_SHORT  # there is no segment at all


def _walk(file: BinaryIO, start: int, end: int, known: frozenset[int]) -> str | None:
    """Go through the elements of the segment, and those of clusters among them."""
    at = start
    while at < end:
        file.seek(at)
        element = _element(file)
        content = file.tell()
        if element is None:
            return CUT_SHORT if content >= end else damaged_at(at)
        kind, length = element
        if kind not in known:
            # A cluster of unknown length ends with the first element that is no part of it.
            if known is _IN_CLUSTER and kind in _IN_SEGMENT:
                known = _IN_SEGMENT
                continue
            return damaged_at(at)
        if kind == _CLUSTER and length is None:
            known, at = _IN_CLUSTER, content
            continue
        if length is None:
            return None  # a live stream in which nothing has a length
        at = content + length
        if at > end:
            return CUT_SHORT
        if kind == _CLUSTER and (damage := _walk(file, content, at, _IN_CLUSTER)) is not None:
            return damage
    return None


def _element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Read id and length of an element, None for one left open; None where no element is."""
    kind = _number(file, longest=4, keep_marker=True)
    length = None if kind is None else _number(file, longest=8, keep_marker=False)
    if kind is None or length is None:
        return None
    return kind, None if length < 0 else length


def _number(file: BinaryIO, *, longest: int, keep_marker: bool) -> int | None:
    """Read a number whose leading zero bits say how many bytes follow the first; -1 if unknown."""
    first = file.read(1)
    width = 9 - first[0].bit_length() if first else 9
    rest = file.read(width - 1) if width <= longest else b""
    if width > longest or len(rest) < width - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    if keep_marker:
        return value
    unknown = (1 << 7 * width) - 1
    value &= unknown
    return -1 if value == unknown else value

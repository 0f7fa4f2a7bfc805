"""MPEG transport streams: packets of one length, each begun by the same byte (ISO/IEC 13818-1).

Nothing says how many there are: a stream that ends with half a packet is known to be cut short, one
that ends between two is not.
"""

from typing import BinaryIO

from attncli.data.video.containers.damage import CUT_SHORT, damaged_at

_SYNC = 0x47
_FORMS = ((188, 0), (192, 4))
"""Length of packets and place of their mark, as broadcast and, with times before, on Blu-ray."""
_PACKETS_AT_ONCE = 1 << 14


def fits(head: bytes) -> bool:
    """Return whether a file begins as transport streams do."""
    return _form(head) is not None


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where the last packet is not whole, or where a packet has no mark."""
    file.seek(0)
    form = _form(file.read(512))
    if form is None:
        return None
    length, mark = form
    file.seek(0)
    for start in range(0, size, length * _PACKETS_AT_ONCE):
        marks = file.read(length * _PACKETS_AT_ONCE)[mark::length]
        if marks.strip(bytes([_SYNC])):
            wrong = next(i for i, byte in enumerate(marks) if byte != _SYNC)
            return damaged_at(start + wrong * length)
    return CUT_SHORT if size % length else None


def _form(head: bytes) -> tuple[int, int] | None:
    """Return length and place of the mark of packets, as three in a row have it."""
    for length, mark in _FORMS:
        marks = head[mark::length][:3] if len(head) >= 2 * length + mark + 1 else b""
        if marks == bytes([_SYNC]) * 3:
            return length, mark
    return None

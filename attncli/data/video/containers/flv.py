"""Flash video: tags of a kind and a length, each followed by its length again."""

from typing import BinaryIO

from attncli.data.video.containers.damage import CUT_SHORT, damaged_at

_KINDS = (8, 9, 18)  # sound, pictures, script
_HEADER = 11


def fits(head: bytes) -> bool:
    """Return whether a file begins as Flash videos do."""
    return head[:3] == b"FLV"


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where the last tag reaches beyond the file, or where no tag is."""
    file.seek(5)
    at = int.from_bytes(file.read(4), "big") + 4
    while at < size:
        file.seek(at)
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            return CUT_SHORT
        if header[0] & 0x1F not in _KINDS:
            return damaged_at(at)
        at += _HEADER + int.from_bytes(header[1:4], "big") + 4
    return CUT_SHORT if at - 4 > size else None  # some lack the very last length

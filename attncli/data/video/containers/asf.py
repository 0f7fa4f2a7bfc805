"""WMV and ASF: objects of an id, a length and a content (Microsoft's ASF specification, section 3).

The header's file properties say how long the file is, and how long its packets are.
"""

from typing import BinaryIO
from uuid import UUID

from attncli.data.video.containers.damage import CUT_SHORT, damaged_at

_HEADER = UUID("75b22630-668e-11cf-a6d9-00aa0062ce6c").bytes_le
_PROPERTIES = UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le
_DATA = UUID("75b22636-668e-11cf-a6d9-00aa0062ce6c").bytes_le
_LIVE = 1
"""Flag of a stream whose length was not known when its header was written."""


def fits(head: bytes) -> bool:
    """Return whether a file begins as ASF files do."""
    return head[:16] == _HEADER


def find_damage(file: BinaryIO, size: int) -> str | None:
    """Return `cut short` where the file is shorter than it says, or where an empty packet is."""
    header_end = _integer(file, 16, 8)
    file.seek(0)
    header = file.read(min(header_end, size))
    at = header.find(_PROPERTIES)
    if at < 0 or at + 100 > len(header):
        return None
    file_size, n_packets = _integer(file, at + 40, 8), _integer(file, at + 56, 8)
    flags, packet = _integer(file, at + 88, 4), _integer(file, at + 92, 4)
    if flags & _LIVE:
        return None
    if file_size > size:
        return CUT_SHORT
    file.seek(header_end)
    if packet < 16 or file.read(16) != _DATA:
        return None
    first = header_end + 50
    for start in range(first, min(first + n_packets * packet, size), packet):
        file.seek(start)
        if not any(file.read(16)):
            return damaged_at(start)
    return None


def _integer(file: BinaryIO, at: int, width: int) -> int:
    file.seek(at)
    return int.from_bytes(file.read(width), "little")

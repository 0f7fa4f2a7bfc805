"""What a container says about its own length in bytes: how a file cut short is told."""

from pathlib import Path

_MATROSKA = bytes.fromhex("1a45dfa3")
_MATROSKA_SEGMENT = bytes.fromhex("18538067")


def is_cut_short(path: Path) -> bool:
    """Return whether the file ends before the place where its AVI or Matroska header says it does.

    FFmpeg reads such a file without complaint as far as it goes. Other containers, and headers that
    leave the length open, are never held to be cut short: MP4 without its end cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    announced = _announced_bytes(head)
    return announced is not None and path.stat().st_size < announced


def _announced_bytes(head: bytes) -> int | None:
    if head[:4] == b"RIFF":
        size = int.from_bytes(head[4:8], "little")
        return None if size == 0xFFFFFFFF else 8 + size
    segment = head.find(_MATROSKA_SEGMENT)
    if not head.startswith(_MATROSKA) or segment < 0 or segment + 12 > len(head):
        return None
    # EBML: the leading zero bits of the first byte give the number of bytes that follow it.
    at = segment + len(_MATROSKA_SEGMENT)
    width = 9 - head[at].bit_length()
    unknown = (1 << 7 * width) - 1
    size = int.from_bytes(head[at : at + width], "big") & unknown
    return None if size == unknown else at + width + size

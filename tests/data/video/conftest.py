"""Files whose headers say what is not so, and tests that know nothing of each other's files."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from attncli.data.video import decoding


@pytest.fixture(autouse=True)
def _forget() -> None:
    decoding._remembered.clear()


@pytest.fixture
def lie_about_length() -> Callable[[Path, int], Path]:
    """Copies an AVI file, with another number of frames in both its headers."""

    def lie(path: Path, n_frames: int) -> Path:
        content = bytearray(path.read_bytes())
        struct.pack_into("<I", content, content.index(b"avih") + 8 + 16, n_frames)
        struct.pack_into("<I", content, content.index(b"strh") + 8 + 32, n_frames)
        copy = path.with_name(f"lie{n_frames}.avi")
        copy.write_bytes(content)
        shutil.copystat(path, copy)
        return copy

    return lie


@pytest.fixture
def pack_b_frames() -> Callable[[bytes], bytes]:
    """Puts each B-frame into the packet before its own and an empty picture in its place.

    So DivX and XviD stored them for Video for Windows, and so half of UCF101 is stored.
    """

    def pack(content: bytes) -> bytes:
        start, movie, end = b"\x00\x00\x01\xb6", content.index(b"movi"), content.index(b"idx1")
        packets, at = [], movie + 4
        while at < end:
            (size,) = struct.unpack_from("<I", content, at + 4)
            packets.append(content[at + 8 : at + 8 + size])
            at += 8 + size + size % 2
        marked = packets[0].replace(start, b"\x00\x00\x01\xb2DivX503b1393p" + start, 1)
        packed = [marked]
        for packet in packets[1:]:
            if packet[packet.index(start) + 4] >> 6 == 2:  # a B-frame
                packed[-1] += packet
                packet = start + b"\x50\x5f"
            packed.append(packet)
        chunks = [
            b"00dc" + struct.pack("<I", len(packet)) + packet + bytes(len(packet) % 2)
            for packet in packed
        ]
        body = b"movi" + b"".join(chunks)
        changed = content[: movie - 4] + struct.pack("<I", len(body)) + body
        return changed[:4] + struct.pack("<I", len(changed) - 8) + changed[8:]

    return pack

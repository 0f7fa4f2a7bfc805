"""Damage of image files that Pillow reads without a word.

It fills up what is missing of a JPEG file with grey, and checks no sum of a PNG file's pixels.
"""

import io
import re

import av
from av.error import InvalidDataError
from PIL import Image

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker that may follow the data of a scan: neither an escaped 255 nor a restart in it."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


def damage(content: bytes) -> str | None:
    """Return what is wrong with a JPEG or PNG file, in one clause; None where nothing is.

    What follows the end of a JPEG image, as the film that some phones add, does not matter.
    """
    if content.startswith(_JPEG):
        return _jpeg_damage(content)
    return _png_damage(content) if content.startswith(_PNG) else None


def _png_damage(content: bytes) -> str | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.verify()
    except Exception:  # whatever a broken file makes its decoder raise
        return "is damaged: part of its PNG data is missing or wrong"
    return None


def _jpeg_damage(content: bytes) -> str | None:
    end = _end(content)
    if end is None:
        return "is cut short: its JPEG data has no end"
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    try:
        decoder.decode(av.Packet(content[:end]))
    except InvalidDataError:
        return "is damaged: part of its JPEG data is missing or wrong"
    except av.FFmpegError:  # a kind of JPEG that this decoder does not know
        pass
    return None


def _end(content: bytes) -> int | None:
    """Return where the image ends, found from marker to marker; None where it does not."""
    place = 2
    while place + 4 <= len(content) or content[place : place + 2] == bytes((0xFF, _END_OF_IMAGE)):
        kind = content[place + 1]
        if kind == _END_OF_IMAGE:
            return place + 2
        if kind == 0xFF:  # a byte that fills up
            place += 1
            continue
        if kind not in _WITHOUT_LENGTH:
            place += int.from_bytes(content[place + 2 : place + 4], "big")
        place += 2
        if kind == _START_OF_SCAN:
            following = _AFTER_SCAN.search(content, place)
            place = len(content) if following is None else following.start()
    return None

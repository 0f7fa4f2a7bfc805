"""What a container says of its own parts: how a file that lacks some of them is told.

FFmpeg reads a file cut short, or with a hole in it, without complaint: it goes on as far as it can,
or at the next place that makes sense. So the parts are walked through here, by their own lengths.
Containers without lengths (MPEG's program streams), and headers that leave them open, are never
held to be broken.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from attncli.data.video.containers import asf, avi, flv, matroska, mp4, mpegts

_WALKS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int], str | None]], ...] = (
    (avi.fits, avi.find_damage),
    (matroska.fits, matroska.find_damage),
    (mp4.fits, mp4.find_damage),
    (asf.fits, asf.find_damage),
    (flv.fits, flv.find_damage),
    (mpegts.fits, mpegts.find_damage),
)


def find_damage(path: Path) -> str | None:
    """Return what is wrong with the parts of a file, such as `cut short`; None where nothing is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(512)
        walk = next((walk for fits, walk in _WALKS if fits(head)), None)
        return None if walk is None else walk(file, size)

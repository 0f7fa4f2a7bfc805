"""How fast a video is played."""

from fractions import Fraction
from pathlib import Path

from attncli.data.video.decoding import opened

FOLDER_RATE = Fraction(25)
"""Frames per second of a directory of images, which says nothing about it; UCF101's own rate."""


def frame_rate(path: Path) -> Fraction:
    """Return the video's frames per second, as its container gives them on average.

    Raises:
        UnreadableVideoError: The video is missing or no video.
    """
    if path.is_dir():
        return FOLDER_RATE
    with opened(path) as source:
        return source.stream.average_rate or FOLDER_RATE

"""How fast a video is played."""

from fractions import Fraction
from pathlib import Path

import av

from attncli.data.decoding import UnreadableVideoError

FOLDER_RATE = Fraction(25)
"""Frames per second of a directory of images, which says nothing about it; UCF101's own rate."""


def frame_rate(path: Path) -> Fraction:
    """Return the video's frames per second, as its container gives them on average.

    Raises:
        UnreadableVideoError: The video is missing or no video.
    """
    if path.is_dir():
        return FOLDER_RATE
    try:
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate
    except (av.FFmpegError, IndexError) as error:
        raise UnreadableVideoError("is no video", where=path) from error
    return rate or FOLDER_RATE

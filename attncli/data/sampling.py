"""Which frames of a video make a clip.

A clip of `frames` frames taken every `stride`-th spans `frames x stride` consecutive frames of its
video: with the paper's 16 and 4, every fourth of 64 (Object-ABN, section 4).
"""

from typing import Literal

import numpy as np
from jaxtyping import Int64

from attncli.errors import AttncliError


class ShortVideoError(AttncliError):
    """A video has fewer frames than a clip spans, and `--short-videos error` forbids to fill up."""


def clip_indices(
    n_frames: int,
    *,
    frames: int,
    stride: int,
    start: Literal["random", "centre"],
    short_videos: Literal["loop", "clamp", "error"],
    generator: np.random.Generator,
) -> Int64[np.ndarray, " t"]:
    """Return the positions of a clip's frames in its video, counted from 0.

    A video with fewer frames than the clip spans is taken from its first frame on; what lies
    beyond its end is filled as `short_videos` says.

    Args:
        n_frames: Frames of the video, at least 1.
        frames: Frames of the clip.
        stride: Distance of two neighbouring frames of the clip.
        start: `random` draws the first frame uniformly from all that leave room for the span;
            `centre` leaves equally many frames before and after it, one more after when odd.
        short_videos: `loop` begins again with the first frame, `clamp` holds the last one.
        generator: Where the random start is drawn from; one number is drawn, or none.

    Raises:
        ShortVideoError: The video is shorter than the span and `short_videos` is `error`.

    >>> clip_indices(
    ...     10, frames=4, stride=3, start="centre", short_videos="loop",
    ...     generator=np.random.default_rng(0),
    ... )
    array([0, 3, 6, 9])
    """
    span = frames * stride
    room = n_frames - span
    if room < 0 and short_videos == "error":
        raise ShortVideoError(
            f"has {n_frames} frames where a clip spans {span}",
            remedy="use --short-videos loop or clamp",
        )
    first = 0
    if room > 0:
        first = int(generator.integers(room + 1)) if start == "random" else room // 2
    indices = np.arange(first, first + span, stride, dtype=np.int64)
    return indices % n_frames if short_videos == "loop" else np.minimum(indices, n_frames - 1)

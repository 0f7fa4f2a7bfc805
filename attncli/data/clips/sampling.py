"""Which frames of a video make a clip.

Dense: a clip of t frames taken every `stride`-th spans t x stride consecutive frames of its video;
with Object-ABN's 16 and 4, every fourth of 64, with ST-ABN's 32x2, every second of 64.

Uniform: the n frames of the video are cut into t equal parts, the i-th from i n/t up to, not
including, (i + 1) n/t, and each gives one frame (ST-ABN's 32, after TSN). Where n < t frames repeat
by themselves. `uniform-floor` cuts parts of floor(n/t) whole frames instead, as the reference code
of ST-ABN does in training: with n < 2t only the first t frames are ever seen, with n < t only the
first. Validation takes the middle of the real-valued parts either way, as that code does in tests.

Dense clips differ from that code's in two ways. Where n - t x stride is odd, a validation clip has
two middle starts: it takes the later one, here it is the earlier. Of a video shorter than t x
stride it takes every stride-th frame and repeats the last of them that comes before the video's
last; here `short_videos` says how the clip goes on: with the first frame again, or with the last.
"""

from typing import Literal

import numpy as np
from jaxtyping import Int64

from attncli.config.training import ClipConfig, Sampling
from attncli.errors import AttncliError

ShortVideos = Literal["loop", "clamp", "error"]


class ShortVideoError(AttncliError):
    """A video has fewer frames than a clip spans, and `--short-videos error` forbids to fill up."""


def clip_indices(
    n_frames: int,
    *,
    sampling: Sampling,
    frames: int,
    stride: int,
    start: Literal["random", "centre"],
    short_videos: ShortVideos,
    generator: np.random.Generator,
) -> Int64[np.ndarray, " t"]:
    """Return the positions of a clip's frames in its video, counted from 0.

    Args:
        n_frames: Frames of the video, at least 1.
        sampling: How the clip's frames lie in the video.
        frames: Frames of the clip.
        stride: Distance of two neighbouring frames of a dense clip.
        start: `random` draws the first frame of a dense clip from all that leave room for its
            span, and the frame within each part of a uniform one; `centre` takes the middle, the
            earlier one where there are two.
        short_videos: How a dense clip goes on beyond the video's end: `loop` begins again with
            the first frame, `clamp` holds the last one. `error` refuses a video that has fewer
            frames than the clip spans, in uniform sampling than it has parts.
        generator: Where random places are drawn from.

    Raises:
        ShortVideoError: The video is too short and `short_videos` is `error`.

    >>> clip_indices(
    ...     10, sampling="dense", frames=4, stride=3, start="centre", short_videos="loop",
    ...     generator=np.random.default_rng(0),
    ... )
    array([0, 3, 6, 9])
    """
    span = frames * stride if sampling == "dense" else frames
    _require_length(n_frames, span, short_videos)
    if sampling == "dense":
        room = max(0, n_frames - span)
        first = int(generator.integers(room + 1)) if start == "random" else room // 2
        return _filled(np.arange(first, first + span, stride), n_frames, short_videos)
    if start == "centre":
        return _middles(n_frames, frames)
    if sampling == "uniform":
        places = (np.arange(frames) + generator.random(frames)) * n_frames / frames
        return np.minimum(places.astype(np.int64), n_frames - 1)  # rounding may reach the end
    width = n_frames // frames
    return np.arange(frames) * width + generator.integers(max(1, width), size=frames)


def covering_indices(n_frames: int, config: ClipConfig) -> Int64[np.ndarray, "p t"]:
    """Return clips that between them show every frame of a video at least once.

    Dense clips tile the video, the last one ends with it, and each tile is gone through once for
    every offset below the stride. Uniform clips cut the video into as many times more parts as
    there are clips and take turns; a single one is the validation clip.

    Args:
        n_frames: Frames of the video, at least 1.
        config: How clips are sampled.

    Raises:
        ShortVideoError: The video is too short and `config.short_videos` is `error`.
    """
    frames = config.frames
    if config.sampling != "dense":
        _require_length(n_frames, frames, config.short_videos)
        passes = -(-n_frames // frames)
        return _middles(n_frames, passes * frames).reshape(frames, passes).T
    stride, span = config.frame_stride, frames * config.frame_stride
    _require_length(n_frames, span, config.short_videos)
    last = max(0, n_frames - span)
    tiles = np.append(np.arange(0, last, span), last)
    offsets = np.arange(min(stride, n_frames))
    starts = (tiles[:, None] + offsets).reshape(-1, 1)
    return _filled(starts + np.arange(0, span, stride), n_frames, config.short_videos)


def _require_length(n_frames: int, span: int, short_videos: ShortVideos) -> None:
    if n_frames < span and short_videos == "error":
        raise ShortVideoError(
            f"has {n_frames} frames, fewer than the {span} of a clip",
            remedy="use --short-videos loop or clamp",
        )


def _filled(
    indices: Int64[np.ndarray, "*p t"], n_frames: int, short_videos: ShortVideos
) -> Int64[np.ndarray, "*p t"]:
    return indices % n_frames if short_videos == "loop" else np.minimum(indices, n_frames - 1)


def _middles(n_frames: int, parts: int) -> Int64[np.ndarray, " parts"]:
    """Return the frame at the middle of each of `parts` equal parts of the video."""
    return (2 * np.arange(parts) + 1) * n_frames // (2 * parts)

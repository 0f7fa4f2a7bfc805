from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.data.sampling import ShortVideoError, clip_indices


def _indices(n_frames, *, frames=16, stride=4, start="centre", short_videos="loop", seed=0):
    return clip_indices(
        n_frames,
        frames=frames,
        stride=stride,
        start=start,
        short_videos=short_videos,
        generator=np.random.default_rng(seed),
    ).tolist()


def test_a_clip_is_every_fourth_of_64_consecutive_frames():
    expected = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]
    assert _indices(64) == _indices(64, start="random") == expected


def test_a_centred_clip_leaves_as_many_frames_before_as_after_it():
    # 100 - 64 = 36 frames to spare, 18 on each side; 101 leave one more behind.
    expected = [18, 22, 26, 30, 34, 38, 42, 46, 50, 54, 58, 62, 66, 70, 74, 78]
    assert _indices(100) == _indices(101) == expected


def test_a_random_start_takes_every_possible_place_equally_often():
    # Span 6 in 9 frames: it may start at 0, 1, 2 or 3.
    generator = np.random.default_rng(0)
    starts = Counter(
        clip_indices(
            9, frames=3, stride=2, start="random", short_videos="error", generator=generator
        )[0]
        for _ in range(4000)
    )
    assert set(starts) == {0, 1, 2, 3}
    assert all(abs(count - 1000) < 120 for count in starts.values())


def test_a_short_video_begins_again_at_its_first_frame():
    expected = [0, 4, 8, 12, 16, 20, 24, 28, 2, 6, 10, 14, 18, 22, 26, 0]
    assert _indices(30) == _indices(30, start="random") == expected


def test_a_short_video_may_hold_its_last_frame():
    expected = [0, 4, 8, 12, 16, 20, 24, 28, 29, 29, 29, 29, 29, 29, 29, 29]
    assert _indices(30, short_videos="clamp") == expected


def test_a_single_frame_fills_a_whole_clip():
    assert _indices(1) == _indices(1, short_videos="clamp") == [0] * 16


def test_a_short_video_may_be_an_error_that_says_what_to_do():
    message = "has 63 frames where a clip spans 64; use --short-videos loop or clamp"
    with pytest.raises(ShortVideoError, match=message):
        _indices(63, short_videos="error")
    assert len(_indices(64, short_videos="error")) == 16


@given(
    n_frames=st.integers(1, 200),
    frames=st.integers(1, 20),
    stride=st.integers(1, 9),
    start=st.sampled_from(["random", "centre"]),
    short_videos=st.sampled_from(["loop", "clamp"]),
    seed=st.integers(0, 99),
)
def test_indices_are_frames_of_the_video(n_frames, frames, stride, start, short_videos, seed):
    indices = _indices(
        n_frames, frames=frames, stride=stride, start=start, short_videos=short_videos, seed=seed
    )
    assert len(indices) == frames
    assert all(0 <= i < n_frames for i in indices)
    if n_frames >= frames * stride:
        assert np.diff(indices).tolist() == [stride] * (frames - 1)

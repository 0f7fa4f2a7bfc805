from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.config.training import ClipConfig
from attncli.data.clips.sampling import ShortVideoError, clip_indices, covering_indices


def _indices(
    n_frames,
    *,
    sampling="dense",
    frames=16,
    stride=4,
    start="centre",
    short_videos="loop",
    seed=0,
):
    return clip_indices(
        n_frames,
        sampling=sampling,
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
            9,
            sampling="dense",
            frames=3,
            stride=2,
            start="random",
            short_videos="error",
            generator=generator,
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
    message = "has 63 frames, fewer than the 64 of a clip; use --short-videos loop or clamp"
    with pytest.raises(ShortVideoError, match=message):
        _indices(63, short_videos="error")
    assert len(_indices(64, short_videos="error")) == 16


def _drawn(n_frames, *, draws=2000, **settings):
    return np.array([_indices(n_frames, start="random", seed=k, **settings) for k in range(draws)])


def test_uniform_training_clips_draw_a_frame_from_each_equal_part_of_the_video():
    # Parts of 10/4 = 2.5 frames: [0, 2.5), [2.5, 5), [5, 7.5), [7.5, 10). Frame 2 lies half in the
    # first and half in the second, so either gives it with probability 0.5/2.5.
    clips = _drawn(10, sampling="uniform", frames=4)
    expected = [
        {0: 0.4, 1: 0.4, 2: 0.2},
        {2: 0.2, 3: 0.4, 4: 0.4},
        {5: 0.4, 6: 0.4, 7: 0.2},
        {7: 0.2, 8: 0.4, 9: 0.4},
    ]
    for part, shares in zip(clips.T, expected, strict=True):
        counts = Counter(part.tolist())
        assert counts.keys() == shares.keys()
        assert all(abs(counts[i] / len(part) - share) < 0.05 for i, share in shares.items())


def test_uniform_validation_clips_take_the_middle_of_each_part():
    # Middles of parts of 2.5: 1.25, 3.75, 6.25, 8.75; of 45/32 frames: (i + 0.5) 1.40625.
    for sampling in ("uniform", "uniform-floor"):
        assert _indices(10, sampling=sampling, frames=4) == [1, 3, 6, 8]
        clip = _indices(45, sampling=sampling, frames=32)
        assert clip == [int((i + 0.5) * 45 / 32) for i in range(32)]
        assert (clip[0], clip[-1]) == (0, 44)


def test_a_short_video_fills_a_uniform_clip_by_itself():
    assert _indices(3, sampling="uniform", frames=6) == [0, 0, 1, 1, 2, 2]
    assert _drawn(3, sampling="uniform", frames=6).tolist() == [[0, 0, 1, 1, 2, 2]] * 2000


def test_uniform_parts_of_whole_frames_leave_the_end_of_the_video_unseen():
    # The reference code: parts of floor(45/32) = 1 frame are the first 32; of floor(70/32) = 2 the
    # first 64; of floor(31/32) = 0 the first frame alone.
    assert (_drawn(45, sampling="uniform-floor", frames=32, draws=9) == np.arange(32)).all()
    wide = _drawn(70, sampling="uniform-floor", frames=32)
    assert set(wide[:, 3]) == {6, 7}
    assert wide.max() == 63
    assert not _drawn(31, sampling="uniform-floor", frames=32, draws=9).any()


def test_a_video_with_fewer_frames_than_a_uniform_clip_may_be_an_error():
    for sampling in ("uniform", "uniform-floor"):
        with pytest.raises(ShortVideoError, match="has 31 frames, fewer than the 32 of a clip"):
            _indices(31, sampling=sampling, frames=32, short_videos="error")
        assert len(_indices(32, sampling=sampling, frames=32, short_videos="error")) == 32


@given(
    n_frames=st.integers(1, 400),
    frames=st.integers(1, 40),
    seed=st.integers(0, 99),
    sampling=st.sampled_from(["uniform", "uniform-floor"]),
    start=st.sampled_from(["random", "centre"]),
)
def test_uniform_indices_are_frames_of_the_video_in_their_order(
    n_frames, frames, seed, sampling, start
):
    indices = _indices(n_frames, sampling=sampling, frames=frames, start=start, seed=seed)
    assert len(indices) == frames
    assert indices == sorted(indices)
    assert 0 <= indices[0] <= indices[-1] < n_frames
    if sampling == "uniform" or start == "centre":
        for part, i in enumerate(indices):
            assert i + 1 > part * n_frames / frames
            assert i < (part + 1) * n_frames / frames


def _config(**changes):
    values = {"frames": 4, "frame_stride": 1, "short_videos": "clamp"}
    return ClipConfig(data=Path(), **(values | changes))


def test_dense_clips_cover_a_video_by_tiles_and_a_last_one_that_ends_with_it():
    assert covering_indices(10, _config()).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [6, 7, 8, 9]]
    assert covering_indices(8, _config()).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert covering_indices(3, _config()).tolist() == [[0, 1, 2, 2]]
    assert covering_indices(3, _config(short_videos="loop")).tolist() == [[0, 1, 2, 0]]


def test_dense_clips_with_a_stride_go_through_each_tile_once_for_every_offset():
    assert covering_indices(10, _config(frames=3, frame_stride=2)).tolist() == [
        [0, 2, 4],
        [1, 3, 5],
        [4, 6, 8],
        [5, 7, 9],
    ]


def test_uniform_clips_cover_a_video_by_turns_over_finer_parts():
    clips = covering_indices(10, _config(sampling="uniform", frames=5))
    assert clips.tolist() == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    # Pass k of 3 takes (i + (k + 0.5)/3) 10/4, floored: 0.42, 2.92 ..; 1.25, 3.75 ..; 2.08 ..
    clips = covering_indices(10, _config(sampling="uniform"))
    assert clips.tolist() == [[0, 2, 5, 7], [1, 3, 6, 8], [2, 4, 7, 9]]


def test_a_single_uniform_pass_is_the_validation_clip():
    for n_frames in (3, 30, 32):
        (clip,) = covering_indices(n_frames, _config(sampling="uniform", frames=32)).tolist()
        assert clip == _indices(n_frames, sampling="uniform", frames=32)


def test_a_video_too_short_to_be_covered_may_be_an_error():
    for sampling in ("dense", "uniform"):
        with pytest.raises(ShortVideoError):
            covering_indices(3, _config(sampling=sampling, short_videos="error"))


@given(
    n_frames=st.integers(1, 300),
    frames=st.integers(1, 40),
    stride=st.integers(1, 9),
    sampling=st.sampled_from(["dense", "uniform", "uniform-floor"]),
    short_videos=st.sampled_from(["loop", "clamp"]),
)
def test_covering_clips_show_every_frame_and_nothing_else(
    n_frames, frames, stride, sampling, short_videos
):
    stride = stride if sampling == "dense" else 1
    config = _config(
        frames=frames, frame_stride=stride, sampling=sampling, short_videos=short_videos
    )
    clips = covering_indices(n_frames, config)
    assert clips.shape[1] == frames
    assert clips.dtype == np.int64
    assert set(clips.ravel().tolist()) == set(range(n_frames))
    if sampling != "dense":
        assert len(clips) == -(-n_frames // frames)
    elif n_frames >= frames * stride:
        assert (np.diff(clips, axis=1) == stride).all()
        assert len(clips) == -(-n_frames // (frames * stride)) * stride


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

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from attncli.data.video import decoding
from attncli.data.video.reading import (
    UnreadableVideoError,
    count_frames,
    frame_size_hw,
    iterate_frames,
    read_clip,
    read_frames,
    remark_on,
    write_video,
)

UCF101 = Path(__file__).parents[4] / "shared" / "data" / "UCF101" / "UCF-101"


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mp4", "libx264")])
def test_a_file_reads_as_a_plain_decoder_reads_it(make_video, decode_naively, name, codec):
    path = make_video(name, 20, codec=codec, bf="2", g="6")
    expected = decode_naively(path)
    assert count_frames(path) == len(expected) == 20
    assert frame_size_hw(path) == (48, 64)
    np.testing.assert_array_equal(np.stack(list(iterate_frames(path))), expected)
    np.testing.assert_array_equal(read_frames(path, [19, 3, 3]), expected[[19, 3, 3]])


def test_a_clip_is_chosen_by_the_content_not_the_header(
    make_video, decode_naively, lie_about_length
):
    def last_three(n):
        return np.arange(n - 3, n)

    for lie in (5, 25, 4000):
        path = lie_about_length(make_video("a.avi", 40), lie)
        decoding._remembered.clear()
        clip = read_clip(path, last_three)
        assert clip.indices.tolist() == [37, 38, 39]
        np.testing.assert_array_equal(clip.frames, decode_naively(path)[37:])


def test_a_missing_video_is_named(tmp_path):
    for read in (count_frames, frame_size_hw, lambda p: read_frames(p, [0])):
        with pytest.raises(UnreadableVideoError, match=r"gone\.avi: no such video"):
            read(tmp_path / "gone.avi")


def test_a_frame_the_video_does_not_have_is_an_index_error(make_video):
    path = make_video("a.avi", 10)
    for indices in ([10], [0, -1]):
        with pytest.raises(IndexError, match="among 10"):
            read_frames(path, indices)


def test_frames_can_be_scaled_while_they_are_read(make_video):
    path = make_video("a.avi", 10, size_hw=(48, 64))
    assert frame_size_hw(path) == (48, 64)
    assert read_frames(path, [1, 5], short_side_px=24).shape == (2, 24, 32, 3)
    assert read_frames(path, [1, 5], short_side_px=96).shape == (2, 96, 128, 3)
    full, half = read_frames(path, [3]), read_frames(path, [3], short_side_px=24)
    means = full.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    green = 1  # follows brightness; colour is stored for two by two pixels
    assert np.corrcoef(means[..., green].ravel(), half[0, ..., green].ravel())[0, 1] > 0.95


def test_clips_come_in_the_size_that_is_asked_for_their_own(make_video):
    path = make_video("a.avi", 10, size_hw=(48, 64))
    reduced = read_clip(path, lambda n: np.array([0]), resize=lambda hw: (hw[0] // 2, hw[1] // 4))
    assert reduced.frames.shape == (1, 24, 16, 3)
    kept = read_clip(path, lambda n: np.array([0]))
    assert kept.frames.shape == (1, 48, 64, 3)
    assert reduced.size_hw == kept.size_hw == (48, 64)
    assert reduced.n_frames == kept.n_frames == 10


@pytest.mark.parametrize("pattern", ["{:06d}.jpg", "img_{}.png"])
def test_a_directory_of_images_stands_in_for_a_video(tmp_path, frames_of, pattern):
    frames = frames_of(12)
    folder = tmp_path / "v_Archery_g01_c01"
    folder.mkdir()
    for i, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / pattern.format(i), quality=95)
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no frame")
    assert count_frames(folder) == read_clip(folder, lambda n: np.array([0])).n_frames == 12
    assert frame_size_hw(folder) == (48, 64)
    tolerance = 30 if pattern.endswith("jpg") else 0
    shown = np.stack(list(iterate_frames(folder))).astype(int)
    assert np.abs(shown - frames).mean() <= tolerance
    np.testing.assert_array_equal(read_frames(folder, [11, 1, 11]), shown[[11, 1, 11]])
    assert read_frames(folder, [2], short_side_px=24).shape == (1, 24, 32, 3)
    with pytest.raises(IndexError, match="among 12"):
        read_frames(folder, [12])


def test_bad_images_in_a_directory_are_named(tmp_path, frames_of):
    folder = tmp_path / "frames"
    folder.mkdir()
    with pytest.raises(UnreadableVideoError, match="frames: holds no images"):
        count_frames(folder)
    Image.fromarray(frames_of(1)[0]).save(folder / "1.png")
    Image.fromarray(frames_of(1, (24, 32))[0]).save(folder / "2.png")
    with pytest.raises(UnreadableVideoError, match=r"2\.png is 32x24, not 64x48"):
        read_frames(folder, [0, 1])
    (folder / "2.png").write_bytes((folder / "1.png").read_bytes()[:100])
    with pytest.raises(UnreadableVideoError, match="frames: a frame cannot be used"):
        list(iterate_frames(folder))


@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    n=st.integers(1, 12),
    size_hw=st.tuples(st.integers(16, 40), st.integers(16, 40)),
    suffix=st.sampled_from([".mp4", ".avi", ".webm"]),
)
def test_written_videos_read_back_close_to_what_they_were(tmp_path, n, size_hw, suffix):
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    ramps = [np.stack([rows * 4, columns * 4, rows * 0 + 10 * i], axis=-1) for i in range(n)]
    path = tmp_path / f"a{suffix}"
    write_video(path, [ramp.astype(np.uint8) for ramp in ramps], 25)
    read = np.stack(list(iterate_frames(path)))
    assert read.shape[:3] == (n, size_hw[0] + size_hw[0] % 2, size_hw[1] + size_hw[1] % 2)
    assert np.abs(read[:, : size_hw[0], : size_hw[1]] - np.stack(ramps).astype(int)).mean() < 8


def test_a_video_that_cannot_be_written_whole_is_not_there(tmp_path, frames_of):
    def broken():
        yield frames_of(1)[0]
        raise RuntimeError("stop")

    for frames, error in ((broken(), RuntimeError), (iter(()), ValueError)):
        with pytest.raises(error):
            write_video(tmp_path / "a.mp4", frames, 25)
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not UCF101.is_dir(), reason="no UCF101 here")
def test_real_videos_read_as_a_plain_decoder_reads_them(decode_naively):
    names = ("Archery/v_Archery_g03_c02", "Basketball/v_Basketball_g12_c01")
    for path in (UCF101 / f"{name}.avi" for name in names):  # packed B-frames; dropped frames
        expected = decode_naively(path)
        assert count_frames(path) == len(expected)
        for first in (0, 13, 50, len(expected) - 61):
            indices = np.arange(first, first + 61, 4)
            np.testing.assert_array_equal(read_frames(path, indices), expected[indices])


def test_a_header_that_announces_more_than_there_is_leads_to_a_remark(make_video, lie_about_length):
    path = make_video("a.avi", 40)
    assert remark_on(path) is None
    assert read_clip(path, lambda n: np.array([0])).remark is None
    path = lie_about_length(path, 4000)
    said = "has 40 frames, its header announces 4000"
    for _ in range(2):
        assert remark_on(path) == said
        assert read_clip(path, lambda n: np.array([0])).remark == said


def test_gaps_in_a_directory_of_images_lead_to_a_remark(tmp_path, frames_of):
    for number, frame in zip((1, 2, 4), frames_of(3), strict=True):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    clip = read_clip(tmp_path, lambda n: np.arange(n))
    assert (clip.n_frames, clip.remark) == (3, remark_on(tmp_path))
    assert clip.remark == "no frame between 2.png and 4.png (1 is missing)"

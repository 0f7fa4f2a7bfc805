import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from attncli.data.video.reading import count_frames, frame_size_hw, iterate_frames, read_clip

# a, b, c and d of a display matrix, and the same turn of a picture by numpy
TURNS = {
    "as it is": ((1, 0, 0, 1), lambda p: p),
    "a quarter clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "half": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "a quarter counterclockwise": ((0, -1, 1, 0), np.rot90),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "upside down": ((1, 0, 0, -1), np.flipud),
    "transposed": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
    "transposed the other way": ((0, -1, -1, 0), lambda p: np.rot90(p, 2).swapaxes(0, 1)),
}


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the matrix into the only track header of an MP4 file."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", TURNS)
def test_videos_are_shown_the_way_up_their_display_matrix_asks_for(
    make_video, decode_naively, name
):
    matrix, turn = TURNS[name]
    path = make_video("a.mp4", 6, codec="libx264")
    stored = decode_naively(path)
    expected = np.stack([turn(frame) for frame in stored])
    turned(path, matrix)
    assert frame_size_hw(path) == expected.shape[1:3]
    np.testing.assert_array_equal(np.stack(list(iterate_frames(path))), expected)
    clip = read_clip(path, lambda n: np.array([0, 4, 2]))
    assert (clip.size_hw, count_frames(path)) == (expected.shape[1:3], 6)
    np.testing.assert_array_equal(clip.frames, expected[[0, 4, 2]])


def test_turned_videos_are_resized_as_they_are_shown(make_video):
    path = turned(make_video("a.mp4", 2, codec="libx264"), TURNS["a quarter clockwise"][0])
    clip = read_clip(
        path, lambda n: np.array([0]), resize=lambda size: (size[0] // 2, size[1] // 2)
    )
    assert (clip.size_hw, clip.frames.shape[1:3]) == ((64, 48), (32, 24))


def test_quarters_are_turned_as_opencv_turns_them(make_video):
    path = turned(make_video("a.mp4", 1, codec="libx264"), TURNS["a quarter clockwise"][0])
    _, shown = cv2.VideoCapture(str(path)).read()
    difference = next(iterate_frames(path)).astype(int) - shown[:, :, ::-1]
    assert np.abs(difference).mean() < 3

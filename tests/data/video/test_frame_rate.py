from fractions import Fraction

import numpy as np
import pytest

from attncli.data.video.frame_rate import FOLDER_RATE, frame_rate
from attncli.data.video.reading import UnreadableVideoError, write_video


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_the_rate_is_the_one_the_video_was_written_with(tmp_path, fps):
    write_video(tmp_path / "v.avi", [np.zeros((16, 16, 3), np.uint8)] * 5, fps)
    assert float(frame_rate(tmp_path / "v.avi")) == pytest.approx(float(fps), rel=1e-3)


def test_a_directory_of_images_is_played_at_25_frames_per_second(tmp_path):
    assert frame_rate(tmp_path) == FOLDER_RATE == 25


def test_what_is_no_video_has_no_rate(tmp_path):
    (tmp_path / "v.avi").write_text("no video")
    for name in ("v.avi", "missing.avi"):
        with pytest.raises(UnreadableVideoError, match=name):
            frame_rate(tmp_path / name)

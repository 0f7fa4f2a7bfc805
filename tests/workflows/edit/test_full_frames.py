import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.config.edit_temporal import SelectConfig
from attncli.errors import AttncliError
from attncli.workflows.edit.full_frames import RunPictures, pictures_of_run


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video of 20 frames of 24x16 pixels, each of its own grey: a directory of images."""
    (tmp_path / "video").mkdir()
    for frame in range(20):
        grey = np.full((16, 24, 3), 10 * frame, np.uint8)
        Image.fromarray(grey).save(tmp_path / "video" / f"{frame + 1:06}.png")
    return tmp_path / "video"


class Finder:
    """Counts how often it is asked."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = paths
        self.asked = 0

    def __call__(self) -> Mapping[str, Path]:
        self.asked += 1
        return self.paths


def grey_of(jpeg: bytes) -> float:
    image = Image.open(io.BytesIO(jpeg))
    assert image.size == (24, 16)
    return float(np.asarray(image).mean())


def test_frames_are_read_as_they_are_asked_for(video: Path) -> None:
    finder = Finder({"a": video})
    pictures = RunPictures(finder, {"a": 20})
    assert finder.asked == 0
    for frame in (0, 19, 3, 7):
        assert grey_of(pictures.picture("a", frame)) == pytest.approx(10 * frame, abs=2)
    assert finder.asked == 1


def test_a_video_that_is_gone_or_shorter_is_named(video: Path) -> None:
    pictures = RunPictures(Finder({"a": video}), {"a": 30, "b": 20})
    with pytest.raises(AttncliError, match=r"video: has fewer than the 30 frames it had"):
        pictures.picture("a", 25)
    with pytest.raises(AttncliError, match=r"b: no such video in the run's dataset any more"):
        pictures.picture("b", 0)


def test_a_run_that_is_gone_is_named_when_a_picture_is_asked_for(tmp_path: Path) -> None:
    pictures = pictures_of_run(SelectConfig(run=tmp_path / "run"), {"a": 20})
    with pytest.raises(AttncliError, match="no such run"):
        pictures.picture("a", 0)

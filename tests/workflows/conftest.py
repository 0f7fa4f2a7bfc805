"""Videos small enough to be made for every test."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Writes a directory of frames, each of one grey: `step` brighter than the one before."""

    def make(name: str, n: int, *, size_hw: tuple[int, int] = (34, 40), step: int = 5) -> Path:
        folder = tmp_path / "videos" / name
        folder.mkdir(parents=True)
        for frame in range(n):
            picture = np.full((*size_hw, 3), step * frame, dtype=np.uint8)
            cv2.imwrite(os.fspath(folder / f"{frame + 1:06}.png"), picture)
        return folder

    return make

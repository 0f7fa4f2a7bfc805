"""A dataset of a few seconds of video, and settings of a network that trains on it at once."""

from pathlib import Path

import numpy as np
import pytest

from attncli.data.video import write_video

CLASSES = ("Left", "Right", "Up")
FRAMES, HEIGHT, WIDTH = 12, 48, 64
SQUARE = 10


@pytest.fixture(scope="session")
def tiny_ucf101(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset in UCF101's layout: 11 training and 6 validation videos of 3 classes."""
    root = tmp_path_factory.mktemp("data") / "ucf101"
    generator = np.random.default_rng(0)
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, name in enumerate(CLASSES):
        for group in range(1, 7):
            if (name, group) == ("Up", 1):
                continue  # 11 clips make an uneven last batch
            video = f"{name}/v_{name}_g{group:02}_c01.avi"
            write_video(root / "UCF-101" / video, _frames(number, generator), 25)
            label = f" {number + 1}" if group <= 4 else ""
            lists["train" if group <= 4 else "test"].append(video + label)
    folder = root / "ucfTrainTestlist"
    folder.mkdir()
    index = "".join(f"{number + 1} {name}\n" for number, name in enumerate(CLASSES))
    (folder / "classInd.txt").write_text(index)
    for split, lines in lists.items():
        (folder / f"{split}list01.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


def _frames(motion: int, generator: np.random.Generator) -> np.ndarray:
    """Return a bright square that moves left, right or up over noise."""
    frames = generator.integers(0, 60, (FRAMES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for t, frame in enumerate(frames):
        x = (50 - 4 * t, 4 * t, 30)[motion]
        y = (20, 20, 36 - 3 * t)[motion]
        frame[max(y, 0) : y + SQUARE, max(x, 0) : x + SQUARE] = 220
    return frames

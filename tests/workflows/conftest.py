"""Videos small enough to be made for every test, and a few faces."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

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


@pytest.fixture
def trainings() -> Callable[[Path], list[int]]:
    """Returns the processes in whose calls a run is named."""

    def call(process: Path) -> bytes:
        try:
            return (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            return b""

    def named(run: Path) -> list[int]:
        processes = Path("/proc").glob("[0-9]*")
        return [int(process.name) for process in processes if bytes(run) in call(process)]

    return named


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, for as long as it could take on a busy machine."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 900
        while not condition():
            assert time.monotonic() < end, "took too long"
            time.sleep(0.1)

    return wait


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CK+ of six people who show anger, happiness and surprise: 18 sequences of 5 to 11 frames.

    One more sequence has no label.
    """
    root = tmp_path_factory.mktemp("data") / "CK+"
    for person in range(1, 7):
        for number, code in enumerate((1, 5, 7, 0)[: 4 if person == 1 else 3], start=1):
            name = f"S{person:03d}_{number:03d}"
            frames = root / "cohn-kanade-images" / name.replace("_", "/")
            frames.mkdir(parents=True)
            n = 5 + (2 * person + number) % 7
            for frame in range(1, n + 1):
                Image.fromarray(face(code, frame / n)).save(frames / f"{name}_{frame:08d}.png")
            emotion = root / "Emotion" / name.replace("_", "/")
            emotion.mkdir(parents=True)
            if code:
                file = emotion / f"{name}_{n:08d}_emotion.txt"
                file.write_text(f"   {code:.7e}\n")
    return root


def face(code: int, share: float) -> np.ndarray:
    """Return 24x32 grey pixels of which a corner grows bright, another one for each emotion."""
    picture = np.full((24, 32), 90, dtype=np.uint8)
    top, left = {0: (0, 0), 1: (2, 6), 5: (14, 6), 7: (14, 18)}[code]
    picture[top : top + 8, left : left + 8] += np.uint8(150 * share)
    return picture

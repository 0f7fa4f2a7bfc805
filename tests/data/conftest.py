"""Videos made on the spot, each frame unlike every other."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

MakeVideo = Callable[..., Path]


@pytest.fixture
def frames_of() -> Callable[..., np.ndarray]:
    """Textured frames with a square that moves, so that neighbours differ."""

    def make(n: int, size_hw: tuple[int, int] = (48, 64), seed: int = 0) -> np.ndarray:
        height, width = size_hw
        generator = np.random.default_rng(seed)
        texture = generator.integers(0, 200, (height // 4 + 1, (width + n) // 4 + 2, 3), np.uint8)
        texture = texture.repeat(4, axis=0).repeat(4, axis=1)
        frames = np.stack([texture[:height, i : i + width] for i in range(n)])
        for i, frame in enumerate(frames):
            left = 2 * i % (width - 12)
            frame[8:20, left : left + 12] = (255, 16 * i % 256, 0)
        return frames

    return make


@pytest.fixture
def make_video(tmp_path: Path, frames_of: Callable[..., np.ndarray]) -> MakeVideo:
    """Writes a video with any codec and codec options below the test's own directory."""

    def make(
        name: str,
        n: int = 40,
        *,
        codec: str = "mpeg4",
        size_hw: tuple[int, int] = (48, 64),
        seed: int = 0,
        **options: str,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, Fraction(25), options=options)
            stream = cast(av.VideoStream, stream)
            stream.height, stream.width, stream.pix_fmt = *size_hw, "yuv420p"
            for picture in frames_of(n, size_hw, seed):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def decode_naively() -> Callable[[Path], np.ndarray]:
    """What a plain loop over the decoder gives, without any of our code."""

    def decode(path: Path) -> np.ndarray:
        with av.open(str(path)) as container:
            return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])

    return decode

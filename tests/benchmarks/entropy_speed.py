"""Entropy of 10,000 clips' maps: ours against a loop over numpy.histogram; prints JSON.

    python tests/benchmarks/entropy_speed.py [--clips 10000] [--repetitions 5]

Both see the same memory-mapped file, in turns; the median of the turns' ratios counts. The loop is
timed on every tenth clip.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attncli.metrics.entropy import map_entropy

SHAPE_THW = (16, 14, 14)  # the paper's maps
LOOPED_SHARE = 10


def looped_entropy(maps: np.ndarray, bins: int = 10) -> np.ndarray:
    """Return equations 9 and 10 clip by clip and frame by frame, as one would write them down."""
    clip_bits = []
    for clip in maps:
        frame_bits = []
        for frame in clip:
            values = (frame - frame.min()) / (frame.max() - frame.min())
            hist, _ = np.histogram(values, bins=bins, range=(0, 1))
            p = hist[hist > 0] / hist.sum()
            frame_bits.append(-(p * np.log2(p)).sum())
        clip_bits.append(np.mean(frame_bits))
    return np.array(clip_bits)


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spatial.npy"
        shape = (arguments.clips, *SHAPE_THW)
        np.save(path, np.random.default_rng(0).random(shape, dtype=np.float32))
        maps = np.load(path, mmap_mode="r")
        part = maps[::LOOPED_SHARE]
        np.testing.assert_allclose(
            map_entropy(part).clip_bits, looped_entropy(part), rtol=0, atol=1e-12
        )
        turns = [
            (
                seconds(lambda: map_entropy(maps)),
                LOOPED_SHARE * seconds(lambda: looped_entropy(part)),
            )
            for _ in range(arguments.repetitions)
        ]
    ours, loop = (statistics.median(times) for times in zip(*turns, strict=True))
    ratio = statistics.median(loop / ours for ours, loop in turns)
    row = {"clips": arguments.clips, "ours_sec": ours, "histogram_loop_sec": loop, "ratio": ratio}
    print(json.dumps({name: round(value, 3) for name, value in row.items()}))


if __name__ == "__main__":
    main()

"""Peak memory of `attncli segment` on a video and on one ten times as long.

Run: uv run python tests/benchmarks/segment_memory.py
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attncli.data.video.reading import write_video

SIZE_HW = (240, 320)


def frames(n_frames: int) -> Iterator[np.ndarray]:
    sheet = np.random.default_rng(0).integers(0, 255, (300, 600, 3), dtype=np.uint8)
    for i in range(n_frames):
        yield sheet[10:250, (i % 200) : (i % 200) + 320]


def peak_mib(n_frames: int, options: list[str]) -> float:
    """Return the peak resident memory of segmenting one video of `n_frames` frames."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_video(root / "data" / "Moving" / "v.avi", frames(n_frames), 25.0)
        words = ["segment", str(root / "data"), "-o", str(root / "masks"), *options]
        measured = (
            "import resource, sys; from attncli.cli import run; code = run(sys.argv[1:]); "
            "print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
        )
        command = [sys.executable, "-c", measured, *words]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(answer.stdout.rsplit("PEAK", 1)[1]) / 1024


def growth_percent(n_frames: int, options: list[str]) -> tuple[float, float, float]:
    """Return the peaks of a video and of one ten times as long, and by how much they differ."""
    short, long = (peak_mib(n, options) for n in (n_frames, 10 * n_frames))
    return short, long, 100 * (long / short - 1)


if __name__ == "__main__":
    short, long, percent = growth_percent(200, ["--backend", "motion", *sys.argv[1:]])
    print(f"200 frames: {short:.0f} MiB, 2000 frames: {long:.0f} MiB, {percent:+.1f} %")

"""Scatter of C-DPCF with a random projection of channels and without one; prints JSON.

    OMP_NUM_THREADS=1 python tests/benchmarks/c_dpcf.py [--images 96] [--channels 2048] [--rows 48]

Maps are as PCB's last ones, 24x8 positions of 2,048 channels, of 16 images a person by four
cameras. All ways take turns, in batches; times are of one image in ms of one processor, the best of
the turns, as other work on the machine only adds:

- `scatter_ms`: maps that were projected before, which the report's "30 times" is about;
- `projected_ms`: with the projection counted;
- `whole_ms`: all channels.

Each covers the sums over images and the scatter matrices of all cameras, not the eigenproblem,
which is the same in all. Ends with an error where a projection on as many rows as channels, of few,
gives other scatter than none.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from attncli.methods.reid.scatter import Scatter, ScatterSums, random_projection

HW = (24, 8)
BATCH = 16


def scatter_of(
    maps: np.ndarray, identities: np.ndarray, cameras: list[str], projection: np.ndarray | None
) -> Scatter:
    """Return the scatter of maps, added up batch by batch."""
    sums = ScatterSums(projection)
    for first in range(0, len(maps), BATCH):
        rows = slice(first, first + BATCH)
        sums.add(maps[rows], identities[rows], cameras[rows])
    return sums.scatter()


def milliseconds(call: Callable[[], object], images: int) -> float:
    """Return how much processor time a call takes an image."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3 / images


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--channels", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    n, c = arguments.images, arguments.channels
    rng = np.random.default_rng(0)
    maps = np.maximum(rng.standard_normal((n, c, *HW), dtype=np.float32), 0)
    people = (np.arange(n) // 16, [str(i % 4) for i in range(n)])
    few = maps[:, :16]
    pair = [scatter_of(few, *people, rows) for rows in (random_projection(16, 16, seed=0), None)]
    np.testing.assert_allclose(pair[0].within, pair[1].within, rtol=1e-4, atol=1e-4)
    projection = random_projection(c, arguments.rows, seed=0)
    before = projection.astype(np.float32) @ maps.reshape(n, c, -1)
    cases = {
        "scatter": (before.reshape(n, -1, *HW), None),
        "projected": (maps, projection),
        "whole": (maps, None),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(arguments.repetitions):
        for name, (given, rows) in cases.items():
            times[name].append(milliseconds(partial(scatter_of, given, *people, rows), n))
    best = {name: min(own) for name, own in times.items()}
    row = {f"{name}_ms": round(value, 3) for name, value in best.items()}
    row |= {f"whole_over_{k}": round(best["whole"] / best[k], 1) for k in ("scatter", "projected")}
    print(json.dumps(row))


if __name__ == "__main__":
    main()

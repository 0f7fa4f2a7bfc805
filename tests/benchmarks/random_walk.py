"""PSA's random walk by sparse products with the scores against powers of a dense matrix.

    python tests/benchmarks/random_walk.py [--rows 47] [--columns 63] [--classes 3] [--threads 2]
    python tests/benchmarks/random_walk.py --image 3000 2000 [--classes 3]

Both get the same transition matrix, in turns, and 256 steps; the median of the turns' ratios
counts. The rival squares the matrix eight times in float32, as PSA's code does. Prints JSON, with
the largest difference of both from a walk step by step in float64 on the dense matrix. With
`--image` it is the peak memory of the process that puts one image of so many rows and columns
through a ResNet-50 and the walk.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from attncli.backbones.images.build import build_backbone
from attncli.methods.ssdd.affinity import AffinityNetwork
from attncli.methods.ssdd.pairs import Graph
from attncli.methods.ssdd.random_walk import Walk, transition, walk, walk_image

LOG2_STEPS = 8
MOST_DIFFERENT = 1e-5


def dense_walk(matrix: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return what PSA's code computes."""
    power = matrix
    for _ in range(LOG2_STEPS):
        power = power @ power
    return scores @ power


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def image_memory(size_hw: tuple[int, int], classes: int) -> dict[str, object]:
    """Return how much memory one image takes, and how long."""
    backbone = build_backbone("resnet50", output_stride=8, weights="none")
    network = AffinityNetwork(backbone, graph=Graph()).eval()
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size_hw, 3), np.uint8)
    scores = rng.random((classes, *size_hw), np.float32)
    took = seconds(lambda: walk_image(network, image, scores, Walk(network.graph)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "image": list(size_hw),
        "classes": classes,
        "peak_gb": round(peak / 1e9, 3),
        "sec": round(took, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=47)
    parser.add_argument("--columns", type=int, default=63)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--image", type=int, nargs=2)
    arguments = parser.parse_args()
    if arguments.image is not None:
        print(json.dumps(image_memory(tuple(arguments.image), arguments.classes)))
        return
    torch.set_num_threads(arguments.threads)
    grid_hw = arguments.rows, arguments.columns
    features = torch.randn(448, *grid_hw, generator=torch.Generator().manual_seed(0)) / 4
    scores = np.random.default_rng(0).random((arguments.classes, np.prod(grid_hw)), np.float32)
    shares = transition(features, Graph())
    exact = shares.toarray()
    dense, dense_scores = torch.from_numpy(exact.astype(np.float32)), torch.from_numpy(scores)
    stepped = scores.astype(np.float64)
    for _ in range(2**LOG2_STEPS):
        stepped = stepped @ exact
    ours = np.abs(walk(shares, scores, log2_steps=LOG2_STEPS) - stepped).max()
    theirs = np.abs(dense_walk(dense, dense_scores).numpy() - stepped).max()
    if ours > MOST_DIFFERENT:
        raise SystemExit(f"the walk differs by {ours}")
    turns = [
        (seconds(lambda: walk(shares, scores)), seconds(lambda: dense_walk(dense, dense_scores)))
        for _ in range(arguments.repetitions)
    ]
    row = {
        "cells": list(grid_hw),
        "classes": arguments.classes,
        "threads": arguments.threads,
        "ours_sec": round(statistics.median(mine for mine, _ in turns), 4),
        "dense_sec": round(statistics.median(theirs for _, theirs in turns), 4),
        "ratio": round(statistics.median(other / mine for mine, other in turns), 1),
        "ours_difference": float(ours),
        "dense_difference": float(theirs),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()

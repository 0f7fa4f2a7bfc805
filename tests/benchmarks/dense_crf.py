"""Dense CRFs over images: ours against one process of pydensecrf with all 21 labels; prints JSON.

    python tests/benchmarks/dense_crf.py [--images 60] [--workers 2] [--voc VOC2012/]

The images are those of VOC2012's `val` list where it is given, else photographs of scikit-image
with noise, mirrored and shifted, of 500x375 pixels. Each shows 1 to 4 classes, in the shares in
which VOC2012's images do (64, 27, 7 and 2 of a hundred), whose scores are smooth at random and add
up to 1 with the background's; those of the other classes are 0. Both read the same files and write
label maps. Ours is timed with the start of its processes, seconds that a few images do not make
worth while (`ratio`), and at the rate at which answers come after the first (`ratio_running`).
`ratio_cpu` is what CPU times say of as many cores as workers, idle ones, with the start;
`seconds_by_labels` is CPU time of one image and one process.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from PIL import Image
from pydensecrf.densecrf import DenseCRF2D
from pydensecrf.utils import unary_from_softmax

from attncli.config.crf import CrfConfig
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import read_score_maps, write_score_maps
from attncli.layers.crf_arrays import dense_crf
from attncli.pool import work_in_pool

SIZE_WH = (500, 375)
SHARES = (0.64, 0.27, 0.07, 0.02)
ALL_LABELS = 21


@dataclass(frozen=True)
class Job:
    """One image, its scores and where its label map goes."""

    id: str
    directory: Path
    out: Path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--voc", type=Path, help="VOC2012 directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        ids = _write_inputs(root, options.images, options.voc)
        row = _compare(root, ids, options.workers) | {"seconds_by_labels": _by_labels(root, ids)}
    print(json.dumps(row, indent=2))


def _compare(root: Path, ids: Sequence[str], workers: int) -> dict[str, object]:
    """Time both over all images."""
    jobs = {name: [Job(one, root, root / name) for one in ids] for name in ("ours", "rival")}
    started, cpu_started = time.perf_counter(), _cpu_seconds_so_far()
    for job in jobs["rival"]:
        _rival(job)
    rival, rival_cpu = time.perf_counter() - started, _cpu_seconds_so_far() - cpu_started
    cpu_started = _cpu_seconds_so_far()
    ours, running = _ours(jobs["ours"], workers)
    ours_cpu = _cpu_seconds_so_far() - cpu_started
    return {
        "images": len(ids),
        "workers": workers,
        "ours_sec": round(ours, 2),
        "rival_sec": round(rival, 2),
        "ratio": round(rival / ours, 2),
        "ratio_running": round(rival / running, 2),
        "ratio_cpu": round(workers * rival_cpu / ours_cpu, 2),
        "pixels_alike_percent": round(_alike_percent(root, ids), 4),
    }


def _ours(jobs: Sequence[Job], workers: int) -> tuple[float, float]:
    """Return seconds, and what they would be if all images came as those after the first do."""
    started = time.perf_counter()
    arrivals = []
    for _, error in work_in_pool(jobs, _refine, workers):
        assert error is None
        arrivals.append(time.perf_counter())
    rate = (arrivals[-1] - arrivals[workers - 1]) / (len(jobs) - workers)
    return time.perf_counter() - started, rate * len(jobs)


def _refine(job: Job) -> None:
    image = np.asarray(Image.open(job.directory / f"{job.id}.jpg"))
    maps = read_score_maps(job.directory, job.id)
    answer = dense_crf(image, maps.scores, CrfConfig())
    labels = maps.classes[answer.argmax(axis=0)].astype(np.uint8)
    write_label_map(job.out / f"{job.id}.png", labels)


def _rival(job: Job) -> None:
    image = np.array(Image.open(job.directory / f"{job.id}.jpg"))
    maps = read_score_maps(job.directory, job.id)
    scores = np.zeros((ALL_LABELS, *image.shape[:2]), dtype=np.float32)
    scores[maps.classes] = maps.scores
    labels = _pydensecrf(image, scores).argmax(axis=0).astype(np.uint8)
    write_label_map(job.out / f"{job.id}.png", labels)


def _pydensecrf(image: np.ndarray, scores: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    field = DenseCRF2D(width, height, len(scores))
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(scores)))
    field.addPairwiseGaussian(sxy=3, compat=3)
    field.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=10)
    return np.array(field.inference(10)).reshape(scores.shape)


def _by_labels(root: Path, ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the median CPU time of an image by number of labels: both backends and the rival."""
    image = np.array(Image.open(root / f"{ids[0]}.jpg"))
    generator = np.random.default_rng(0)
    rows = {}
    for labels in (2, 3, 4, 5, ALL_LABELS):
        scores = _scores(generator, labels, image.shape[:2])
        rivals: dict[str, Callable[[], object]] = {
            "ours": partial(dense_crf, image, scores, CrfConfig()),
            "torch": partial(dense_crf, image, scores, replace(CrfConfig(), crf_backend="torch")),
            "pydensecrf": partial(_pydensecrf, image, scores),
        }
        times = [[_cpu_seconds(call) for call in rivals.values()] for _ in range(5)]
        medians = map(statistics.median, zip(*times, strict=True))
        rows[str(labels)] = dict(zip(rivals, (round(one, 3) for one in medians), strict=True))
    return rows


def _cpu_seconds_so_far() -> float:
    """Return CPU time of this process and of those it has ended."""
    return sum(os.times()[:4])


def _cpu_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _alike_percent(root: Path, ids: Sequence[str]) -> float:
    pairs = (
        [np.asarray(Image.open(root / name / f"{one}.png")) for name in ("ours", "rival")]
        for one in ids
    )
    return 100 * statistics.mean(float((ours == rival).mean()) for ours, rival in pairs)


def _write_inputs(root: Path, count: int, voc: Path | None) -> list[str]:
    """Write images and their scores; return their ids."""
    for name in ("ours", "rival"):
        (root / name).mkdir()
    generator = np.random.default_rng(0)
    photographs = [
        getattr(skimage.data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")
    ]
    ids = [f"{number:04d}" for number in range(count)]
    listed = [] if voc is None else (voc / "ImageSets/Segmentation/val.txt").read_text().split()
    for number, one in enumerate(ids):
        if listed:
            image = np.array(
                Image.open(voc / "JPEGImages" / f"{listed[number]}.jpg").convert("RGB")
            )
        else:
            image = _changed(generator, photographs[number % len(photographs)])
        Image.fromarray(image).save(root / f"{one}.jpg", quality=92)
        shown = 1 + int(generator.choice(len(SHARES), p=SHARES))
        classes = np.sort(generator.choice(np.arange(1, ALL_LABELS), shown, replace=False))
        scores = _scores(generator, shown + 1, image.shape[:2])
        write_score_maps(root, one, np.array([0, *classes]), scores)
    return ids


def _changed(generator: np.random.Generator, photograph: np.ndarray) -> np.ndarray:
    image = np.array(Image.fromarray(photograph).resize(SIZE_WH, Image.Resampling.BICUBIC))
    image = np.roll(image, int(generator.integers(image.shape[1])), axis=1)
    image = image[:, ::-1] if generator.random() < 0.5 else image
    return (image + generator.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)


def _scores(generator: np.random.Generator, labels: int, size_hw: tuple[int, int]) -> np.ndarray:
    """Return smooth scores that add up to 1."""
    coarse = generator.random((labels, 7, 9), dtype=np.float32)
    sharp = np.stack([cv2.resize(one, size_hw[::-1]) for one in coarse]) ** 4
    return sharp / sharp.sum(axis=0)


if __name__ == "__main__":
    main()

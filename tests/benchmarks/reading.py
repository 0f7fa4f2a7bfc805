"""Clips a second read for training: attncli beside pytorchvideo's LabeledVideoDataset.

Both read the same files with the same number of worker processes and hand over batches of 16 of 64
frames, short side 256-320, random crop 224, mirrored by chance. Run from the checkout:

    uv run python tests/benchmarks/reading.py [--data UCF101/] [--workers 2] [--repetitions 3]

Without `--data` it writes videos of UCF101's size, length and codec for itself. Prints one JSON
object; repetitions alternate between the two, and medians are compared. `first_epoch` is a pass in
which no file was seen before, `later_epochs` the passes after it.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import torch
import torchvision.transforms.functional
from torch.utils.data import DataLoader, SequentialSampler

from attncli.config.training import ClipConfig
from attncli.data.clips.reading import ClipReader
from attncli.data.layouts import open_dataset
from attncli.data.samples import VideoDataset, VideoSample
from attncli.data.source import batch_loader
from attncli.data.video.reading import write_video

BATCH = 8
FPS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="UCF101 directory; written anew where unset")
    parser.add_argument("--clips", type=int, default=48, help="videos to read in one pass")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        dataset = _dataset(options.data, Path(directory), options.clips)
        print(json.dumps(_compare(dataset, options.workers, options.repetitions), indent=2))


def _dataset(data: Path | None, directory: Path, clips: int) -> VideoDataset:
    if data is not None:
        found = open_dataset(data, split="all")
        chosen = np.linspace(0, len(found.samples) - 1, min(clips, len(found.samples)))
        samples = tuple(found.samples[int(i)] for i in chosen)
        return VideoDataset(found.layout, found.root, found.classes, samples)
    samples = tuple(_write_sample(directory, i) for i in range(clips))
    return VideoDataset("generated", directory, ("0",), samples)


def _write_sample(directory: Path, seed: int) -> VideoSample:
    generator = np.random.default_rng(seed)
    texture = generator.integers(0, 255, (30, 60, 3)).repeat(12, axis=0).repeat(12, axis=1)
    length = int(generator.integers(90, 250))
    shifts = (np.arange(length) * 2) % 300
    frames = (texture[60:300, shift : shift + 320].astype(np.uint8) for shift in shifts)
    path = directory / f"{seed:03d}.avi"
    write_video(path, frames, FPS)
    return VideoSample(path.stem, path, 0)


def _compare(dataset: VideoDataset, workers: int, repetitions: int) -> dict[str, object]:
    rivals: list[float] = []
    firsts: list[float] = []
    laters: list[float] = []
    for _ in range(repetitions):
        rivals.append(clips_per_sec(_pytorchvideo(dataset, workers)))
        passes = attncli_passes(dataset, ClipConfig(data=dataset.root), workers)
        firsts.append(clips_per_sec(passes))
        laters.append(clips_per_sec(passes))
    rival, first, later = map(statistics.median, (rivals, firsts, laters))
    return {
        "clips": len(dataset.samples),
        "workers": workers,
        "pytorchvideo_clips_per_sec": round(rival, 1),
        "attncli_first_epoch_clips_per_sec": round(first, 1),
        "attncli_later_epochs_clips_per_sec": round(later, 1),
        "ratio_first_epoch": round(first / rival, 2),
        "ratio_later_epochs": round(later / rival, 2),
    }


def clips_per_sec(one_pass: Callable[[], Iterator[int]]) -> float:
    started = time.perf_counter()
    clips = sum(one_pass())
    return clips / (time.perf_counter() - started)


def attncli_passes(
    dataset: VideoDataset, config: ClipConfig, workers: int
) -> Callable[[], Iterator[int]]:
    clips = ClipReader(dataset, config, training=True, seed=0)
    rows = list(range(len(clips)))
    batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    loader = batch_loader(clips, batches=batches, workers=workers)
    epochs = iter(range(1000))

    def one_pass() -> Iterator[int]:
        clips.set_epoch(next(epochs))
        for batch in loader:
            assert not batch.failures, batch.failures
            yield len(batch.labels)

    return one_pass


def _pytorchvideo(dataset: VideoDataset, workers: int) -> Callable[[], Iterator[int]]:
    # pytorchvideo.transforms imports a module that torchvision has since made part of another.
    sys.modules["torchvision.transforms.functional_tensor"] = torchvision.transforms.functional
    from pytorchvideo.data import LabeledVideoDataset, make_clip_sampler
    from pytorchvideo.transforms import (
        ApplyTransformToKey,
        RandomShortSideScale,
        UniformTemporalSubsample,
    )
    from torchvision.transforms import Compose, Lambda, RandomCrop, RandomHorizontalFlip

    steps = [
        UniformTemporalSubsample(16),
        Lambda(_to_unit_range),
        RandomShortSideScale(256, 320),
        RandomCrop(224),
        RandomHorizontalFlip(0.5),
    ]
    videos = LabeledVideoDataset(
        [(str(sample.path), {"label": sample.label}) for sample in dataset.samples],
        make_clip_sampler("random", 64 / FPS),
        video_sampler=SequentialSampler,
        transform=ApplyTransformToKey("video", Compose(steps)),
        decode_audio=False,
        decoder="pyav",
    )
    loader = DataLoader(videos, batch_size=BATCH, num_workers=workers)
    return lambda: (len(batch["label"]) for batch in loader)


def _to_unit_range(frames: torch.Tensor) -> torch.Tensor:
    return frames / 255.0


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    av.logging.set_level(av.logging.PANIC)
    main()

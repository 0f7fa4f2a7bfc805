"""What a network attends to over the whole of each video, and a small picture of every frame.

Other processes read ahead of the network; however long a video is, only some clips are held.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from attncli.config.training import ClipConfig
from attncli.data.clips import read_validation_clip
from attncli.data.samples import VideoSample
from attncli.data.sampling import covering_indices
from attncli.data.scaling import reduced_hw
from attncli.data.video import iterate_frames
from attncli.errors import AttncliError, Failure
from attncli.files.edit_directory import EditDirectory
from attncli.training.learner import autocast

THUMBNAIL_SHORT_SIDE_PX = 96
JPEG_QUALITY = 85

T = TypeVar("T")


@dataclass(frozen=True)
class Watched:
    """What a network attended to in one video."""

    sample: VideoSample
    """The video."""
    attention: Float32[np.ndarray, " n"]
    """Temporal attention of every frame, in [0, 1]."""


@dataclass(frozen=True)
class _Pass:
    """One of the clips that between them show every frame of a video."""

    sample: VideoSample
    n_frames: int
    indices: Int64[np.ndarray, " t"]
    frames: UInt8[Tensor, "1 3 t h w"]
    is_last: bool


def watch(
    network: nn.Module,
    samples: Sequence[VideoSample],
    config: ClipConfig,
    *,
    directory: EditDirectory,
    device: torch.device,
    readers: int,
) -> Iterator[Watched | Failure]:
    """Yield what a network attends to in each video, or why it cannot be read; in any order.

    A video is cut into clips that show every frame at least once; what a frame gets in several of
    them is averaged. Thumbnails of a video are in `directory` by the time it is yielded.

    Args:
        network: Answers with temporal attention; in evaluation mode, on `device`.
        samples: The videos.
        config: How clips are sampled and cropped, how many make a batch, and the arithmetic.
        directory: Where thumbnails go.
        device: Where the network is.
        readers: Processes that read; 0 reads in this one.
    """
    videos = _WholeVideos(samples, config, directory)
    passes = DataLoader(videos, batch_size=None, num_workers=readers, generator=torch.Generator())
    sums: dict[str, Float32[np.ndarray, "2 n"]] = {}
    for batch in _batches(iter(passes), config.batch_size):
        yield from (item for item in batch if isinstance(item, Failure))
        parts = [item for item in batch if isinstance(item, _Pass)]
        for part, attention in zip(parts, _attend(network, parts, config, device), strict=True):
            total = sums.setdefault(part.sample.id, np.zeros((2, part.n_frames), np.float32))
            np.add.at(total[0], part.indices, attention)
            np.add.at(total[1], part.indices, 1)
            if part.is_last:
                attended, times = sums.pop(part.sample.id)
                yield Watched(part.sample, attended / times)


class _WholeVideos(IterableDataset[_Pass | Failure]):
    """The clips of all videos, one video after the other; each process takes its share of these."""

    def __init__(
        self, samples: Sequence[VideoSample], config: ClipConfig, directory: EditDirectory
    ) -> None:
        self.samples = samples
        self.config = config
        self.directory = directory

    def __iter__(self) -> Iterator[_Pass | Failure]:
        worker = get_worker_info()
        share = slice(None) if worker is None else slice(worker.id, None, worker.num_workers)
        for sample in self.samples[share]:
            try:
                yield from self._passes(sample)
            except AttncliError as error:
                shutil.rmtree(self.directory.frames_path(sample.id), ignore_errors=True)
                yield Failure(sample.id, str(sample.path), str(error))

    def _passes(self, sample: VideoSample) -> Iterator[_Pass]:
        n_frames = _write_thumbnails(sample, self.directory)
        clips = covering_indices(n_frames, self.config)
        for number, indices in enumerate(clips, start=1):
            frames = read_validation_clip(sample, self.config, indices)
            yield _Pass(sample, n_frames, indices, frames, is_last=number == len(clips))


def _write_thumbnails(sample: VideoSample, directory: EditDirectory) -> int:
    """Write a small picture of every frame, and return how many there are."""
    directory.frames_path(sample.id).mkdir(parents=True, exist_ok=True)
    index = -1
    for index, frame in enumerate(iterate_frames(sample.path)):
        _write_jpeg(directory.frame_path(sample.id, index), frame)
    return index + 1


def _write_jpeg(path: Path, frame: UInt8[np.ndarray, "h w 3"]) -> None:
    height, width = reduced_hw(frame.shape[:2], THUMBNAIL_SHORT_SIDE_PX)
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())


def _attend(
    network: nn.Module, parts: Sequence[_Pass], config: ClipConfig, device: torch.device
) -> Float32[np.ndarray, "b t"]:
    if not parts:
        return np.empty((0, config.frames), np.float32)
    frames = torch.cat([part.frames for part in parts]).to(device)
    with torch.inference_mode(), autocast(device, config.precision):
        attention: Tensor = network(frames).temporal_attention
    return attention.float().cpu().numpy()


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch

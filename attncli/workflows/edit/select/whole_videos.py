"""What a network attends to over the whole of each video, and a small picture of every frame.

Other processes read ahead of the network; however long a video is, only some clips are held.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar, cast

import cv2
import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from attncli.config.training import ClipConfig
from attncli.data.clips.geometry import validation_view
from attncli.data.clips.reading import read_validation_clip
from attncli.data.clips.sampling import covering_indices
from attncli.data.samples import VideoSample
from attncli.data.scaling import reduced_hw
from attncli.data.video.reading import iterate_frames
from attncli.errors import AttncliError, Failure
from attncli.files.clip_directory import ClipDirectory
from attncli.training.learner import autocast
from attncli.types import BranchOutputs

JPEG_QUALITY = 85

Kind = Literal["spatial", "temporal"]
"""Kinds of attention."""
T = TypeVar("T")


@dataclass(frozen=True)
class Watched:
    """What a network attended to in one video."""

    sample: VideoSample
    """The video."""
    attention: Float32[np.ndarray, "n ..."]
    """Attention of every frame, in [0, 1]: a number, or a map of the part that was watched."""
    size_hw: tuple[int, int]
    """Rows and columns of the video."""
    crop: tuple[float, float, float, float]
    """The part that was watched: left, top, right, bottom in source pixels."""


@dataclass(frozen=True)
class _Pass:
    """One of the clips that between them show every frame of a video."""

    sample: VideoSample
    n_frames: int
    size_hw: tuple[int, int]
    indices: Int64[np.ndarray, " t"]
    frames: UInt8[Tensor, "1 3 t h w"]
    is_last: bool


def watch(
    network: nn.Module,
    samples: Sequence[VideoSample],
    config: ClipConfig,
    *,
    kind: Kind,
    directory: ClipDirectory,
    picture_px: int,
    device: torch.device,
    readers: int,
) -> Iterator[Watched | Failure]:
    """Yield what a network attends to in each video, or why it cannot be read; in any order.

    A video is cut into clips that show every frame at least once; what a frame gets in several of
    them is averaged. Pictures of a video are in `directory` by the time it is yielded.

    Args:
        network: Answers with such attention; in evaluation mode, on `device`.
        samples: The videos.
        config: How clips are sampled and cropped, how many make a batch, and the arithmetic.
        kind: Which attention.
        directory: Where a picture of every frame goes.
        picture_px: Short side of these, in pixels, where the video's own is longer.
        device: Where the network is.
        readers: Processes that read; 0 reads in this one.
    """
    videos = _WholeVideos(samples, config, directory, picture_px)
    passes = DataLoader(videos, batch_size=None, num_workers=readers, generator=torch.Generator())
    sums: dict[str, _Sum] = {}
    for batch in _batches(iter(passes), config.batch_size):
        for failure in (item for item in batch if isinstance(item, Failure)):
            sums.pop(failure.id, None)
            yield failure
        parts = [item for item in batch if isinstance(item, _Pass)]
        for part, attention in zip(
            parts, _attend(network, parts, config, kind, device), strict=True
        ):
            if part.sample.id not in sums:
                sums[part.sample.id] = _Sum.of_nothing(part.n_frames, attention.shape[1:])
            sums[part.sample.id].add(part.indices, attention)
            if part.is_last:
                mean = sums.pop(part.sample.id).mean()
                crop = validation_view(config).crop_box(part.size_hw)
                yield Watched(part.sample, mean, part.size_hw, crop)


@dataclass(frozen=True)
class _Sum:
    """What the clips of a video add up to, and in how many of them each frame was."""

    attention: Float32[np.ndarray, "n ..."]
    times: Int64[np.ndarray, " n"]

    @classmethod
    def of_nothing(cls, n_frames: int, grid: tuple[int, ...]) -> "_Sum":
        return cls(np.zeros((n_frames, *grid), np.float32), np.zeros(n_frames, np.int64))

    def add(
        self, indices: Int64[np.ndarray, " t"], attention: Float32[np.ndarray, "t ..."]
    ) -> None:
        np.add.at(self.attention, indices, attention)
        np.add.at(self.times, indices, 1)

    def mean(self) -> Float32[np.ndarray, "n ..."]:
        times = self.times.reshape(-1, *[1] * (self.attention.ndim - 1))
        return self.attention / times.astype(np.float32)


class _WholeVideos(IterableDataset[_Pass | Failure]):
    """The clips of all videos, one video after the other; each process takes its share of these."""

    def __init__(
        self,
        samples: Sequence[VideoSample],
        config: ClipConfig,
        directory: ClipDirectory,
        picture_px: int,
    ) -> None:
        self.samples = samples
        self.config = config
        self.directory = directory
        self.picture_px = picture_px

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
        n_frames, size_hw = self._write_pictures(sample)
        clips = covering_indices(n_frames, self.config)
        for number, indices in enumerate(clips, start=1):
            frames = read_validation_clip(sample, self.config, indices)
            is_last = number == len(clips)
            yield _Pass(sample, n_frames, size_hw, indices, frames, is_last)

    def _write_pictures(self, sample: VideoSample) -> tuple[int, tuple[int, int]]:
        """Write a picture of every frame; return how many there are, and their rows and columns."""
        self.directory.frames_path(sample.id).mkdir(parents=True, exist_ok=True)
        n_frames, size_hw = 0, (0, 0)
        for index, frame in enumerate(iterate_frames(sample.path)):
            _write_jpeg(self.directory.frame_path(sample.id, index), frame, self.picture_px)
            n_frames, size_hw = index + 1, (frame.shape[0], frame.shape[1])
        return n_frames, size_hw


def _write_jpeg(path: Path, frame: UInt8[np.ndarray, "h w 3"], short_side_px: int) -> None:
    height, width = reduced_hw((frame.shape[0], frame.shape[1]), short_side_px)
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())


def _attend(
    network: nn.Module,
    parts: Sequence[_Pass],
    config: ClipConfig,
    kind: Kind,
    device: torch.device,
) -> Iterator[Float32[np.ndarray, "t ..."]]:
    """Yield the attention of each part."""
    if not parts:
        return
    frames = torch.cat([part.frames for part in parts]).to(device)
    with torch.inference_mode(), autocast(device, config.precision):
        outputs: BranchOutputs = network(frames)
    by_kind = {"spatial": outputs.spatial_attention, "temporal": outputs.temporal_attention}
    yield from cast(Tensor, by_kind[kind]).float().cpu().numpy()


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch

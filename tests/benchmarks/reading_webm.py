"""Clips a second read for training from WebM: attncli beside pytorchvideo, decord and plain PyAV.

All read the same files with the same number of worker processes and hand over batches of 8 of 32
frames spread over the whole video, cropped by area to 224, mirrored by chance. Run from the
checkout:

    uv run python tests/benchmarks/reading_webm.py [--codec libvpx] [--workers 2] [--repetitions 3]

Writes videos of the size, length and bytes of Something-Something v2 for itself. Prints one JSON
object; repetitions alternate, and medians are compared. `attncli` is a pass in which no file was
seen before. Where decord is not installed it is left out.
"""

import argparse
import json
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from reading import BATCH, attncli_passes, clips_per_sec
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from attncli.config.training import ClipConfig
from attncli.data.samples import VideoDataset, VideoSample

FRAMES = 32
SIZE_HW = (240, 426)
FPS = 12
ENCODER_OPTIONS = {"crf": "38", "b": "280k", "deadline": "good", "cpu-used": "4", "g": "128"}
"""Gives VP9 of the mean size in Something-Something v2, 88 kB; its only key frame is the first."""

Load = Callable[[str], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codec", choices=["libvpx-vp9", "libvpx"], default="libvpx-vp9")
    parser.add_argument("--clips", type=int, default=48, help="videos to read in one pass")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory, f"{number}.webm") for number in range(options.clips)]
        for seed, path in enumerate(paths):
            write_webm(path, seed, options.codec)
        sizes_kb = [path.stat().st_size / 1000 for path in paths]
        samples = tuple(VideoSample(path.stem, path, 0) for path in paths)
        dataset = VideoDataset("generated", Path(directory), ("0",), samples)
        rates = compare(dataset, options.workers, options.repetitions)
    report = {
        "codec": options.codec,
        "clips": options.clips,
        "mean_kb": round(statistics.mean(sizes_kb)),
        "workers": options.workers,
        **{f"{name}_clips_per_sec": round(rate, 1) for name, rate in rates.items()},
        **{
            f"ratio_to_{name}": round(rates["attncli"] / rate, 2)
            for name, rate in rates.items()
            if name != "attncli"
        },
    }
    print(json.dumps(report, indent=2))


def compare(dataset: VideoDataset, workers: int, repetitions: int) -> dict[str, float]:
    """Return the clips a second that each rival reads."""
    config = ClipConfig(
        data=dataset.root, frames=FRAMES, frame_stride=1, sampling="uniform", crop="area"
    )
    rivals: dict[str, Load] = {"pytorchvideo": read_by_pytorchvideo, "pyav": read_by_pyav}
    if find_spec("decord"):
        rivals["decord"] = read_by_decord
    rates: dict[str, list[float]] = {name: [] for name in ("attncli", *rivals)}
    for _ in range(repetitions):
        rates["attncli"].append(clips_per_sec(attncli_passes(dataset, config, workers)))
        for name, load in rivals.items():
            loader = DataLoader(RivalClips(dataset, load), batch_size=BATCH, num_workers=workers)
            rates[name].append(clips_per_sec(lambda loader=loader: map(len, loader)))
    return {name: statistics.median(values) for name, values in rates.items()}


class RivalClips(Dataset[torch.Tensor]):
    """A clip of every video: read by `load`, transformed by torchvision."""

    def __init__(self, dataset: VideoDataset, load: Load) -> None:
        self.paths = [str(sample.path) for sample in dataset.samples]
        self.load = load
        self.transform = v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> torch.Tensor:
        return self.transform(self.load(self.paths[row]))


def read_by_pyav(path: str) -> torch.Tensor:
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    chosen = np.stack([frames[i] for i in one_of_each_part(len(frames))])
    return torch.from_numpy(chosen).permute(0, 3, 1, 2)


def read_by_decord(path: str) -> torch.Tensor:
    from decord import VideoReader

    reader = VideoReader(path, num_threads=1)
    chosen = reader.get_batch(one_of_each_part(len(reader))).asnumpy()
    return torch.from_numpy(chosen).permute(0, 3, 1, 2)


def read_by_pytorchvideo(path: str) -> torch.Tensor:
    from pytorchvideo.data.encoded_video import EncodedVideo

    video = EncodedVideo.from_path(path, decode_audio=False, decoder="pyav")
    frames = video.get_clip(0, float(video.duration) + 1)["video"]
    return frames[:, one_of_each_part(frames.shape[1])].permute(1, 0, 2, 3)


def one_of_each_part(n_frames: int) -> list[int]:
    places = (np.arange(FRAMES) + np.random.default_rng().random(FRAMES)) * n_frames / FRAMES
    return places.astype(int).tolist()


def write_webm(path: Path, seed: int, codec: str) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, Fraction(FPS), options=ENCODER_OPTIONS)
        stream = cast(av.VideoStream, stream)
        (stream.height, stream.width), stream.pix_fmt = SIZE_HW, "yuv420p"
        for picture in pictures(seed):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def pictures(seed: int) -> Iterator[np.ndarray]:
    """Yield a swaying background of soft and sharp texture with a patch that crosses it."""
    generator = np.random.default_rng(seed)
    length = int(generator.integers(30, 62))
    texture = sum(
        torch.nn.functional.interpolate(
            torch.from_numpy(generator.normal(0, 45, (1, 3, rows, 2 * rows))),
            (420, 720),
            mode="bicubic",
        )[0].permute(1, 2, 0)
        for rows in (6, 24, 96)
    )
    scene = (texture.numpy() + 128).clip(0, 255).astype(np.int16)
    height, width = SIZE_HW
    for i in range(length):
        top, left = 60 + int(12 * np.sin(i / 6)), 80 + int(1.5 * i)
        picture = scene[top : top + height, left : left + width].copy()
        x = 6 * i % (width - 80)
        picture[90:170, x : x + 80] = scene[300:380, 200:280]
        picture += generator.integers(-6, 7, picture.shape, dtype=np.int16)
        yield picture.clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    av.logging.set_level(av.logging.PANIC)
    main()

"""A training step of ST-ABN over one of the plain 3D ResNet, and of that over pytorchvideo's stock.

`python tests/benchmarks/st_abn_step.py [small|real] [ROUNDS]` prints one JSON object: of each the
median time of forward and backward pass, and the peak of resident memory, or of allocated memory on
a GPU. With checkpointed gradients only the memory is of interest: the time is about a third more.
"""

import json
import resource
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from alternation import median_seconds
from torch.nn import functional

from attncli.batches import ClipBatch
from attncli.config.st_abn import Resnet3dConfig, StAbnConfig
from attncli.layers.allocation import reuse_freed_memory
from attncli.methods.st_abn import build_resnet3d, build_st_abn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Size:
    """What a step works on."""

    clips: int
    frames: int
    side_px: int
    width_factor: float
    classes: int


SIZES = {
    "small": Size(clips=4, frames=16, side_px=64, width_factor=0.25, classes=10),
    "real": Size(clips=1, frames=32, side_px=224, width_factor=1.0, classes=174),
}
TIMED = ("stock", "resnet3d", "st_abn")
CHECKPOINTED = ("resnet3d_checkpointed", "st_abn_checkpointed")


def batch(size: Size) -> ClipBatch:
    generator = torch.Generator().manual_seed(0)
    shape = (size.clips, 3, size.frames, size.side_px, size.side_px)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return ClipBatch(
        frames=frames.contiguous(memory_format=torch.channels_last_3d),
        labels=torch.arange(size.clips),
        rows=torch.arange(size.clips),
        frame_indices=torch.arange(size.frames).repeat(size.clips, 1),
        crops=torch.zeros(size.clips, 4),
        flips=torch.zeros(size.clips, dtype=torch.bool),
    ).to(DEVICE)


def prepare(rival: str, size: Size) -> Callable[[], object]:
    data = batch(size)
    take = _stock_step(data, size) if rival == "stock" else _our_step(rival, data, size)

    def step() -> None:
        take().backward()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return step


def _our_step(rival: str, data: ClipBatch, size: Size) -> Callable[[], torch.Tensor]:
    reuse_freed_memory()
    kind, build = (
        (StAbnConfig, build_st_abn)
        if rival.startswith("st_abn")
        else (Resnet3dConfig, build_resnet3d)
    )
    config = kind(
        data=Path(),
        weights="none",
        frames=size.frames,
        width_factor=size.width_factor,
        checkpoint_gradients=rival.endswith("checkpointed"),
    )
    learned = build(config, size.classes)
    model, criterion = learned.model, learned.objective.criterion
    model.to(DEVICE).train()
    return lambda: criterion(model(data.frames), data).total


def _stock_step(data: ClipBatch, size: Size) -> Callable[[], torch.Tensor]:
    with warnings.catch_warnings(action="ignore"):
        from pytorchvideo.models.resnet import create_resnet
    grid = size.side_px // 32
    model = create_resnet(
        stem_dim_out=round(64 * size.width_factor),
        stem_conv_kernel_size=(1, 7, 7),
        head_pool_kernel_size=(size.frames, grid, grid),
        model_num_class=size.classes,
    )
    model.to(DEVICE).train()
    clips = (data.frames.contiguous() / 255 - 0.45) / 0.225
    return lambda: functional.cross_entropy(model(clips), data.labels)


def peak_mib(rival: str, size: Size) -> int:
    step = prepare(rival, size)
    for _ in range(2):
        step()
    if DEVICE.type == "cuda":
        return torch.cuda.max_memory_allocated() >> 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main(name: str, rounds: int) -> None:
    size = SIZES[name]
    seconds = median_seconds({r: partial(prepare, r, size) for r in TIMED}, rounds=rounds)
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        peaks = {r: pool.apply(peak_mib, (r, size)) for r in (*TIMED, *CHECKPOINTED)}
    report = {
        "size": name,
        "device": DEVICE.type,
        "threads": torch.get_num_threads(),
        **{f"{rival}_sec": round(value, 3) for rival, value in seconds.items()},
        "st_abn_over_resnet3d": round(seconds["st_abn"] / seconds["resnet3d"], 3),
        "stock_over_resnet3d": round(seconds["stock"] / seconds["resnet3d"], 3),
        **{f"{rival}_peak_mib": peak for rival, peak in peaks.items()},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "real",
        int(sys.argv[2]) if len(sys.argv) > 2 else 5,
    )

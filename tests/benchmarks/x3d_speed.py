"""X3D-M on the CPU against pytorchvideo's stock module: two clips of 16 x 224 x 224.

`python tests/benchmarks/x3d_speed.py [ROUNDS]` prints one JSON object. Inference is timed in fp32
and, both sides alike, under bf16 autocast, which is what `--precision bf16` does.
"""

import json
import sys
import warnings
from collections.abc import Callable
from functools import partial

import torch
from alternation import median_seconds

from attncli.backbones.x3d import build_x3d
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.fusion import fuse_for_inference

CLIPS, CLASSES = 2, 400


def frames() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (CLIPS, 3, 16, 224, 224)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def stock() -> torch.nn.Module:
    warnings.simplefilter("ignore")
    from pytorchvideo.models.x3d import create_x3d

    return create_x3d(
        input_clip_length=16,
        input_crop_size=224,
        model_num_class=CLASSES,
        head_activation=None,
    )


def stock_inference() -> Callable[[], object]:
    model, clips = stock().eval(), (frames() / 255 - 0.45) / 0.225
    return torch.no_grad()(lambda: model(clips))


def stock_training() -> Callable[[], object]:
    model, clips = stock().train(), (frames() / 255 - 0.45) / 0.225
    return lambda: model(clips).sum().backward()


def our_inference() -> Callable[[], object]:
    reuse_freed_memory()
    model = fuse_for_inference(build_x3d("m", n_classes=CLASSES))
    clips = frames().contiguous(memory_format=torch.channels_last_3d)
    return torch.inference_mode()(lambda: model(clips))


def in_bf16(prepare: Callable[[], Callable[[], object]]) -> Callable[[], object]:
    return torch.autocast("cpu", torch.bfloat16)(prepare())


def our_training() -> Callable[[], object]:
    reuse_freed_memory()
    model = build_x3d("m", n_classes=CLASSES).train()
    clips = frames().contiguous(memory_format=torch.channels_last_3d)
    return lambda: model(clips).scores.sum().backward()


def main(rounds: int) -> None:
    pairs = {
        "inference": (stock_inference, our_inference),
        "inference_bf16": (partial(in_bf16, stock_inference), partial(in_bf16, our_inference)),
        "training": (stock_training, our_training),
    }
    timings = {
        name: median_seconds({"stock": stock, "ours": ours}, rounds=rounds)
        for name, (stock, ours) in pairs.items()
    }
    report = {
        f"{name}_{key}": round(value, 3)
        for name, seconds in timings.items()
        for key, value in (
            ("stock_sec", seconds["stock"]),
            ("ours_sec", seconds["ours"]),
            ("ratio", seconds["stock"] / seconds["ours"]),
        )
    }
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), **report}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)

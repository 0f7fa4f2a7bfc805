"""A training step of Object-ABN, with either attention branch, over one of plain X3D-M.

`python tests/benchmarks/object_abn_step.py [ROUNDS]` prints one JSON object.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from alternation import median_seconds

from attncli.batches import ClipBatch
from attncli.config.object_abn import ObjectAbnConfig, X3DConfig
from attncli.layers.allocation import reuse_freed_memory
from attncli.methods.object_abn import build_object_abn, build_x3d

CLIPS, CLASSES = 2, 101


def batch() -> ClipBatch:
    generator = torch.Generator().manual_seed(0)
    shape = (CLIPS, 3, 16, 224, 224)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return ClipBatch(
        frames=frames.contiguous(memory_format=torch.channels_last_3d),
        labels=torch.arange(CLIPS),
        rows=torch.arange(CLIPS),
        frame_indices=torch.arange(0, 64, 4).repeat(CLIPS, 1),
        crops=torch.tensor([0.0, 0.0, 224.0, 224.0]).repeat(CLIPS, 1),
        flips=torch.zeros(CLIPS, dtype=torch.bool),
        guides={"masks": torch.rand((CLIPS, 16, 224, 224), generator=generator) < 0.3},
    )


def step(attention_branch: str) -> Callable[[], object]:
    reuse_freed_memory()
    data, here = batch(), Path()
    if attention_branch == "plain":
        learned = build_x3d(X3DConfig(data=here, weights="none"), CLASSES)
        model, criterion = learned.model, learned.objective.criterion
    else:
        config = ObjectAbnConfig(
            data=here, masks=here, weights="none", attention_branch=attention_branch
        )
        learned = build_object_abn(config, CLASSES)
        model, criterion = learned.model, learned.objective.criterion
    model.train()
    return lambda: criterion(model(data.frames), data).total.backward()


def main(rounds: int) -> None:
    rivals = {name: partial(step, name) for name in ("plain", "abn", "light")}
    seconds = median_seconds(rivals, rounds=rounds)
    report = {f"{name}_sec": round(value, 3) for name, value in seconds.items()}
    report |= {
        f"{name}_ratio": round(seconds[name] / seconds["plain"], 3) for name in ("abn", "light")
    }
    print(json.dumps({"threads": torch.get_num_threads(), "clips": CLIPS, **report}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)

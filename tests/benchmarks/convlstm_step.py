"""A training step of a ConvLSTM over one of ndrplz/ConvLSTM_pytorch, with the same weights.

    python tests/benchmarks/convlstm_step.py path/to/convlstm.py [ROUNDS]

takes the path of its `convlstm.py` (https://github.com/ndrplz/ConvLSTM_pytorch) and prints one JSON
object: of each recurrent layer of the default network and of all four together, in 32 bits and with
autocast to bfloat16, the median time of forward and backward pass, gradients of the input included,
and the ratio of both. Theirs has no peepholes; the times of our layer with them, and of the
Enhanced ConvLSTM, are for information.
"""

import importlib.util
import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from alternation import median_seconds
from torch import Tensor, nn

from attncli.backbones.convlstm import grids
from attncli.config.ram import N_LAYERS, ConvLstmConfig
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.convlstm import ConvLstm, EnhancedConvLstm

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
OURS_AND_THEIRS = [0, 1, 3, 2]
"""Where they have each of our gates i, f, c, o."""
RIVALS = (
    "theirs",
    "ours",
    "ours_hadamard",
    "ours_enhanced",
    "theirs_bfloat16",
    "ours_bfloat16",
)


@dataclass(frozen=True)
class Size:
    """What a step works on."""

    in_channels: int
    hidden_channels: int
    side: int
    clips: int = 8
    frames: int = 8


def sizes_by_default() -> list[Size]:
    places = zip(
        itertools.pairwise(ConvLstmConfig.widths),
        grids(ConvLstmConfig.face_px, N_LAYERS),
        strict=True,
    )
    return [Size(*channels, side) for channels, (side, _) in places]


def their_layer(path: str, size: Size) -> Any:
    spec = importlib.util.spec_from_file_location("theirs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ConvLSTM(
        size.in_channels, size.hidden_channels, (3, 3), 1, batch_first=True, bias=True
    )


def our_layer(name: str, size: Size) -> nn.Module:
    if name.startswith("ours_enhanced"):
        return EnhancedConvLstm(size.in_channels, size.hidden_channels, peephole="convolution")
    return ConvLstm(
        size.in_channels,
        size.hidden_channels,
        peephole="hadamard" if name == "ours_hadamard" else "none",
        grid_hw=(size.side, size.side),
    )


def data(size: Size) -> tuple[Tensor, Tensor]:
    """Return an input and a gradient of the output, both in torch's own order of memory."""
    generator = torch.Generator().manual_seed(0)
    x, gradient = (
        torch.randn(size.clips, size.frames, channels, size.side, size.side, generator=generator)
        for channels in (size.in_channels, size.hidden_channels)
    )
    return x.to(DEVICE), gradient.to(DEVICE)


def prepare(name: str, path: str, size: Size) -> Callable[[], object]:
    tensors = data(size)
    if name.startswith("theirs"):
        model = their_layer(path, size).to(DEVICE)
        run = lambda x: model(x)[0][0]  # noqa: E731
    else:
        reuse_freed_memory()
        model = our_layer(name, size).to(DEVICE)
        run = lambda x: model(x)[0]  # noqa: E731
        tensors = tuple(t.movedim(2, -1).contiguous().movedim(-1, 2) for t in tensors)
    x, gradient = tensors
    x.requires_grad_()

    def step() -> None:
        x.grad = None
        model.zero_grad()
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=name.endswith("bfloat16")):
            hidden = run(x)
        hidden.backward(gradient.to(hidden.dtype))
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return step


def largest_difference(path: str, size: Size) -> float:
    """Return by how much the outputs, or the gradients of the input, differ at the most."""
    theirs, ours = their_layer(path, size).to(DEVICE), our_layer("ours", size).to(DEVICE)
    conv = theirs.cell_list[0].conv
    joined = ours.memory.gates
    with torch.no_grad():
        for target, source in ((joined.weight, conv.weight), (joined.bias, conv.bias)):
            gates = source.chunk(4)
            target.copy_(torch.cat([gates[place] for place in OURS_AND_THEIRS]))
    x, gradient = data(size)
    results = []
    for run in (lambda x: theirs(x)[0][0], lambda x: ours(x)[0]):
        seen = x.clone().requires_grad_()
        hidden = run(seen)
        hidden.backward(gradient)
        results.append((hidden.detach(), seen.grad))
    return max((a - b).abs().max().item() for a, b in zip(*results, strict=True))


def times(path: str, size: Size, rounds: int) -> dict[str, float]:
    difference = largest_difference(path, size)
    if difference > 1e-4:
        raise SystemExit(f"outputs or gradients differ by {difference}")
    rivals = {name: partial(prepare, name, path, size) for name in RIVALS}
    return median_seconds(rivals, rounds=rounds)


def report(seconds: dict[str, float]) -> dict[str, float]:
    return {
        **{f"{name}_sec": round(value, 4) for name, value in seconds.items()},
        "theirs_over_ours": round(seconds["theirs"] / seconds["ours"], 3),
        "theirs_over_ours_bfloat16": round(
            seconds["theirs_bfloat16"] / seconds["ours_bfloat16"], 3
        ),
    }


def main(path: str, rounds: int) -> None:
    sizes = sizes_by_default()
    layers = [times(path, size, rounds) for size in sizes]
    total = {name: sum(layer[name] for layer in layers) for name in RIVALS}
    found = {
        "device": DEVICE.type,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "layers": [asdict(size) | report(layer) for size, layer in zip(sizes, layers, strict=True)],
        "all_layers": report(total),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15)

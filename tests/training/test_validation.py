from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from attncli.batches import ClipBatch
from attncli.training.distributed import World
from attncli.training.validation import validate
from attncli.types import BranchOutputs

WORLD = World(rank=0, size=1, device=torch.device("cpu"))


class Rows:
    """An evaluation that keeps which clips it asked about, in which mode."""

    logged = ("clips",)
    best = None

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def write(self, shares: Any, failures: Any, out: Any) -> dict[str, Any]:
        raise NotImplementedError

    def ask(self, network: nn.Module, batch: ClipBatch) -> BranchOutputs:
        assert not network.training
        assert torch.is_inference_mode_enabled()
        return network(batch.frames)

    def add(self, batch: ClipBatch, outputs: BranchOutputs) -> None:
        assert len(outputs.scores) == len(batch.rows)
        self.rows += batch.rows.tolist()

    def share(self) -> list[int]:
        return self.rows

    def figures(self, shares: Sequence[list[int]]) -> dict[str, float]:
        return {"clips": float(sum(map(len, shares)))}


class Network(nn.Module):
    """Has a layer that is frozen in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm3d(3).eval()

    def forward(self, frames: torch.Tensor) -> BranchOutputs:
        return BranchOutputs(scores=self.norm(frames.float()).mean((2, 3, 4)))


def validated(model: nn.Module, batches: Sequence[ClipBatch], rows: Any) -> Any:
    return validate(model, batches, rows, precision="fp32", world=WORLD)


def test_every_batch_with_a_clip_is_asked_about_once(batch_of: Callable[..., ClipBatch]) -> None:
    rows = Rows()
    batches = [batch_of([0, 1, 3, 6]), batch_of([]), batch_of([2])]
    assert validated(Network(), batches, rows) == {"clips": 5}
    assert rows.rows == [0, 1, 3, 6, 2]


def test_every_layer_goes_on_in_the_mode_it_was_in(batch_of: Callable[..., ClipBatch]) -> None:
    model = Network()
    model.training = True
    validated(model, [batch_of([0])], Rows())
    assert model.training
    assert not model.norm.training


def test_the_modes_come_back_after_an_error(batch_of: Callable[..., ClipBatch]) -> None:
    class Failing(Rows):
        def add(self, batch: ClipBatch, outputs: BranchOutputs) -> None:
            raise OSError("the disk is full")

    model = Network()
    model.training = True
    with pytest.raises(OSError, match="full"):
        validated(model, [batch_of([0])], Failing())
    assert model.training
    assert not model.norm.training

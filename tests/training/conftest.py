"""A dataset in memory and a network of a few weights, to train in no time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attncli.batches import ClipBatch
from attncli.config.training import TrainConfig
from attncli.errors import Failure
from attncli.files.runs import RunDirectory
from attncli.losses.classification import ClipObjective
from attncli.reporting import Silent
from attncli.training.batches import BatchOrder
from attncli.training.distributed import World
from attncli.training.learner import Learner
from attncli.training.loop import Training, TrainingSamples
from attncli.training.objective import Learned
from attncli.training.seeds import seed_everything
from attncli.training.validation import Validation
from attncli.types import BranchOutputs, Losses
from tests.support.batches import clip_batch

N_CLIPS, N_CLASSES, GRID = 10, 3, (2, 4, 4)


class TinyNetwork(nn.Module):
    """Two linear layers with dropout between them, over the mean of each channel and frame."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(3 * GRID[0], 8)
        self.drop = nn.Dropout(0.5)
        self.classify = nn.Linear(8, N_CLASSES)

    def forward(self, frames: Tensor) -> BranchOutputs:
        means = (frames.float() / 255).mean((3, 4)).flatten(1)
        return BranchOutputs(scores=self.classify(self.drop(self.hidden(means).relu())))


def cross_entropy(outputs: BranchOutputs, batch: ClipBatch) -> Losses:
    loss = functional.cross_entropy(outputs.scores.float(), batch.labels)
    return Losses(total=2 * loss, terms={"per": loss})


class FirstRight:
    """Counts the clips whose class has the highest score."""

    logged = ("top1",)
    best = "top1"

    def __init__(self) -> None:
        self.right: list[bool] = []

    def __enter__(self) -> "FirstRight":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def ask(self, network: nn.Module, batch: ClipBatch) -> BranchOutputs:
        return network(batch.frames)

    def add(self, batch: ClipBatch, outputs: BranchOutputs) -> None:
        self.right += (outputs.scores.argmax(1) == batch.labels).tolist()

    def share(self) -> list[bool]:
        return self.right

    def figures(self, shares: Sequence[list[bool]]) -> dict[str, float]:
        right = [one for share in shares for one in share]
        return {"top1": 100 * sum(right) / len(right)} if right else {}

    def write(self, shares: object, failures: object, out: Path) -> dict[str, object]:
        raise NotImplementedError


def make_batch(rows: list[int], unreadable: frozenset[int] = frozenset()) -> ClipBatch:
    """Return the clips of `rows`; the same row is the same clip always."""
    good = [row for row in rows if row not in unreadable]
    clips = [np.random.default_rng(row).integers(0, 256, (3, *GRID), np.uint8) for row in good]
    frames = torch.from_numpy(np.stack(clips)) if clips else torch.empty(0, 3, *GRID)
    return clip_batch(
        frames=frames.to(torch.uint8),
        labels=torch.tensor([row % N_CLASSES for row in good], dtype=torch.int64),
        rows=good,
        failures=[
            Failure(id=f"clip{row}", path=f"/data/clip{row}.avi", error="damaged")
            for row in rows
            if row in unreadable
        ],
    )


@dataclass
class MemoryLoader:
    """Reads what a batch order asks for; `meddle` may raise, or send a signal, at a batch."""

    order: BatchOrder
    unreadable: frozenset[int]
    meddle: Callable[[int], None]
    served: int = 0

    def __iter__(self) -> Iterator[ClipBatch]:
        for rows in self.order:
            self.served += 1
            self.meddle(self.served)
            yield make_batch(rows, self.unreadable)


@pytest.fixture
def batch_of() -> Callable[..., ClipBatch]:
    return make_batch


@pytest.fixture
def make_config() -> Callable[..., TrainConfig]:
    def make(**settings: object) -> TrainConfig:
        chosen = {"epochs": 3, "batch_size": 4, "lr": 0.05, "device": "cpu", "workers": 0}
        return TrainConfig(data=Path("data"), **{**chosen, **settings})

    return make


@pytest.fixture
def make_learner() -> Callable[[TrainConfig], Learner]:
    def make(config: TrainConfig) -> Learner:
        seed_everything(config.seed)
        world = World(rank=0, size=1, device=torch.device("cpu"))
        learned = Learned(TinyNetwork(), ClipObjective(cross_entropy))
        return Learner(learned, config, world)

    return make


@pytest.fixture
def make_training(
    tmp_path: Path, make_learner: Callable[[TrainConfig], Learner]
) -> Callable[..., Training]:
    """Return a function that begins a training in memory, or goes on with the one in `name`."""

    def make(
        config: TrainConfig,
        name: str = "run",
        unreadable: frozenset[int] = frozenset(),
        meddle: Callable[[int], None] = lambda served: None,
        title: str = "",
    ) -> Training:
        order = BatchOrder(
            N_CLIPS,
            batch_size=config.batch_size,
            parts=config.accumulate,
            seed=config.seed,
            rank=0,
            size=1,
        )
        clips = TrainingSamples(
            order=order,
            loader=MemoryLoader(order, unreadable, meddle),
            set_epoch=lambda epoch: None,
            nothing=make_batch([]),
        )
        return Training(
            make_learner(config),
            clips,
            Validation(
                batches=[make_batch([20, 21, 22]), make_batch([23, 24])],
                begin=lambda: FirstRight(),
                logged=FirstRight.logged,
                best=FirstRight.best,
            ),
            directory=RunDirectory(tmp_path / name),
            reporter=Silent(),
            title=title,
        )

    return make

"""How well a model does on samples it is not trained on, while it is being trained."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, runtime_checkable

import torch
from torch import nn

from attncli.batches import B, B_contra
from attncli.config.training import Precision
from attncli.errors import Failure
from attncli.layers.train_mode import train_mode
from attncli.reporting import Row
from attncli.training.distributed import World
from attncli.training.learner import autocast


@runtime_checkable
class Evaluation(Protocol[B_contra]):
    """What is made of a network's answers to a split; adds up over batches and processes.

    A context manager: what is too large for memory is whole on disk at its end.
    """

    logged: ClassVar[tuple[str, ...]]
    """Figures of a validation while a network is trained."""
    best: ClassVar[str | None]
    """That of them which chooses the best epoch, the higher the better; None where none does."""

    def __enter__(self) -> "Evaluation[B_contra]": ...
    def __exit__(self, *error: Any) -> None: ...

    def ask(self, network: Any, batch: B_contra) -> Any:
        """Put a batch, on the network's device, through it."""
        ...

    def add(self, batch: B_contra, outputs: Any) -> None:
        """Keep what `ask` answered to a batch, which is on the host."""
        ...

    def share(self) -> Any:
        """Return what this process knows, to be sent to the first one."""
        ...

    def figures(self, shares: Sequence[Any]) -> Mapping[str, float]:
        """Return the figures `logged` by the shares of all processes; none without a sample."""
        ...

    def write(self, shares: Sequence[Any], failures: Sequence[Failure], out: Path) -> Row:
        """Write all there is to know into the directory `out`.

        Args:
            shares: What each process knows.
            failures: Samples that could not be read.
            out: An empty directory.

        Returns:
            The figures, as they are shown.
        """
        ...


@dataclass(frozen=True)
class Validation(Generic[B]):
    """The validation split as the loop reads it, and what is made of answers to it."""

    batches: Iterable[B]
    """This process's batches."""
    begin: Callable[[], Evaluation[B]]
    """Returns an evaluation of no answer yet, that keeps nothing on disk."""
    logged: tuple[str, ...]
    """Figures that it has."""
    best: str | None
    """That of them which chooses the best epoch, the higher the better; None where none does."""


def validate(
    model: nn.Module,
    batches: Iterable[B],
    evaluation: Evaluation[B],
    *,
    precision: Precision,
    world: World,
) -> Mapping[str, float]:
    """Return the figures of an evaluation over the samples of all processes; none without any."""
    with train_mode(model, training=False), torch.inference_mode():
        for host in batches:
            if len(host.rows):
                batch = host.to(world.device)
                with autocast(world.device, precision):
                    outputs: Any = evaluation.ask(model, batch)
                evaluation.add(host, outputs)
    return evaluation.figures(world.gather(evaluation.share()))

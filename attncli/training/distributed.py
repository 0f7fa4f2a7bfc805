"""Several processes as one: each holds a share of every batch, and sums run over all of them.

Started by `torchrun`, which tells each process its rank by environment variables; without it
there is one process, and every function here does nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed

from attncli.errors import MissingDependencyError, UsageError
from attncli.machine import usable_cores

T = TypeVar("T")

MOST_READERS = 8
"""Beyond this many, processes that read clips no longer help one that computes."""


@dataclass(frozen=True)
class World:
    """This process among those that work together."""

    rank: int
    """Number of this process, from 0."""
    size: int
    """Number of processes."""
    device: torch.device
    """Where this process computes."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """Return every `size`-th item from item `rank` on: this process's part of `items`."""
        return list(items[self.rank :: self.size])

    def add_up(self, tensor: Tensor) -> Tensor:
        """Return `tensor` summed over all processes; each must call this with the same shape."""
        if self.size == 1:
            return tensor
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    def gather(self, item: T) -> list[T]:
        """Return the `item` of every process, in order of rank."""
        if self.size == 1:
            return [item]
        items: list[T] = [item] * self.size
        distributed.all_gather_object(items, item)
        return items

    def readers(self, wanted: int | None) -> int:
        """Return how many processes read for this one: `wanted`, or its share of the cores."""
        return min(usable_cores() // self.size, MOST_READERS) if wanted is None else wanted

    def wait(self) -> None:
        """Return once every process has come here."""
        if self.size > 1:
            distributed.barrier()


PATIENCE = timedelta(days=7)
"""How long a process waits for another one, which may have a dataset to prepare for all; who dies
is told by `torchrun`."""


@contextmanager
def join(device: str) -> Iterator[World]:
    """Join the processes `torchrun` started, for as long as the context is open.

    Tensors on the CPU travel by gloo, those on a GPU by nccl, each process on a GPU of its own.
    Who has joined already may do so again, as a workflow that calls another one does.

    Args:
        device: `auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: There is no such device, or several processes were asked onto one GPU.
        MissingDependencyError: A GPU was asked for and there is none.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    place = _choose(device, int(os.environ.get("LOCAL_RANK", "0")), size)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    if size == 1:
        yield World(rank=0, size=1, device=place)
        return
    if distributed.is_initialized():
        yield World(rank=rank, size=size, device=place)
        return
    backend = "cpu:gloo,cuda:nccl" if place.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        yield World(rank=rank, size=size, device=place)
    finally:
        distributed.destroy_process_group()


def choose_device(name: str) -> torch.device:
    """Return the device of that name on this process's machine, as `join` does.

    Raises:
        UsageError: There is no such device.
        MissingDependencyError: A GPU was asked for and there is none.
    """
    rank, size = os.environ.get("LOCAL_RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    return _choose(name, int(rank), int(size))


def _choose(name: str, local_rank: int, size: int) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"no such device: {name!r}", where="--device", remedy="use cpu or cuda")
    if device.type == "cpu":
        return device
    if device.index is not None and size > 1:
        raise UsageError(
            "names one GPU for several processes", where="--device", remedy="use --device cuda"
        )
    index = local_rank if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise MissingDependencyError(
            f"no such GPU: number {index} (this machine has {torch.cuda.device_count()})",
            where="--device",
            remedy="use --device cpu, or start fewer processes",
        )
    return torch.device("cuda", index)

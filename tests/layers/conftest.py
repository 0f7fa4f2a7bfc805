"""Two processes over gloo, for the layers whose result depends on the whole batch."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed
from torch.multiprocessing import start_processes

PROCESSES = 2
Together = Callable[[Callable[[int], dict[str, Any]]], list[dict[str, Any]]]
# Torch is imported once for all processes of all tests, and not by each anew.
multiprocessing.set_forkserver_preload(["attncli.workflows.train.network"])


def take_part(rank: int, work: Callable[[int], dict[str, Any]], directory: Path) -> None:
    """Join the other processes, work, and write what came of it."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory}/store", rank=rank, world_size=PROCESSES
    )
    torch.save(work(rank), directory / f"{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    """Has two processes work together, given their ranks; returns what each of them made."""

    def work_together(work: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
        directory = tmp_path_factory.mktemp("processes")
        start_processes(take_part, (work, directory), PROCESSES, start_method="forkserver")
        return [
            torch.load(directory / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES)
        ]

    return work_together

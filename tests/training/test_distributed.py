import socket

import pytest
import torch
from torch import multiprocessing

from attncli.errors import MissingDependencyError, UsageError
from attncli.training.distributed import World, join


def test_alone_a_process_is_the_whole_world() -> None:
    with join("cpu") as world:
        assert (world.rank, world.size, world.device) == (0, 1, torch.device("cpu"))
        assert world.leads
        assert world.share([1, 2, 3]) == [1, 2, 3]
        assert world.gather("a") == ["a"]
        assert torch.equal(world.add_up(torch.ones(2)), torch.ones(2))
        world.wait()


def test_shares_are_every_size_th_item() -> None:
    shares = [World(rank, 3, torch.device("cpu")).share(range(8)) for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4, 7], [2, 5]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_is_not_there_is_missed(device: str) -> None:
    with pytest.raises(MissingDependencyError, match="no such GPU: number"), join(device):
        pass


@pytest.mark.parametrize("device", ["cpuu", "mps", ""])
def test_a_device_of_another_kind_is_refused(device: str) -> None:
    with pytest.raises(UsageError, match="--device: no such device"), join(device):
        pass


def test_processes_do_not_share_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="one GPU for several processes"), join("cuda:0"):
        pass


@pytest.mark.slow
def test_two_processes_add_up_and_gather() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(_meet, args=(port,), nprocs=2)


def _meet(rank: int, port: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}.items():
            patch.setenv(name, str(value))
        patch.setenv("MASTER_ADDR", "127.0.0.1")
        with join("cpu") as world:
            assert (world.rank, world.size, world.leads) == (rank, 2, rank == 0)
            with join("cpu") as again:  # as a workflow does that calls another one
                assert again == world
                assert again.gather(rank) == [0, 1]
            own = torch.tensor([rank + 1.0])
            assert world.add_up(own).item() == 3
            assert own.item() == rank + 1
            assert world.gather(f"from {rank}") == ["from 0", "from 1"]
            world.wait()

"""Two processes over gloo against one, for the layers whose result depends on the whole batch."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing, nn

from attncli.layers.global_dropout import GlobalDropout
from attncli.layers.synchronized_norm import SynchronizedBatchNorm, synchronize_batch_norm

PROCESSES = 2
CLIPS, CHANNELS = 5, 3


def batch() -> torch.Tensor:
    x = torch.randn(CLIPS, CHANNELS, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    return 3 * x + 100  # a mean far from zero, where sums of squares lose their digits


def network() -> nn.Sequential:
    torch.manual_seed(0)
    norm = nn.BatchNorm3d(CHANNELS)
    nn.init.normal_(norm.weight)
    return nn.Sequential(norm, nn.Conv3d(CHANNELS, 2, 1), nn.BatchNorm3d(2))


def loss(y: torch.Tensor) -> torch.Tensor:
    return (y**3).sum()


def work(rank: int, directory: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory}/store", rank=rank, world_size=PROCESSES
    )
    model = synchronize_batch_norm(network(), torch.device("cpu"))
    x = batch()[rank::PROCESSES].requires_grad_()
    y = model(x)
    loss(y).backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    for gradient in gradients:
        distributed.all_reduce(gradient)
    torch.manual_seed(7)
    dropout = GlobalDropout(0.5)
    dropped = [dropout(torch.ones_like(x)) for _ in range(2)]
    state = deepcopy(model.state_dict())
    empty = model(batch()[:0] if rank else batch())
    torch.save(
        {
            "y": y.detach(),
            "x": x.grad,
            "parameters": gradients,
            "state": state,
            "dropped": dropped,
            "empty": empty.detach(),
        },
        directory / f"{rank}.pt",
    )
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    directory = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(work, (directory,), nprocs=PROCESSES)
    return [torch.load(directory / f"{rank}.pt", weights_only=True) for rank in range(PROCESSES)]


@pytest.fixture(scope="module")
def alone() -> dict:
    model, x = network(), batch().requires_grad_()
    y = model(x)
    loss(y).backward()
    return {"model": model, "y": y.detach(), "x": x.grad}


def joined(answers: list[dict], key: str) -> torch.Tensor:
    whole = torch.empty(CLIPS, *answers[0][key].shape[1:])
    for rank, answer in enumerate(answers):
        whole[rank::PROCESSES] = answer[key]
    return whole


def test_normalised_values_are_those_of_one_process(answers, alone):
    torch.testing.assert_close(joined(answers, "y"), alone["y"], rtol=1e-4, atol=1e-4)


def test_gradients_of_the_input_are_those_of_one_process(answers, alone):
    torch.testing.assert_close(joined(answers, "x"), alone["x"], rtol=1e-3, atol=1e-4)


def test_gradients_of_the_parameters_add_up_to_those_of_one_process(answers, alone):
    for answer in answers:
        for got, expected in zip(answer["parameters"], alone["model"].parameters(), strict=True):
            torch.testing.assert_close(got, expected.grad, rtol=1e-3, atol=1e-3)


def test_running_statistics_are_those_of_one_process(answers, alone):
    for answer in answers:
        for key, expected in alone["model"].state_dict().items():
            torch.testing.assert_close(answer["state"][key], expected, rtol=1e-4, atol=1e-4)


def test_a_process_without_clips_takes_part(answers, alone):
    assert len(answers[1]["empty"]) == 0
    torch.testing.assert_close(answers[0]["empty"], alone["y"], rtol=1e-4, atol=1e-4)


def test_processes_drop_together_what_one_would(answers):
    torch.manual_seed(7)
    dropout = GlobalDropout(0.5)
    for turn in range(2):
        expected = dropout(torch.ones_like(batch()))
        for rank, answer in enumerate(answers):
            torch.testing.assert_close(answer["dropped"][turn], expected[rank::PROCESSES])


def test_dropout_keeps_the_mean_and_drops_the_share_asked_for():
    torch.manual_seed(0)
    y = GlobalDropout(0.25)(torch.ones(200, 500))
    torch.testing.assert_close(y.unique(), torch.tensor([0, 1 / 0.75]))
    assert y.mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("layer", [GlobalDropout(0.5).eval(), GlobalDropout(0.0)])
def test_dropout_does_nothing_in_evaluation_or_at_probability_zero(layer):
    x = torch.randn(2, 3)
    assert layer(x) is x


def test_one_process_normalises_as_torch_does():
    ours, theirs = SynchronizedBatchNorm(CHANNELS), nn.BatchNorm3d(CHANNELS)
    assert torch.equal(ours(batch()), theirs(batch()))
    assert torch.equal(ours.running_var, theirs.running_var)

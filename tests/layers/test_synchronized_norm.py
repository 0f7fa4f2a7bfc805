"""Two processes against one."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import distributed, nn

from attncli.errors import AttncliError
from attncli.layers.synchronized_norm import SynchronizedBatchNorm, synchronize_batch_norm

PROCESSES = 2
CLIPS, CHANNELS = 5, 3
CLIP = (2, 3, 4)


def batch() -> torch.Tensor:
    x = torch.randn(CLIPS, CHANNELS, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    return 3 * x + 100  # a mean far from zero, where sums of squares lose their digits


def network() -> nn.Sequential:
    torch.manual_seed(0)
    norm = nn.BatchNorm3d(CHANNELS)
    nn.init.normal_(norm.weight)
    return nn.Sequential(norm, nn.Conv3d(CHANNELS, 2, 1), nn.BatchNorm3d(2))


def norms() -> dict[str, nn.Module]:
    """Return a batch normalisation of every kind that can be synchronised."""
    return {
        "vectors": nn.BatchNorm1d(CHANNELS),
        "series": nn.BatchNorm1d(CHANNELS),
        "images": nn.BatchNorm2d(CHANNELS),
        "clips": nn.BatchNorm3d(CHANNELS),
        "mean of all batches": nn.BatchNorm2d(CHANNELS, momentum=None),
        "no scale": nn.BatchNorm2d(CHANNELS, affine=False),
        "no running statistics": nn.BatchNorm2d(CHANNELS, track_running_stats=False),
        "frozen": nn.BatchNorm2d(CHANNELS).eval(),
    }


def batch_for(name: str) -> torch.Tensor:
    axes = {"vectors": (), "series": (4,), "clips": CLIP, "clips again": CLIP}.get(name, (3, 4))
    return 3 * torch.randn(CLIPS, CHANNELS, *axes, generator=torch.Generator().manual_seed(1)) + 2


def normalised(model: nn.ModuleDict, share: slice) -> dict[str, torch.Tensor]:
    """Return what each norm answers to the second of two batches, the first one halved."""
    for name, norm in model.items():
        norm(batch_for(name)[share] / 2)
    return {name: norm(batch_for(name)[share]).detach() for name, norm in model.items()}


def loss(y: torch.Tensor) -> torch.Tensor:
    return (y**3).sum()


def work(rank: int) -> dict[str, Any]:
    model = synchronize_batch_norm(network(), torch.device("cpu"))
    x = batch()[rank::PROCESSES].requires_grad_()
    y = model(x)
    loss(y).backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    for gradient in gradients:
        distributed.all_reduce(gradient)
    state = deepcopy(model.state_dict())
    empty = model(batch()[:0] if rank else batch())
    kinds = synchronize_batch_norm(nn.ModuleDict(norms()), torch.device("cpu"))
    answers = normalised(kinds, slice(rank, None, PROCESSES))
    try:
        nn.Sequential(SynchronizedBatchNorm(1))(torch.ones(1 - rank, 1, 1))
        lonely = "no error"
    except AttncliError as error:
        lonely = str(error)
    return {
        "kinds": answers,
        "kinds' state": kinds.state_dict(),
        "lonely": lonely,
        "y": y.detach(),
        "x": x.grad,
        "parameters": gradients,
        "state": state,
        "empty": empty.detach(),
    }


@pytest.fixture(scope="module")
def answers(together) -> list[dict]:
    return together(work)


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


def test_every_kind_of_batch_normalisation_is_synchronised(answers):
    alone = nn.ModuleDict(norms())
    expected = normalised(alone, slice(None))
    for name, whole in expected.items():
        for rank, answer in enumerate(answers):
            got = answer["kinds"][name]
            torch.testing.assert_close(got, whole[rank::PROCESSES], rtol=1e-4, atol=1e-4, msg=name)
    for answer in answers:
        assert answer["kinds' state"].keys() == alone.state_dict().keys()
        for key, value in alone.state_dict().items():
            torch.testing.assert_close(answer["kinds' state"][key], value, rtol=1e-4, atol=1e-4)


def test_one_value_a_channel_in_all_processes_is_refused(answers):
    for answer in answers:
        assert "two values per channel" in answer["lonely"]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_synchronised_network_answers_the_same_and_keeps_weights_keys_and_modes(device):
    before = nn.ModuleDict(norms())
    normalised(before, slice(None))
    before["clips"].weight.requires_grad_(False)
    before["clips again"] = before["clips"]
    after = synchronize_batch_norm(deepcopy(before), torch.device(device))
    kind = nn.SyncBatchNorm if device == "cuda" else SynchronizedBatchNorm
    assert all(isinstance(norm, kind) for norm in after.values())
    assert after["clips again"] is after["clips"]
    assert not after["clips"].weight.requires_grad
    assert not after["frozen"].training
    assert after["images"].training
    assert after.state_dict().keys() == before.state_dict().keys()
    del before["no running statistics"], after["no running statistics"]  # is of the batch alone
    before.eval(), after.eval()
    for name, norm in before.items():
        torch.testing.assert_close(after[name](batch_for(name)), norm(batch_for(name)))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_norm_of_timm_drops_and_activates_as_before(device):
    layers = pytest.importorskip("timm.layers")
    norm = layers.BatchNormAct2d(CHANNELS, act_layer=nn.SiLU, drop_layer=nn.Tanh)
    x = batch_for("images")
    norm(x)
    synchronized = synchronize_batch_norm(deepcopy(norm), torch.device(device))
    assert synchronized.state_dict().keys() == norm.state_dict().keys()
    torch.testing.assert_close(synchronized.eval()(x), norm.eval()(x))
    if device == "cpu":  # torch's kernels for a GPU do not train here
        assert isinstance(synchronized, SynchronizedBatchNorm)
        torch.testing.assert_close(synchronized.train()(x), norm.train()(x))
    else:
        assert isinstance(synchronized, nn.SyncBatchNorm)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_network_is_synchronised_once(device):
    model = synchronize_batch_norm(network(), torch.device(device))
    kinds = [type(module) for module in model.modules()]
    model = synchronize_batch_norm(model, torch.device(device))
    assert [type(module) for module in model.modules()] == kinds


def test_a_norm_that_is_the_whole_network_is_synchronised():
    norm = synchronize_batch_norm(nn.BatchNorm2d(2), torch.device("cuda"))
    assert type(norm) is nn.SyncBatchNorm


class RenormalizedBatchNorm(nn.BatchNorm2d):
    """A batch normalisation nobody knows."""


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("kind", [RenormalizedBatchNorm, nn.LazyBatchNorm2d])
def test_an_unknown_batch_normalisation_is_refused_by_name_and_nothing_is_changed(device, kind):
    unknown = kind() if kind is nn.LazyBatchNorm2d else kind(2)
    model = nn.Sequential(nn.BatchNorm2d(2), nn.Sequential(unknown))
    with pytest.raises(AttncliError, match=rf"1\.0: .*type {kind.__name__} cannot"):
        synchronize_batch_norm(model, torch.device(device))
    assert type(model[0]) is nn.BatchNorm2d


def test_one_process_normalises_as_torch_does():
    ours, theirs = SynchronizedBatchNorm(CHANNELS), nn.BatchNorm3d(CHANNELS)
    assert torch.equal(ours(batch()), theirs(batch()))
    assert torch.equal(ours.running_var, theirs.running_var)

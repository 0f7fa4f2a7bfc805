from dataclasses import FrozenInstanceError

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from attncli.batches import ClipBatch
from attncli.losses.classification import ClipObjective
from attncli.training.objective import Learned, Network, Objective
from attncli.types import BranchOutputs, Losses
from tests.support.batches import clip_batch

NAMES = st.text("ab.", max_size=5)


class MeanScore:
    """Minimises the mean of what a network says."""

    def __call__(self, network: Network, batch: ClipBatch) -> Losses:
        total = network(batch.frames).mean()
        return Losses(total=total, terms={"mean": total})


def learned(**rates: float) -> Learned[ClipBatch]:
    return Learned(nn.Identity(), MeanScore(), rates)


def test_without_rates_every_part_learns_as_fast() -> None:
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    plain = Learned(model, MeanScore())
    assert plain.rates == {}
    assert {plain.rate_of(name) for name, _ in model.named_parameters()} == {1.0}


@pytest.mark.parametrize("names", [("head", "head.bias"), ("head.bias", "head")])
def test_the_longest_beginning_counts_whatever_the_order(names: tuple[str, str]) -> None:
    factors = {"head": 10.0, "head.bias": 3.0}
    fast = learned(**{name: factors[name] for name in names})
    assert fast.rate_of("head.bias") == 3
    assert fast.rate_of("head.weight") == 10
    assert fast.rate_of("encoder.head.bias") == 1


def test_a_rate_of_zero_is_no_missing_rate() -> None:
    assert learned(**{"": 2.0, "stem": 0.0}).rate_of("stem.weight") == 0
    assert learned(**{"": 2.0, "stem": 0.0}).rate_of("head.weight") == 2


@given(st.dictionaries(NAMES, st.floats(0, 10)), NAMES)
def test_the_rate_is_that_of_the_first_beginning_found_when_shortening_the_name(
    rates: dict[str, float], name: str
) -> None:
    # The naive way: cut letters off the name until what is left has a rate.
    expected = next((rates[name[:n]] for n in range(len(name), -1, -1) if name[:n] in rates), 1.0)
    assert learned(**rates).rate_of(name) == expected


def test_an_objective_owns_the_pass_and_leads_gradients_through_it() -> None:
    calls: list[tuple[int, ...]] = []
    weight = torch.tensor(2.0, requires_grad=True)

    def network(frames: Tensor) -> Tensor:
        calls.append(tuple(frames.shape))
        return weight * frames.float()

    batch = clip_batch(frames=torch.full((2, 3, 1, 4, 4), 5, dtype=torch.uint8))
    losses = MeanScore()(network, batch)
    losses.total.backward()
    assert calls == [(2, 3, 1, 4, 4)]
    assert (losses.total.item(), weight.grad.item()) == (10, 5)


def test_the_objective_of_clips_is_one() -> None:
    def loss(outputs: BranchOutputs, batch: ClipBatch) -> Losses:
        total = outputs.scores.sum()
        return Losses(total=total, terms={"per": total})

    objective = ClipObjective(loss)
    assert isinstance(objective, Objective)
    seen: list[Tensor] = []

    def network(frames: Tensor) -> BranchOutputs:
        seen.append(frames)
        return BranchOutputs(scores=torch.ones(len(frames), 2))

    batch = clip_batch(n=3)
    assert objective(network, batch).terms["per"] == 6
    assert len(seen) == 1
    assert torch.equal(seen[0], batch.frames)


def test_what_is_trained_cannot_be_exchanged_later() -> None:
    with pytest.raises(FrozenInstanceError):
        learned().model = nn.Linear(1, 1)  # type: ignore[misc]

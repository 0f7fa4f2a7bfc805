from collections.abc import Callable

import pytest
import torch
from torch import nn

from attncli.config.training import TrainConfig
from attncli.training.objective import Learned
from attncli.training.optimization import learning_rate, make_optimizer, set_learning_rate
from attncli.types import Losses

Make = Callable[..., TrainConfig]


def no_objective(network: object, batch: object) -> Losses:
    raise NotImplementedError


def course(config: TrainConfig, steps_per_epoch: int) -> list[float]:
    return [
        learning_rate(config, s, steps_per_epoch) for s in range(config.epochs * steps_per_epoch)
    ]


def test_without_a_schedule_the_rate_stays(make_config: Make) -> None:
    assert course(make_config(lr=0.1), 2) == [0.1] * 6


def test_warm_up_rises_linearly_to_the_full_rate(make_config: Make) -> None:
    rates = course(make_config(lr=1.0, warmup_epochs=1.5, epochs=3), 4)
    assert rates == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1, 1, 1, 1, 1, 1])


def test_a_cosine_falls_from_the_full_rate_towards_zero(make_config: Make) -> None:
    # (1 + cos(pi s / 4)) / 2 for s = 0 .. 3
    expected = [1, 0.8535533905932737, 0.5, 0.14644660940672627]
    assert course(make_config(lr=1.0, schedule="cosine", epochs=2), 2) == pytest.approx(expected)


def test_a_cosine_begins_after_the_warm_up(make_config: Make) -> None:
    config = make_config(lr=1.0, schedule="cosine", epochs=3, warmup_epochs=1.0)
    assert course(config, 2)[2:] == pytest.approx(
        course(make_config(lr=1.0, schedule="cosine", epochs=2), 2)
    )


def test_steps_divide_by_ten_after_each_milestone(make_config: Make) -> None:
    config = make_config(lr=1.0, schedule="step", milestones=(1, 3), epochs=4)
    assert course(config, 2) == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_biases_and_normalisation_are_spared_weight_decay(make_config: Make, name: str) -> None:
    model = nn.Sequential(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4))
    optimizer = make_optimizer(
        Learned(model, no_objective), make_config(optimizer=name, weight_decay=0.1)
    )
    decayed, spared = optimizer.param_groups
    assert [id(w) for w in decayed["params"]] == [id(model[0].weight)]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert len(spared["params"]) == 3


def test_sgd_follows_nesterov(make_config: Make) -> None:
    model = nn.Linear(1, 1, bias=False)
    optimizer = make_optimizer(
        Learned(model, no_objective), make_config(optimizer="sgd", lr=0.1, momentum=0.5)
    )
    weight = model.weight.item()
    for _ in range(2):
        model.weight.grad = torch.ones(1, 1)
        optimizer.step()
    # By hand: v1 = 1, step 1 + 0.5 v1 = 1.5; v2 = 0.5 v1 + 1 = 1.5, step 1 + 0.5 v2 = 1.75
    assert model.weight.item() == pytest.approx(weight - 0.1 * (1.5 + 1.75))


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_parts_learn_at_rates_of_their_own(make_config: Make, name: str) -> None:
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    learned = Learned(model, no_objective, {"head": 10.0, "head.bias": 3.0})
    optimizer = make_optimizer(learned, make_config(optimizer=name))
    set_learning_rate(optimizer, learned, 0.1)
    rates = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    assert {n: rates[id(w)] for n, w in model.named_parameters()} == pytest.approx(
        {"encoder.weight": 0.1, "encoder.bias": 0.1, "head.weight": 1.0, "head.bias": 0.3}
    )
    assert len(rates) == sum(len(group["params"]) for group in optimizer.param_groups)

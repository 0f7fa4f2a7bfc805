import random

import numpy as np
import pytest
import torch

from attncli.training.seeds import choose_algorithms, order_generator, seed_everything, seed_step


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(()).item()  # noqa: NPY002


def test_a_seed_settles_every_generator() -> None:
    seed_everything(3)
    first = draws()
    seed_everything(3)
    assert draws() == first
    seed_everything(4)
    assert all(one != other for one, other in zip(draws(), first, strict=True))


@pytest.mark.parametrize("other", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_each_step_of_each_run_draws_numbers_of_its_own(other: tuple[int, int, int]) -> None:
    seed_step(0, 0, 0)
    first = draws()
    seed_step(*other)
    assert all(one != another for one, another in zip(draws(), first, strict=True))


def test_a_step_draws_the_same_whatever_came_before() -> None:
    seed_step(0, 2, 5)
    first = draws()
    torch.rand(100)
    seed_step(0, 2, 5)
    assert draws() == first


def test_the_order_is_not_drawn_from_the_numbers_of_clip_0() -> None:
    clip = np.random.default_rng(np.random.SeedSequence([0, 0, 0, 0]))
    assert order_generator(0, 0).random() != clip.random()


def test_deterministic_algorithms_are_chosen_and_left_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    choose_algorithms(deterministic=True)
    chosen = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    choose_algorithms(deterministic=False)
    assert chosen == (True, False)
    assert not torch.are_deterministic_algorithms_enabled()

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attncli.training.batches import BatchOrder


def order(n: int = 11, rank: int = 0, size: int = 1, parts: int = 1, seed: int = 0) -> BatchOrder:
    return BatchOrder(n, batch_size=4, parts=parts, seed=seed, rank=rank, size=size)


def test_an_epoch_shows_every_clip_once_and_drops_no_short_batch() -> None:
    batches = list(order())
    assert [len(batch) for batch in batches] == [4, 4, 3]
    assert sorted(chain(*batches)) == list(range(11))


def test_the_order_changes_with_the_epoch_and_the_seed_alone() -> None:
    first, again, other_seed = order(), order(), order(seed=1)
    assert list(first) == list(again) != list(other_seed)
    again.begin(epoch=1, first_step=0)
    assert list(first) != list(again)


@given(
    n=st.integers(1, 40),
    step=st.integers(0, 9),
    size=st.integers(1, 3),
    parts=st.sampled_from([1, 2, 4]),
)
def test_reading_can_begin_at_any_step(n: int, step: int, size: int, parts: int) -> None:
    whole, rest = (order(n, rank=size - 1, size=size, parts=parts) for _ in range(2))
    step = min(step, whole.steps)
    rest.begin(epoch=0, first_step=step)
    skipped = sum(whole.parts_of(s) for s in range(step))
    assert list(rest) == list(whole)[skipped:]
    assert len(rest) == len(list(rest))


@given(n=st.integers(1, 40), size=st.integers(1, 5))
def test_processes_share_each_batch_by_every_size_th_clip(n: int, size: int) -> None:
    shares = [list(order(n, rank=rank, size=size)) for rank in range(size)]
    for batch, *parts in zip(order(n), *shares, strict=True):
        assert all(part == batch[rank::size] for rank, part in enumerate(parts))


@pytest.mark.parametrize(
    ("n", "sizes"), [(8, [2, 2, 2, 2]), (11, [2, 2, 2, 2, 2, 1]), (5, [2, 2, 1])]
)
def test_parts_of_a_batch_follow_each_other(n: int, sizes: list[int]) -> None:
    parts = order(n, parts=2)
    assert [len(part) for part in parts] == sizes
    assert list(chain(*parts)) == list(chain(*order(n)))

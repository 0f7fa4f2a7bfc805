import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.metrics.annotator_agreement import interval_alpha, pair_agreement


def scores(*values: float | None) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)


def test_agreement_of_two_people_by_hand() -> None:
    first, second = scores(0, 0, 0.5, 1, 1), scores(0, 0.5, 0.5, 1, 0)
    found = pair_agreement(first, second)
    assert found.same_percent == pytest.approx(60)
    assert found.mean_difference == pytest.approx((0 + 0.5 + 0 + 0 + 1) / 5)
    # The first gave 0, 0.5, 1 with shares 2/5, 1/5, 2/5, the second with 2/5, 2/5, 1/5.
    by_chance = sum(
        a_share * b_share * abs(a - b)
        for a, a_share in zip((0, 0.5, 1), (0.4, 0.2, 0.4), strict=True)
        for b, b_share in zip((0, 0.5, 1), (0.4, 0.4, 0.2), strict=True)
    )
    assert found.kappa == pytest.approx(1 - 0.3 / by_chance)


def test_kappa_is_1_for_the_same_scores_and_negative_for_opposite_ones() -> None:
    first = scores(0, 0.5, 1)
    assert pair_agreement(first, first).kappa == pytest.approx(1)
    opposite = pair_agreement(first, 1 - first).kappa
    assert opposite is not None
    assert opposite < 0


@pytest.mark.parametrize("first", [scores(0.3, 1), scores(1, 1)])
def test_there_is_no_kappa_of_other_scores_or_a_single_one(first: np.ndarray) -> None:
    assert pair_agreement(first, scores(1, 1)).kappa is None


def test_alpha_of_krippendorffs_own_example() -> None:
    # Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section E: 4 observers, 12
    # units, interval alpha 0.849.
    none = None
    observers = [
        scores(1, 2, 3, 3, 2, 1, 4, 1, 2, none, none, none),
        scores(1, 2, 3, 3, 2, 2, 4, 1, 2, 5, none, 3),
        scores(none, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, none),
        scores(1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, none),
    ]
    assert interval_alpha(np.stack(observers)) == pytest.approx(0.849, abs=5e-4)


def test_alpha_by_hand() -> None:
    # Two people, three frames: D_o = mean of (a - b)^2 = (0 + 0 + 0.25)/3; D_e is that over all
    # 30 ordered pairs of the six scores 0 0 1 1 0 0.5: 2 (6 * 2.25 - 2.5^2) / 30.
    alpha = interval_alpha(np.stack([scores(0, 1, 0), scores(0, 1, 0.5)]))
    assert alpha == pytest.approx(1 - (0.25 / 3) / (2 * (6 * 2.25 - 2.5**2) / 30))


@pytest.mark.parametrize("same", [scores(0.3, 0.3, 0.3), scores(None, None, None)])
def test_there_is_no_alpha_where_all_scores_are_the_same(same: np.ndarray) -> None:
    assert interval_alpha(np.stack([same, same, same])) is None


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 4), frames=st.integers(0, 8))
def test_alpha_is_the_naive_sum_over_pairs(seed: int, people: int, frames: int) -> None:
    generator = np.random.default_rng(seed)
    given = generator.choice([0, 0.5, 1, np.nan], (people, frames)).astype(np.float32)
    units = [column[~np.isnan(column)].tolist() for column in given.T]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    observed = sum(sum((a - b) ** 2 for a in u for b in u) / (len(u) - 1) for u in units) / max(
        n, 1
    )
    expected = sum((a - b) ** 2 for a in values for b in values) / max(n * (n - 1), 1)
    found = interval_alpha(given)
    if expected == 0:
        assert found is None
    else:
        assert found == pytest.approx(1 - observed / expected)

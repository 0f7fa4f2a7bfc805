import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.metrics.value_range import stretched

MAPS = np.array([[[[1.0, 3.0], [2.0, 1.0]], [[5.0, 5.0], [5.0, 5.0]]]], dtype=np.float32)


def test_each_frame_gets_its_own_0_and_1_and_a_flat_one_looks_everywhere() -> None:
    expected = [[[[0, 1], [0.5, 0]], [[1, 1], [1, 1]]]]
    np.testing.assert_array_equal(stretched(MAPS, "frame"), expected)


def test_a_clip_gets_one_0_and_one_1() -> None:
    expected = [[[[0, 0.5], [0.25, 0]], [[1, 1], [1, 1]]]]
    np.testing.assert_array_equal(stretched(MAPS, "clip"), expected)


def test_without_a_range_values_stay_and_none_may_be_outside_0_and_1() -> None:
    np.testing.assert_array_equal(stretched(MAPS / 5, "none"), MAPS / 5)
    with pytest.raises(AttncliError, match=r"^runs/a, row 7: a value is outside \[0, 1\]"):
        stretched(MAPS, "none", first_row=7, where="runs/a")


def test_the_maps_themselves_are_left_alone() -> None:
    before = MAPS.copy()
    for value_range in ("frame", "clip"):
        stretched(MAPS, value_range)
    stretched(MAPS / 5, "none")[:] = 0
    np.testing.assert_array_equal(MAPS, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("value_range", ["frame", "clip", "none"])
def test_a_value_that_is_not_finite_is_refused_by_row(value: float, value_range: str) -> None:
    maps = np.zeros((3, 2, 2, 2), dtype=np.float32)
    maps[1, 1, 0, 1] = value
    with pytest.raises(AttncliError, match=r"row 1: a value is not finite"):
        stretched(maps, value_range)

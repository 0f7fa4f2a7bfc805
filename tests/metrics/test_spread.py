import math

import pytest

from attncli.metrics.spread import mean_and_std


def test_the_spread_is_that_of_a_sample():
    mean, std = mean_and_std([2.0, 4.0, 9.0])
    assert mean == pytest.approx(5.0)
    assert std == pytest.approx(math.sqrt((9 + 1 + 16) / 2))


def test_one_figure_has_no_spread_and_none_has_no_mean():
    assert mean_and_std([3.0]) == (3.0, None)
    assert mean_and_std([]) == (None, None)

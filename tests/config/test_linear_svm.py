import math
from pathlib import Path

import pytest

from attncli.config.linear_svm import LinearSvmConfig
from attncli.errors import UsageError


def test_c_is_chosen_from_a_grid_unless_it_is_given():
    config = LinearSvmConfig(data=Path("f"))
    assert config.c is None
    assert len(config.c_grid) > 1
    assert LinearSvmConfig(data=Path("f"), c=2.0).c == 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"c": 0.0}, "--c: must be positive and finite"),
        ({"c": math.inf}, "--c: must be positive and finite"),
        ({"c_grid": ()}, "--c-grid: must have a value"),
        ({"c_grid": (1.0, -1.0)}, "--c-grid: must be positive and finite"),
        ({"folds": 1}, r"--folds: must be in \[2, 100\]"),
        ({"tolerance": 0.0}, "--tolerance: must be positive"),
    ],
)
def test_what_is_no_weight_is_refused(bad, message):
    with pytest.raises(UsageError, match=message):
        LinearSvmConfig(data=Path("f"), **bad)

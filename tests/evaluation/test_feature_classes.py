import numpy as np
import pytest

from attncli.evaluation.feature_classes import accuracy_percent, difference, spread
from attncli.training.estimator import UNKNOWN


def test_accuracy_is_over_the_images_whose_class_is_known():
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    assert accuracy_percent(scores, np.array([0, 0, 0, UNKNOWN])) == pytest.approx(200 / 3)
    assert accuracy_percent(scores, np.full(4, UNKNOWN)) is None


def test_a_single_division_has_no_spread():
    assert (spread([70.0]).mean, spread([70.0]).std, spread([70.0]).n) == (70, None, 1)


def test_differences_are_taken_within_divisions():
    found = difference([80.0, 70.0, 60.0, 50.0], [77.0, 70.0, 61.0, 46.0])
    # 3, 0, -1, 4: mean 1.5, squared deviations 2.25 + 2.25 + 6.25 + 6.25 = 17, over 3
    assert found.spread.mean == pytest.approx(1.5)
    assert found.spread.std == pytest.approx((17 / 3) ** 0.5)
    assert (found.spread.n, found.wins, found.losses) == (4, 2, 1)
    with pytest.raises(ValueError, match="zip"):
        difference([1.0], [1.0, 2.0])

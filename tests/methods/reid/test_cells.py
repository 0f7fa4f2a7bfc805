import numpy as np
import pytest
import torch
from torch.nn import functional

from attncli.errors import UsageError
from attncli.methods.reid.cells import average, cell_means, stripes, weighted_sums

MAPS = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype(np.float32)


@pytest.mark.parametrize("parts_hw", [(1, 1), (2, 3), (3, 2), (5, 4)])
def test_parts_are_those_of_adaptive_pooling(parts_hw):
    found = MAPS.reshape(2, 3, 20) @ cell_means((5, 4), parts_hw)
    expected = functional.adaptive_avg_pool2d(torch.from_numpy(MAPS), parts_hw)
    np.testing.assert_allclose(found, expected.flatten(2).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parts_hw", [(6, 1), (1, 5), (0, 1)])
def test_no_more_parts_than_cells(parts_hw):
    with pytest.raises(UsageError, match="a map of 5x4 cells cannot be divided"):
        cell_means((5, 4), parts_hw)


def test_stripes_are_all_channels_of_one_after_another():
    maps = np.zeros((1, 2, 4, 3), np.float32)
    maps[0, 0, :2] = 1
    maps[0, 1, 2:] = 5
    np.testing.assert_array_equal(stripes(maps, 2), [[1, 0, 0, 5]])


def test_average_is_of_all_cells():
    np.testing.assert_allclose(average(MAPS), MAPS.mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)


def test_weighted_sums_by_hand():
    maps = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    found = weighted_sums(maps, np.array([[1.0, 0.0], [10.0, 1.0]]))
    np.testing.assert_array_equal(found, [[1, 3, 12, 34]])
    assert found.dtype == np.float32

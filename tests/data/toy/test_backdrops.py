import numpy as np
import pytest

from attncli.data.toy.backdrops import PLACES, backdrop


@pytest.mark.parametrize("size_hw", [(64, 64), (32, 50), (50, 32)])
@pytest.mark.parametrize("name", PLACES)
def test_neither_brightness_nor_contrast_tells_a_place(name, size_hw):
    for seed in range(4):
        plane = backdrop(name, size_hw, np.random.default_rng(seed))
        assert plane.shape == size_hw
        assert plane.mean() == pytest.approx(0, abs=1e-9)
        assert np.mean(plane**2) == pytest.approx(1)


@pytest.mark.parametrize("name", PLACES)
def test_light_and_dark_are_as_likely_the_other_way_round(name):
    planes = [backdrop(name, (32, 32), np.random.default_rng(seed)) for seed in range(40)]
    skewed = [np.mean(plane**3) > 0 for plane in planes]
    assert 8 <= sum(skewed) <= 32


@pytest.mark.parametrize("name", PLACES)
def test_no_two_pictures_of_a_place_are_alike(name):
    one, other = (backdrop(name, (64, 64), np.random.default_rng(seed)) for seed in (0, 1))
    assert abs(np.mean(one * other)) < 0.97


def test_layout_tells_places_apart():
    """Trunks change along rows, ripples along columns."""

    def upright(name):
        planes = [backdrop(name, (64, 64), np.random.default_rng(seed)) for seed in range(5)]
        return np.mean([np.abs(np.diff(p, axis=1)).mean() for p in planes]) / np.mean(
            [np.abs(np.diff(p, axis=0)).mean() for p in planes]
        )

    assert upright("forest") > 1.5
    assert upright("sea") < 0.3

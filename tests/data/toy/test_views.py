from dataclasses import replace

import numpy as np
import pytest

from attncli.data.toy.backdrops import PLACES
from attncli.data.toy.image_folder import EASY, HARD
from attncli.data.toy.shapes import SHAPES
from attncli.data.toy.views import render_view

PLAIN = replace(EASY, others=(0, 0), hidden=0.0, noise=(0.0, 0.0), blur_px=(0.1, 0.1))


def view(seed=0, thing="star", place="sea", conditions=PLAIN, size_hw=(64, 64)):
    rng = np.random.default_rng(seed)
    return render_view(thing, place, conditions=conditions, size_hw=size_hw, rng=rng).astype(float)


@pytest.mark.parametrize("size_hw", [(32, 32), (40, 96), (96, 40)])
@pytest.mark.parametrize("conditions", [EASY, HARD])
def test_pictures_of_any_size_can_be_taken(conditions, size_hw):
    assert view(conditions=conditions, size_hw=size_hw).shape == (*size_hw, 3)


def test_another_object_changes_only_where_the_object_lies():
    for seed in range(6):
        changed = np.abs(view(seed) - view(seed, thing="ring")).max(axis=2) > 2
        assert 0.01 < changed.mean() < 0.6


def test_colour_says_neither_what_the_object_is_nor_where_it_lies():
    """One draw gives all objects and places nearly the same mean colour and the same spread."""
    for seed in range(4):
        means = [view(seed, thing=thing).mean(axis=(0, 1)) for thing in SHAPES]
        means += [view(seed, place=place).mean(axis=(0, 1)) for place in PLACES]
        assert np.ptp(means, axis=0).max() < 12


def test_what_may_go_wrong_changes_pictures():
    plain = view()
    for changes in ({"others": (3, 3)}, {"hidden": 1.0}, {"noise": (9.0, 9.0)}):
        assert not np.array_equal(plain, view(conditions=replace(PLAIN, **changes)))


def test_noise_is_as_strong_as_it_should_be():
    clean, noisy = view(), view(conditions=replace(PLAIN, noise=(6.0, 6.0)))
    assert (noisy - clean).std() == pytest.approx(6, rel=0.1)

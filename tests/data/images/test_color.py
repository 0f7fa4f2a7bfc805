from dataclasses import replace
from pathlib import Path

import numpy as np

from attncli.config.images import ImageConfig
from attncli.data.images.color import Change, ColorJitter

CONFIG = ImageConfig(data=Path())
STILL = replace(
    CONFIG, jitter_brightness=0.0, jitter_contrast=0.0, jitter_saturation=0.0, jitter_hue=0.0
)


def drawn(config, n=400):
    return [ColorJitter.draw(config, np.random.default_rng(seed)) for seed in range(n)]


def test_amounts_fill_their_ranges():
    for change, least, most in (
        (Change.BRIGHTNESS, 0.7, 1.3),
        (Change.CONTRAST, 0.7, 1.3),
        (Change.SATURATION, 0.7, 1.3),
        (Change.HUE, -0.1, 0.1),
    ):
        amounts = [dict(jitter.changes)[change] for jitter in drawn(CONFIG)]
        assert least <= min(amounts) < least + 0.02
        assert most - 0.02 < max(amounts) <= most


def test_changes_come_in_every_order():
    orders = {tuple(change for change, _ in jitter.changes) for jitter in drawn(CONFIG)}
    assert len(orders) == 24


def test_without_changes_an_image_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    (jitter,) = drawn(STILL, 1)
    assert jitter.changes == ()
    np.testing.assert_array_equal(jitter.apply(image), image)


def test_one_change_alone_draws_the_same_amount_as_among_others():
    for both, one in zip(drawn(CONFIG, 9), drawn(replace(STILL, jitter_hue=0.1), 9), strict=True):
        assert dict(one.changes) == {Change.HUE: dict(both.changes)[Change.HUE]}


def test_changes_do_what_they_are_called():
    image = np.full((2, 2, 3), (100, 50, 20), dtype=np.uint8)

    def changed(change, amount):
        return ColorJitter(((change, amount),)).apply(image)[0, 0].tolist()

    assert changed(Change.BRIGHTNESS, 0.5) == [50, 25, 10]
    grey = round(0.299 * 100 + 0.587 * 50 + 0.114 * 20)
    assert changed(Change.SATURATION, 0.0) == [grey] * 3
    assert changed(Change.CONTRAST, 0.0) == [grey] * 3
    red, green, blue = changed(Change.HUE, 1 / 3)  # a third of the circle: red becomes green
    assert green == 100
    assert abs(blue - 50) < 3
    assert abs(red - 20) < 3

import math
from dataclasses import replace
from pathlib import Path

import pytest

from attncli.config.fields import settings
from attncli.config.images import ImageConfig
from attncli.errors import UsageError

CONFIG = ImageConfig(data=Path())


def test_defaults_are_those_of_psa() -> None:
    assert (CONFIG.crop_px, CONFIG.long_side_min_px, CONFIG.long_side_max_px) == (448, 448, 768)
    jitter = (CONFIG.jitter_brightness, CONFIG.jitter_contrast, CONFIG.jitter_saturation)
    assert (*jitter, CONFIG.jitter_hue) == (0.3, 0.3, 0.3, 0.1)
    assert CONFIG.flip == "plain"


@pytest.mark.parametrize("name", ["crop_px", "long_side_min_px", "long_side_max_px"])
@pytest.mark.parametrize("value", [0, -1, 10_001])
def test_sides_are_positive_and_no_slip_of_the_hand(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be in"):
        replace(CONFIG, **{name: value})


def test_long_sides_are_a_range() -> None:
    with pytest.raises(UsageError, match="--long-side-min-px: must be at most --long-side-max-px"):
        replace(CONFIG, long_side_min_px=769)
    assert replace(CONFIG, long_side_min_px=768).long_side_min_px == 768


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("jitter_brightness", 1),
        ("jitter_contrast", 1),
        ("jitter_saturation", 1),
        ("jitter_hue", 0.5),
    ],
)
def test_jitter_is_a_share(name: str, most: float) -> None:
    for value in (-0.1, most + 0.01, math.nan):
        with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must be in"):
            replace(CONFIG, **{name: value})
    for value in (0.0, float(most)):
        assert getattr(replace(CONFIG, **{name: value}), name) == value


@pytest.mark.parametrize("name", ["labels", "train_list"])
def test_a_place_must_not_be_empty(name: str) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: must not be empty"):
        replace(CONFIG, **{name: ""})


def test_training_images_are_squares_that_are_cut():
    assert (CONFIG.crop_hw, CONFIG.whole_hw) == ((448, 448), None)
    assert replace(CONFIG, crop_px=32).crop_hw == (32, 32)


def test_every_setting_has_help() -> None:
    assert all(setting.help for setting in settings(ImageConfig).values())

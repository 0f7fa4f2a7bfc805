from dataclasses import replace
from pathlib import Path

import pytest

from attncli.config.training import ClipConfig
from attncli.errors import UsageError

CONFIG = ClipConfig(data=Path())


def test_a_frame_stride_goes_with_dense_sampling() -> None:
    for sampling in ("uniform", "uniform-floor"):
        with pytest.raises(UsageError, match="--frame-stride: must be 1 without --sampling dense"):
            replace(CONFIG, sampling=sampling)
        assert replace(CONFIG, sampling=sampling, frame_stride=1).frame_stride == 1


def test_a_random_validation_start_goes_with_dense_sampling() -> None:
    assert replace(CONFIG, val_start="random").val_start == "random"
    with pytest.raises(UsageError, match="--val-start: needs --sampling dense"):
        replace(CONFIG, sampling="uniform", frame_stride=1, val_start="random")


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_the_smallest_area_of_a_crop_is_a_share(share: float) -> None:
    assert replace(CONFIG, crop_area_min=1.0).crop_area_min == 1
    with pytest.raises(UsageError, match="--crop-area-min: must be in"):
        replace(CONFIG, crop_area_min=share)


def test_a_crop_by_area_does_not_ask_for_a_short_side_as_long() -> None:
    with pytest.raises(UsageError, match="--short-side-min-px: must be at least --crop-px"):
        replace(CONFIG, crop_px=300, short_side_val_px=320)
    assert replace(CONFIG, crop="area", crop_px=300, short_side_val_px=320).crop_px == 300
    with pytest.raises(UsageError, match="--short-side-val-px: must be at least --crop-px"):
        replace(CONFIG, crop="area", crop_px=300)


def test_short_sides_are_a_range_whatever_the_crop() -> None:
    for crop in ("short-side", "area"):
        with pytest.raises(UsageError, match="--short-side-min-px: must be at most"):
            replace(CONFIG, crop=crop, short_side_min_px=400)
        assert replace(CONFIG, crop=crop, short_side_min_px=320).short_side_min_px == 320

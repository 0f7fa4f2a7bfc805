from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.config.training import ClipConfig
from attncli.data.geometry import ClipGeometry, ClipView


def _geometry(**changes):
    settings = {
        "short_side_min_px": 256,
        "short_side_max_px": 320,
        "crop_px": 224,
        "flip": 0.5,
        "random_crop": True,
    }
    return ClipGeometry(**(settings | changes))


def _view(**changes):
    view = {
        "short_side_px": 256,
        "crop_px": 224,
        "top_share": 0.5,
        "left_share": 0.5,
        "flip": False,
    }
    return ClipView(**(view | changes))


def test_training_draws_every_short_side_both_ends_included_and_flips_half():
    generator = np.random.default_rng(0)
    views = [_geometry().draw(generator) for _ in range(4000)]
    sides = [view.short_side_px for view in views]
    assert set(sides) == set(range(256, 321))
    assert abs(np.mean(sides) - 288) < 2
    assert abs(np.mean([view.flip for view in views]) - 0.5) < 0.03


def test_training_crops_reach_every_border():
    generator = np.random.default_rng(0)
    boxes = np.array([_geometry().draw(generator).crop_box((240, 320)) for _ in range(2000)])
    assert boxes.min(axis=0)[:2].tolist() == [0, 0]
    assert boxes.max(axis=0)[2:].tolist() == [320, 240]


def test_a_crop_has_the_size_that_resizing_the_short_side_first_would_give_it():
    # 224 of a short side of 288 is 7/9 of it: 186.67 of 240 pixels, rounded.
    left, top, right, bottom = _view(short_side_px=288).crop_box((240, 320))
    assert (right - left, bottom - top) == (187, 187)


def test_validation_takes_the_centre_of_a_short_side_of_256():
    config = ClipConfig(data=Path(), short_side_val_px=256)
    view = ClipGeometry.of(config, training=False).draw(np.random.default_rng(0))
    # 224 of 256 is 210 of 240: 15 pixels are left above and below, 55 on either side.
    assert view.crop_box((240, 320)) == (55, 15, 265, 225)
    assert not view.flip


def test_training_takes_its_settings_from_the_config():
    config = ClipConfig(
        data=Path(), short_side_min_px=60, short_side_max_px=70, crop_px=50, flip=1.0
    )
    view = ClipGeometry.of(config, training=True).draw(np.random.default_rng(0))
    assert 60 <= view.short_side_px <= 70
    assert view.crop_px == 50
    assert view.flip


def test_a_view_in_source_size_is_a_plain_cut():
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3), np.uint8)
    view = _view(short_side_px=32, crop_px=24, top_share=0.0, left_share=0.99)
    shown, masks = view.apply(frames, None)
    assert masks is None
    np.testing.assert_array_equal(shown, frames[:, :24, 16:])
    flipped, _ = _view(
        short_side_px=32, crop_px=24, top_share=0.0, left_share=0.99, flip=True
    ).apply(frames, None)
    np.testing.assert_array_equal(flipped, frames[:, :24, 16:][:, :, ::-1])


def test_frames_stay_bytes_and_arguments_stay_as_they_were():
    frames = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), np.uint8)
    masks = frames[..., 0] > 128
    before = frames.copy(), masks.copy()
    shown, shown_masks = _view(short_side_px=50, crop_px=40, flip=True).apply(frames, masks)
    assert (shown.dtype, shown_masks.dtype) == (torch.uint8, torch.bool)
    assert type(shown) is type(shown_masks) is torch.Tensor
    np.testing.assert_array_equal(frames, before[0])
    np.testing.assert_array_equal(masks, before[1])


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(60, 300),
    width=st.integers(60, 300),
    seed=st.integers(0, 9999),
    reduced=st.booleans(),
)
def test_frames_and_masks_show_a_square_at_the_same_place_within_a_pixel(
    height, width, seed, reduced
):
    geometry = _geometry(short_side_min_px=60, short_side_max_px=90, crop_px=56)
    view = geometry.draw(np.random.default_rng(seed))
    top, left, side = height // 3, width // 3, min(height, width) // 3
    masks = np.zeros((1, height, width), bool)
    masks[:, top : top + side, left : left + side] = True
    frames = (masks[..., None] * np.full(3, 255)).astype(np.uint8)
    if reduced and min(height, width) > view.short_side_px:
        frames = _reduce(frames, view.short_side_px)
    shown, shown_masks = view.apply(frames, masks)
    bright = shown[0, ..., 0] > 127
    assert shown.shape == (1, 56, 56, 3)
    for axis in (0, 1):
        drawn, masked = bright.any(dim=1 - axis), shown_masks[0].any(dim=1 - axis)
        assert (drawn != masked).sum() <= 2  # a pixel at either edge


@pytest.mark.parametrize("reduced", [False, True])
def test_a_pixel_of_a_mask_is_the_one_at_the_centre_of_what_it_covers(reduced):
    masks = np.zeros((1, 30, 30), bool)
    masks[:, 1::3, 1::3] = True  # the centre of each 3x3 block, which becomes one pixel
    frames = np.zeros((1, 10, 10, 3) if reduced else (1, 30, 30, 3), np.uint8)
    _, shown = _view(short_side_px=10, crop_px=10).apply(frames, masks)
    assert shown.all()


def _reduce(frames, short_side_px):
    height, width = frames.shape[1:3]
    size = (
        round(height * short_side_px / min(height, width)),
        round(width * short_side_px / min(height, width)),
    )
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)
    scaled = torch.nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)
    return scaled.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("flip", [False, True])
def test_the_crop_box_says_which_source_pixels_are_shown(flip):
    rows, columns = np.mgrid[:120, :160].astype(np.uint8)
    frames = np.stack([rows, columns, rows], axis=-1)[None]
    view = _view(short_side_px=90, crop_px=56, top_share=0.3, left_share=0.7, flip=flip)
    left, top, right, bottom = view.crop_box((120, 160))
    shown = view.apply(frames, None)[0][0].int()
    assert abs(shown[0, 0, 0] - top) <= 1.5
    assert abs(shown[-1, 0, 0] - (bottom - 1)) <= 1.5
    ends = (shown[0, -1, 1], shown[0, 0, 1]) if flip else (shown[0, 0, 1], shown[0, -1, 1])
    assert abs(ends[0] - left) <= 1.5
    assert abs(ends[1] - (right - 1)) <= 1.5

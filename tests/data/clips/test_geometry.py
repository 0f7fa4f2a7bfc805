from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from attncli.config.training import ClipConfig
from attncli.data.clips.geometry import ClipGeometry, ClipView


def _geometry(**changes):
    settings = {
        "short_side_min_px": 256,
        "short_side_max_px": 320,
        "crop_px": 224,
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
    views = [_geometry().draw(generator, may_flip=True) for _ in range(4000)]
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
        data=Path(), short_side_min_px=60, short_side_max_px=70, crop_px=50, crop_area_min=0.5
    )
    view = ClipGeometry.of(config, training=True).draw(np.random.default_rng(0))
    assert 60 <= view.short_side_px <= 70
    assert view.crop_px == 50
    assert not view.shapes
    areas = ClipGeometry.of(replace(config, crop="area"), training=True)
    shapes = [s for seed in range(99) for s in areas.draw(np.random.default_rng(seed)).shapes]
    assert 0.5 <= min(share for share, _ in shapes) < 0.51
    assert 0.99 < max(share for share, _ in shapes) <= 1


def test_a_view_in_source_size_is_a_plain_cut():
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3), np.uint8)
    view = _view(short_side_px=32, crop_px=24, top_share=0.0, left_share=0.99)
    shown = view.apply(frames, (32, 40))
    np.testing.assert_array_equal(shown, frames[:, :24, 16:])
    mirrored = _view(short_side_px=32, crop_px=24, top_share=0.0, left_share=0.99, flip=True)
    flipped = mirrored.apply(frames, (32, 40))
    np.testing.assert_array_equal(flipped, frames[:, :24, 16:][:, :, ::-1])


def test_frames_stay_bytes_and_arguments_stay_as_they_were():
    frames = np.random.default_rng(0).integers(0, 256, (2, 60, 80, 3), np.uint8)
    masks = frames[..., 0] > 128
    before = frames.copy(), masks.copy()
    view = _view(short_side_px=50, crop_px=40, flip=True)
    shown, shown_masks = view.apply(frames, (60, 80)), view.apply_to_masks(masks)
    assert (shown.dtype, shown_masks.dtype) == (torch.uint8, torch.bool)
    assert type(shown) is type(shown_masks) is torch.Tensor
    np.testing.assert_array_equal(frames, before[0])
    np.testing.assert_array_equal(masks, before[1])


@settings(deadline=None, max_examples=100)
@given(
    height=st.integers(60, 300),
    width=st.integers(60, 300),
    seed=st.integers(0, 9999),
    reduced=st.booleans(),
    area_min=st.none() | st.floats(0.3, 1),
)
@example(height=101, width=253, seed=430, reduced=False, area_min=1.0)
def test_frames_and_masks_show_a_square_at_the_same_place_within_a_pixel(
    height, width, seed, reduced, area_min
):
    geometry = _geometry(short_side_min_px=60, short_side_max_px=90, crop_px=56, area_min=area_min)
    view = geometry.draw(np.random.default_rng(seed), may_flip=True)
    top, left, side = height // 3, width // 3, min(height, width) // 3
    masks = np.zeros((1, height, width), bool)
    masks[:, top : top + side, left : left + side] = True
    frames = (masks[..., None] * np.full(3, 255)).astype(np.uint8)
    if reduced:
        frames = _reduce(frames, view.decoded_hw((height, width)))
    shown, shown_masks = view.apply(frames, (height, width)), view.apply_to_masks(masks)
    bright = shown[0, ..., 0] > 127
    assert shown.shape == (1, 56, 56, 3)
    # A sliver of a pixel or two at the clip's edge is smoothed away in the frame alone.
    assume(min(shown_masks[0].any(dim=axis).sum() for axis in (0, 1)) not in (1, 2))
    for axis in (0, 1):
        drawn, masked = bright.any(dim=1 - axis), shown_masks[0].any(dim=1 - axis)
        assert (drawn != masked).sum() <= 2  # a pixel at either edge


@settings(deadline=None, max_examples=200)
@given(
    height=st.integers(30, 2000),
    width=st.integers(30, 2000),
    seed=st.integers(0, 9999),
    area_min=st.none() | st.floats(0.01, 1),
)
def test_frames_are_reduced_so_far_that_what_is_shown_keeps_every_pixel_it_can(
    height, width, seed, area_min
):
    geometry = _geometry(area_min=area_min, crop_px=112)
    view = geometry.draw(np.random.default_rng(seed))
    left, top, right, bottom = view.crop_box((height, width))
    decoded_hw = view.decoded_hw((height, width))
    scale = min(decoded_hw) / min(height, width)
    shortest_px = min(right - left, bottom - top) * scale
    if scale == 1:
        assert shortest_px < 114
    else:
        assert 110 < shortest_px < 114
    assert 0 <= left < right <= width + 1e-9
    assert 0 <= top < bottom <= height + 1e-9


def test_windows_by_area_have_the_shares_and_ratios_of_rejection_sampling():
    # Reference: draw share and ratio anew until the window fits, as Szegedy et al. have it.
    boxes = _boxes(_geometry(area_min=0.08), (240, 427), n=3000)
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    expected = _rejection_sampled(240, 427, n=3000)
    for ours, theirs in (
        (widths * heights, expected[:, 0] * expected[:, 1]),
        (widths / heights, expected[:, 0] / expected[:, 1]),
    ):
        spread = theirs.std()
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            assert abs(np.quantile(ours, share) - np.quantile(theirs, share)) < 0.12 * spread
    assert 0.07 < (widths * heights / 240 / 427).min() < 0.09
    assert 0.74 < (widths / heights).min() < 0.77
    assert 1.30 < (widths / heights).max() < 1.35


def test_windows_by_area_lie_anywhere():
    boxes = _boxes(_geometry(area_min=0.08), (240, 427), n=3000)
    assert boxes[:, :2].min(axis=0).tolist() == [0, 0]
    assert boxes[:, 2:].max(axis=0).tolist() == pytest.approx([427, 240])


def test_a_frame_that_no_window_by_area_fits_in_shows_the_largest_of_a_legal_ratio():
    geometry = _geometry(area_min=1.0)
    for size_hw, expected in (((100, 1000), (100, 133)), ((1000, 100), (133, 100))):
        view = geometry.draw(np.random.default_rng(0))
        left, top, right, bottom = view.crop_box(size_hw)
        assert (round(bottom - top), round(right - left)) == expected


def test_the_same_numbers_are_drawn_whatever_the_settings():
    after = set()
    for geometry in (_geometry(), _geometry(area_min=0.5), _geometry(random_crop=False)):
        for may_flip in (False, True):
            generator = np.random.default_rng(0)
            geometry.draw(generator, may_flip=may_flip)
            after.add(generator.random())
    assert len(after) == 1


def _boxes(geometry, size_hw, n):
    generator = np.random.default_rng(0)
    return np.array([geometry.draw(generator).crop_box(size_hw) for _ in range(n)])


def _rejection_sampled(height, width, n):
    generator = np.random.default_rng(1)
    windows = []
    while len(windows) < n:
        area = generator.uniform(0.08, 1) * height * width
        ratio = np.exp(generator.uniform(np.log(3 / 4), np.log(4 / 3)))
        if (area * ratio) ** 0.5 <= width and (area / ratio) ** 0.5 <= height:
            windows.append(((area * ratio) ** 0.5, (area / ratio) ** 0.5))
    return np.array(windows)


def test_a_pixel_of_a_mask_is_the_one_at_the_centre_of_what_it_covers():
    masks = np.zeros((1, 30, 30), bool)
    masks[:, 1::3, 1::3] = True  # the centre of each 3x3 block, which becomes one pixel
    assert _view(short_side_px=10, crop_px=10).apply_to_masks(masks).all()


def _reduce(frames, size_hw):
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)
    scaled = torch.nn.functional.interpolate(pixels, size_hw, mode="bilinear", antialias=True)
    return scaled.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("flip", [False, True])
def test_the_crop_box_says_which_source_pixels_are_shown(flip):
    rows, columns = np.mgrid[:120, :160].astype(np.uint8)
    frames = np.stack([rows, columns, rows], axis=-1)[None]
    view = _view(short_side_px=90, crop_px=56, top_share=0.3, left_share=0.7, flip=flip)
    left, top, right, bottom = view.crop_box((120, 160))
    shown = view.apply(frames, (120, 160))[0].int()
    assert abs(shown[0, 0, 0] - top) <= 1.5
    assert abs(shown[-1, 0, 0] - (bottom - 1)) <= 1.5
    ends = (shown[0, -1, 1], shown[0, 0, 1]) if flip else (shown[0, 0, 1], shown[0, -1, 1])
    assert abs(ends[0] - left) <= 1.5
    assert abs(ends[1] - (right - 1)) <= 1.5

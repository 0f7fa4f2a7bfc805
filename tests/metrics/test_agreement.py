import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.metrics.agreement import covered_share, mask_agreement


def test_cells_are_covered_by_the_share_of_their_pixels() -> None:
    masks = np.zeros((1, 4, 6), dtype=bool)
    masks[0, :2, :3] = True
    share = covered_share(masks, (0.0, 0.0, 6.0, 4.0), flip=False, grid_hw=(2, 3))
    np.testing.assert_allclose(share, [[[1, 0.5, 0], [0, 0, 0]]], atol=1e-6)


def test_the_crop_comes_before_the_flip() -> None:
    masks = np.zeros((1, 4, 8), dtype=bool)
    masks[0, :, 2] = True
    share = covered_share(masks, (2.0, 0.0, 6.0, 4.0), flip=True, grid_hw=(1, 4))
    np.testing.assert_allclose(share, [[[0, 0, 0, 1]]], atol=1e-6)


def test_a_crop_may_end_within_a_pixel() -> None:
    masks = np.zeros((1, 1, 4), dtype=bool)
    masks[0, 0, 1] = True
    share = covered_share(masks, (0.5, 0.0, 3.5, 1.0), flip=False, grid_hw=(1, 2))
    np.testing.assert_allclose(share, [[[1 / 1.5, 0]]], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cells=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    pixels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    offset=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    flip=st.booleans(),
)
def test_whole_cells_are_the_means_of_their_pixels(
    seed: int,
    cells: tuple[int, int],
    pixels: tuple[int, int],
    offset: tuple[int, int],
    flip: bool,
) -> None:
    height, width = (c * p for c, p in zip(cells, pixels, strict=True))
    top, left = offset
    shape = (2, height + top + 1, width + left + 2)
    masks = np.random.default_rng(seed).random(shape) < 0.4
    view = masks[:, top : top + height, left : left + width]
    view = view[:, :, ::-1] if flip else view
    expected = view.reshape(2, cells[0], pixels[0], cells[1], pixels[1]).mean(axis=(2, 4))
    crop = (float(left), float(top), float(left + width), float(top + height))
    share = covered_share(masks, crop, flip=flip, grid_hw=cells)
    np.testing.assert_allclose(share, expected, atol=1e-6)


def test_figures_of_a_map_counted_by_hand() -> None:
    attention = np.array([[[1.0, 0.6], [0.4, 0.0]]])
    covered = np.array([[[1.0, 0.25], [0.5, 0.0]]])  # the object's cells: the left column
    found = mask_agreement(attention, covered)
    assert found.iou == pytest.approx(1 / 3)  # upper left of upper left, upper right, lower left
    assert found.inside == pytest.approx((1 + 0.6 * 0.25 + 0.4 * 0.5) / 2)
    assert found.pointing == 1
    assert found.empty_frames == 0


def test_a_map_that_is_the_mask_agrees_fully() -> None:
    mask = np.zeros((3, 5, 5))
    mask[:, 1:3, 2:4] = 1
    found = mask_agreement(mask, mask)
    assert (found.iou, found.inside, found.pointing) == (1, 1, 1)


def test_frames_without_an_object_are_left_out_and_counted() -> None:
    covered = np.zeros((3, 2, 2))
    covered[0, 0, 0] = 1
    covered[1, 0, 0] = 0.4  # less than half of a cell is no object
    attention = np.zeros((3, 2, 2))
    attention[:, 0, 0] = 1
    found = mask_agreement(attention, covered)
    assert (found.iou, found.empty_frames) == (1, 2)


@pytest.mark.parametrize("pixels", [2, 6, 10, 12, 18, 24])
def test_a_cell_covered_by_exactly_half_belongs_to_the_object(pixels: int) -> None:
    side = 7 * pixels
    masks = np.zeros((1, side, side), dtype=bool)
    masks[0, np.arange(side) % pixels < pixels // 2] = True
    crop = (0.0, 0.0, float(side), float(side))
    covered = covered_share(masks, crop, flip=False, grid_hw=(7, 7))
    assert mask_agreement(np.ones((1, 7, 7)), covered).iou == 1


def test_a_clip_without_any_object_has_no_figures() -> None:
    found = mask_agreement(np.ones((2, 2, 2)), np.zeros((2, 2, 2)))
    assert math.isnan(found.iou)
    assert math.isnan(found.inside)
    assert math.isnan(found.pointing)
    assert found.empty_frames == 2


def test_several_largest_values_point_by_the_share_that_hits() -> None:
    attention = np.array([[[1.0, 1.0, 1.0, 0.0]]])
    covered = np.array([[[1.0, 0.0, 0.0, 1.0]]])
    assert mask_agreement(attention, covered).pointing == pytest.approx(1 / 3)


def test_a_flat_map_scores_as_a_blind_guess() -> None:
    covered = np.zeros((1, 2, 4))
    covered[0, 0, 0] = 1
    found = mask_agreement(np.ones((1, 2, 4)), covered)
    assert (found.iou, found.inside, found.pointing) == pytest.approx((1 / 8, 1 / 8, 1 / 8))


def test_a_map_of_zeros_attends_to_nothing() -> None:
    covered = np.ones((1, 2, 2))
    found = mask_agreement(np.zeros((1, 2, 2)), covered)
    assert (found.iou, found.inside) == (0, 0)


def test_the_threshold_is_reached_by_values_equal_to_it() -> None:
    attention = np.array([[[1.0, 0.5, 0.49]]])
    covered = np.array([[[1.0, 1.0, 0.0]]])
    assert mask_agreement(attention, covered, threshold=0.5).iou == 1
    assert mask_agreement(attention, covered, threshold=0.51).iou == 0.5

import numpy as np
import pytest

from attncli.visualization.colormap import color_table
from attncli.visualization.overlay import cut_view, enlarge, outline, overlay

JET = color_table("jet")


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, 8, 12, 3), dtype=np.uint8)


def test_without_opacity_the_frames_stay_as_they_are(frames):
    attention = np.random.default_rng(1).random((3, 2, 4), dtype=np.float32)
    assert np.array_equal(overlay(frames, attention, table=JET, opacity=0.0), frames)


def test_with_full_opacity_only_the_colours_are_left(frames):
    attention = np.full((3, 2, 4), 0.25, np.float32)
    drawn = overlay(frames, attention, table=JET, opacity=1.0)
    assert np.array_equal(drawn, np.broadcast_to(JET[64], frames.shape))


def test_colour_and_frame_are_mixed_by_opacity():
    frame = np.full((1, 2, 2, 3), 100, np.uint8)
    attention = np.ones((1, 2, 2), np.float32)
    table = np.zeros((256, 3), np.uint8)
    table[255] = 200, 50, 101
    drawn = overlay(frame, attention, table=table, opacity=0.25)
    assert drawn[0, 1, 0] == pytest.approx([125, 87.5, 100.25], abs=0.5)  # a quarter of the colour


def test_each_colour_may_have_an_opacity_of_its_own():
    frame = np.full((1, 1, 3, 3), 100, np.uint8)
    attention = np.array([[[0.0, 0.5, 1.0]]], np.float32)
    table, opacity = np.full((256, 3), 200, np.uint8), np.zeros(256, np.float32)
    opacity[128], opacity[255] = 0.5, 1.0
    drawn = overlay(frame, attention, table=table, opacity=opacity)
    assert drawn[0, 0, :, 0].tolist() == [100, 150, 200]


def test_each_frame_gets_its_own_map(frames):
    attention = np.zeros((3, 2, 4), np.float32)
    attention[1] = 1
    drawn = overlay(frames, attention, table=JET, opacity=1.0)
    assert (drawn[0] == JET[0]).all()
    assert (drawn[1] == JET[255]).all()


def test_drawing_changes_none_of_its_inputs(frames):
    attention = np.random.default_rng(1).random((3, 4, 6), dtype=np.float32)
    kept_frames, kept_attention = frames.copy(), attention.copy()
    overlay(frames, attention, table=JET, opacity=0.5)
    outline(frames, attention[:, :1, :1].repeat(8, 1).repeat(12, 2) > 0.5)
    assert np.array_equal(frames, kept_frames)
    assert np.array_equal(attention, kept_attention)


def test_an_enlarged_map_keeps_its_place_and_its_range():
    attention = np.zeros((1, 4, 6), np.float32)
    attention[0, 1, 4] = 1
    large = enlarge(attention, (40, 60))[0]
    assert large.min() == 0
    assert large.max() <= 1
    rows, columns = np.indices(large.shape)
    centre = (rows * large).sum() / large.sum() + 0.5, (columns * large).sum() / large.sum() + 0.5
    assert centre == pytest.approx((15, 45), abs=0.5)


def test_a_flat_map_stays_flat_when_enlarged():
    assert enlarge(np.full((2, 3, 5), 0.7, np.float32), (31, 17)) == pytest.approx(0.7)


def test_a_view_is_the_cropped_part_of_the_frame(frames):
    view = cut_view(frames, (2.0, 1.0, 8.0, 5.0), flip=False, height_px=4)
    assert np.array_equal(view, frames[:, 1:5, 2:8])


def test_a_view_is_mirrored_after_the_crop(frames):
    view = cut_view(frames, (2.0, 1.0, 8.0, 5.0), flip=True, height_px=4)
    assert np.array_equal(view, frames[:, 1:5, 2:8][:, :, ::-1])


def test_a_view_keeps_the_aspect_ratio_of_the_crop(frames):
    assert cut_view(frames, (0.0, 0.0, 12.0, 8.0), flip=False, height_px=16).shape == (3, 16, 24, 3)


def test_a_view_of_masks_has_no_colours(frames):
    assert cut_view(frames[..., 0], (0.0, 0.0, 8.0, 8.0), flip=False, height_px=8).shape == (
        3,
        8,
        8,
    )


def test_a_crop_may_reach_over_the_border_by_a_rounding_error(frames):
    view = cut_view(frames, (-1e-9, 0.0, 12 + 1e-9, 8 + 1e-9), flip=False, height_px=8)
    assert np.array_equal(view, frames)


def test_only_the_border_of_a_mask_is_drawn(frames):
    mask = np.zeros((3, 8, 12), bool)
    mask[1, 2:7, 3:9] = True
    drawn = outline(frames, mask, color=(1, 2, 3), thickness_px=1)
    border = mask.copy()
    border[1, 3:6, 4:8] = False
    assert (drawn[border] == (1, 2, 3)).all()
    assert np.array_equal(drawn[~border], frames[~border])


def test_a_mask_has_no_border_where_the_frame_ends(frames):
    assert np.array_equal(outline(frames, np.ones((3, 8, 12), bool)), frames)

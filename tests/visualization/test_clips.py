import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle, evenly_spaced, middles, picture_rows
from attncli.visualization.colormap import color_table, colorize


@pytest.mark.parametrize(
    ("n", "count", "expected"),
    [
        (16, 4, [0, 5, 10, 15]),
        (4, 8, [0, 1, 2, 3]),
        (16, 1, [0]),
        (1, 8, [0]),
        (32, 8, [0, 4, 9, 13, 18, 22, 27, 31]),
    ],
)
def test_frames_are_evenly_spaced_from_first_to_last(n, count, expected):
    assert evenly_spaced(n, count) == expected


@pytest.mark.parametrize(
    ("n", "count", "expected"),
    [
        (32, 8, [2, 6, 10, 14, 18, 22, 26, 30]),
        (16, 3, [2, 8, 13]),  # middles of 0 to 5.3, 5.3 to 10.7 and 10.7 to 16: 2.7, 8, 13.3
        (4, 8, [0, 1, 2, 3]),
        (32, 1, [16]),
        (1, 8, [0]),
    ],
)
def test_middles_are_those_of_equal_parts(n, count, expected):
    assert middles(n, count) == expected


def test_rows_are_the_input_then_a_row_a_run(make_clip):
    clip = make_clip()
    rows = picture_rows(clip, ["abn", "obj_abn"], HeatStyle(opacity=0.0), [0, 5])
    assert [row.name for row in rows] == ["(a) input", "(b) abn", "(c) obj_abn"]
    for row in rows:
        assert np.array_equal(row.pictures, clip.frames[[0, 5]])


def test_masks_have_a_row_of_their_own(make_clip):
    rows = picture_rows(make_clip(masks=True), ["a", "b"], HeatStyle(), [0])
    assert [row.name for row in rows] == ["(a) input", "(b) masks", "(c) a", "(d) b"]


def test_rows_beyond_the_alphabet_are_numbered(make_clip):
    rows = picture_rows(make_clip(runs=27), ["x"] * 27, HeatStyle(), [0])
    assert [row.name for row in rows[-3:]] == ["(z) x", "(27) x", "(28) x"]


@pytest.mark.parametrize(
    ("true_class", "detail"), [("Archery", "✓ Archery"), ("Rowing", "✗ Archery"), (None, "Archery")]
)
def test_a_run_is_marked_right_or_wrong_where_the_class_is_known(make_clip, true_class, detail):
    row = picture_rows(make_clip(true_class=true_class), ["a", "b"], HeatStyle(), [0])[1]
    assert row.detail == detail
    assert row.value == "3.06 bits"


def test_a_clips_range_is_that_of_all_its_frames_and_not_only_those_shown(make_clip):
    clip = make_clip(runs=1, t=3, grid_hw=(1, 1))
    clip.runs[0].attention[:, 0, 0] = 0.2, 0.3, 0.4
    style = HeatStyle(colormap="jet", opacity=1.0, value_range="clip")
    row = picture_rows(clip, ["abn"], style, [1])[1]
    middle = color_table("jet")[[127, 128]].tolist()
    assert row.pictures[0, 0, 0].tolist() in middle


def test_only_what_has_temporal_attention_has_a_bar(make_clip):
    clip = make_clip(runs=2, temporal=(1,))
    assert [row.bar is not None for row in picture_rows(clip, ["a", "b"], HeatStyle(), [0])] == [
        False,
        False,
        True,
    ]
    assert clip.has_bars
    assert not make_clip().has_bars


def test_a_bar_has_a_cell_for_every_frame_of_the_clip(make_clip):
    clip = make_clip(runs=1, t=6, temporal=(0,))
    bar = picture_rows(clip, ["a"], HeatStyle(colormap="viridis"), [1, 4])[1].bar
    expected = colorize(clip.runs[0].temporal, HeatStyle(colormap="viridis").blended)
    assert (bar.name, bar.shown) == ("temporal", (1, 4))
    assert np.array_equal(bar.colors, expected)


def test_what_people_gave_the_frames_is_a_bar_of_the_input_whatever_the_range(make_clip):
    clip = make_clip(runs=1, t=3, edited=True)
    clip.edited[:] = 0, 0.5, 0.5
    bar = picture_rows(clip, ["a"], HeatStyle(value_range="clip"), [0])[0].bar
    assert bar.name == "edited"
    assert np.array_equal(bar.colors, HeatStyle().blended[[0, 128, 128]])


@pytest.mark.parametrize("value_range", ["frame", "clip"])
def test_a_bar_is_scaled_within_its_clip_where_maps_are_scaled(make_clip, value_range):
    clip = make_clip(runs=1, t=3, temporal=(0,))
    clip.runs[0].temporal[:] = 0.4, 0.45, 0.5
    bar = picture_rows(clip, ["a"], HeatStyle(value_range=value_range), [0])[1].bar
    assert np.array_equal(bar.colors[[0, 2]], HeatStyle().blended[[0, 255]])


def test_what_has_no_attention_shows_the_picture_unless_colours_are_as_published():
    assert HeatStyle().opacities[[0, 255]] == pytest.approx([0, 0.85])
    assert HeatStyle(opacity=0.4).opacities[[0, 51, 255]] == pytest.approx([0, 0.08, 0.4])
    assert HeatStyle(colormap="jet").opacities == pytest.approx([0.5] * 256)
    assert HeatStyle(colormap="jet", opacity=0.4).opacities == pytest.approx([0.4] * 256)


def test_blended_colours_are_those_over_mid_grey():
    style = HeatStyle(opacity=0.5)
    assert style.blended[0].tolist() == [128] * 3
    assert style.blended[255] == pytest.approx((style.table[255] + 128.0) / 2, abs=0.5)
    assert style.legend(("attention",)) == ("attention", "(over mid-grey)")
    assert HeatStyle(colormap="jet", opacity=1.0).legend(("attention",)) == ("attention",)

import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle, evenly_spaced, picture_rows
from attncli.visualization.colormap import color_table


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
    style = HeatStyle(opacity=1.0, value_range="clip")
    row = picture_rows(clip, ["abn"], style, [1])[1]
    middle = color_table("jet")[[127, 128]].tolist()
    assert row.pictures[0, 0, 0].tolist() in middle

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from attncli.visualization.clips import HeatStyle
from attncli.visualization.comparison import draw_comparison
from attncli.visualization.page.grid import PAGE_HEIGHT_IN
from attncli.visualization.page.lettering import text_of, typesetting
from attncli.visualization.saving import save_figure

LONG = "Moving something and something so they collide with each other"


def boxes(figure):
    """Return the figure's size, and where each text beside pictures and each picture is, in pixels.

    Numbers of frames stand on their pictures.
    """
    canvas = FigureCanvasAgg(figure)
    with typesetting():
        canvas.draw()
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        texts = [text for text in texts if text.get_bbox_patch() is None]
        drawn = [*texts, *figure.axes[0].images]
        found = [item.get_window_extent(canvas.get_renderer()).extents for item in drawn]
    return np.array(canvas.get_width_height()), np.array(found)


def overlaps(boxes_xyxy, slack_px=1.0):
    low = np.maximum(boxes_xyxy[:, None, :2], boxes_xyxy[None, :, :2])
    high = np.minimum(boxes_xyxy[:, None, 2:], boxes_xyxy[None, :, 2:])
    both = (high - low > slack_px).all(axis=-1)
    return np.argwhere(np.triu(both, k=1)).tolist()


@pytest.mark.parametrize(
    ("name", "clips", "runs", "t", "frames", "size_hw", "width_in"),
    [
        (LONG, 1, 2, 16, 8, (24, 24), 7.0),
        ("HandstandPushups", 4, 2, 16, 8, (24, 24), 7.0),
        (LONG, 4, 3, 16, 8, (24, 24), 7.0),
        (LONG, 2, 3, 16, 16, (24, 32), 7.0),
        ("HandstandPushups", 1, 2, 32, 32, (24, 24), 7.0),
        (LONG, 2, 1, 4, 8, (32, 24), 3.4),
        ("HandstandPushups", 1, 2, 16, 4, (24, 24), 3.4),
        (LONG, 1, 1, 1, 8, (24, 24), 7.0),
    ],
)
def test_nothing_overlaps_or_leaves_the_page(
    make_clip, name, clips, runs, t, frames, size_hw, width_in
):
    shown = make_clip(runs, t=t, size_hw=size_hw, predicted=name, true_class=name, masks=t == 4)
    figure = draw_comparison(
        [shown] * clips,
        ["abn", "object_abn_with_a_long_name", "c"][:runs],
        style=HeatStyle(value_range="frame"),
        frames=frames,
        width_in=width_in,
        dpi=100,
    )
    size_wh, placed = boxes(figure)
    assert len(figure.axes[0].images) == clips * (1 + (t == 4) + runs) * min(t, frames)
    assert size_wh[0] <= 100 * width_in + 1
    assert (placed >= -1).all()
    assert (placed[:, 2:] <= size_wh + 1).all()
    assert overlaps(placed) == []


@pytest.mark.parametrize(
    ("clips", "t", "frames", "size_hw", "width_in", "value_range"),
    [
        (3, 32, 8, (24, 24), 7.0, "none"),
        (1, 32, 32, (24, 24), 7.0, "none"),
        (1, 32, 4, (24, 24), 3.4, "frame"),
        (2, 16, 16, (32, 16), 7.0, "clip"),
        (1, 3, 2, (16, 32), 7.0, "frame"),
    ],
)
def test_nothing_overlaps_where_there_are_bars(
    make_clip, clips, t, frames, size_hw, width_in, value_range
):
    looks = {"predicted": LONG, "true_class": LONG, "size_hw": size_hw}
    shown = make_clip(2, t=t, temporal=(1,), edited=True, **looks)
    figure = draw_comparison(
        [shown] * clips,
        ["obj_abn", "st_abn_with_human_knowledge"],
        style=HeatStyle(value_range=value_range),
        frames=frames,
        width_in=width_in,
        dpi=100,
    )
    size_wh, placed = boxes(figure)
    assert len(figure.axes[0].images) == clips * (2 + 3 * min(t, frames))
    assert (placed >= -1).all()
    assert (placed[:, 2:] <= size_wh + 1).all()
    assert overlaps(placed) == []


def test_a_bar_spans_its_row_and_points_at_the_frames_below_it(make_clip):
    clip = make_clip(runs=1, t=32, temporal=(0,))
    page = draw_comparison([clip], ["st_abn"], style=HeatStyle(), frames=8).axes[0]
    (bar,) = (image for image in page.images if image.get_array().shape[0] == 1)
    heat_maps = page.images[-8:]
    left, right, bottom, _ = bar.get_extent()
    assert left == pytest.approx(heat_maps[0].get_extent()[0])
    assert right == pytest.approx(heat_maps[-1].get_extent()[1])
    assert bottom < heat_maps[0].get_extent()[3]  # inches run downwards
    assert bar.get_array().shape[1] == 32
    tips = [pointer.get_xy()[0, 0] for pointer in page.patches]
    assert tips == pytest.approx([left + (right - left) * (i + 0.5) / 32 for i in range(2, 32, 4)])
    for tip, heat_map in zip(tips, heat_maps, strict=True):
        assert heat_map.get_extent()[0] < tip < heat_map.get_extent()[1]


def test_a_bar_of_frames_that_are_all_shown_needs_no_pointers(make_clip):
    clip = make_clip(runs=1, t=8, temporal=(0,))
    page = draw_comparison([clip], ["st_abn"], style=HeatStyle(), frames=8).axes[0]
    assert list(page.patches) == []


def test_pictures_below_a_bar_are_the_frames_it_points_at(make_clip):
    clip = make_clip(runs=1, t=8, temporal=(0,))
    figure = draw_comparison([clip], ["abn"], style=HeatStyle(opacity=0.0), frames=2)
    pictures = [image.get_array() for image in figure.axes[0].images if len(image.get_array()) > 1]
    for drawn, expected in zip(pictures, [2, 6, 2, 6], strict=True):
        assert np.array_equal(drawn, clip.frames[expected])


@pytest.mark.parametrize("runs", [2, 3])
def test_four_clips_fit_on_a_page(make_clip, runs):
    figure = draw_comparison([make_clip(runs, t=16)] * 4, ["r"] * runs, style=HeatStyle())
    width_in, height_in = figure.get_size_inches()
    assert width_in <= 7
    assert height_in <= PAGE_HEIGHT_IN + 1e-6


def test_pictures_show_the_frames_asked_for(make_clip):
    clip = make_clip(runs=1, t=6)
    figure = draw_comparison([clip], ["abn"], style=HeatStyle(opacity=0.0), frames=2)
    arrays = [image.get_array() for image in figure.axes[0].images]
    for drawn, expected in zip(arrays, [0, 5, 0, 5], strict=True):
        assert np.array_equal(drawn, clip.frames[expected])


@pytest.mark.parametrize(
    ("value_range", "label"),
    [("none", "attention"), ("frame", "each frame"), ("clip", "each clip")],
)
def test_the_colour_bar_says_what_the_colours_span(make_clip, value_range, label):
    figure = draw_comparison([make_clip()], ["a", "b"], style=HeatStyle(value_range=value_range))
    page, bar = figure.axes
    assert " ".join(text.get_text() for text in page.texts).endswith(f"{label} (over mid-grey)")
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["0", "0.25", "0.5", "0.75", "1"]


def test_the_colour_bar_says_that_bars_are_scaled_otherwise(make_clip):
    clip = make_clip(runs=1, temporal=(0,))
    figure = draw_comparison([clip], ["a"], style=HeatStyle(value_range="frame"))
    assert figure.axes[0].texts[-1].get_text() == "(bars: each clip)"


def test_a_long_class_is_told_from_its_mirror_image_beside_small_pictures(make_clip):
    clip = make_clip(runs=1, t=32, predicted="Pushing something from left to right")
    page = draw_comparison([clip], ["st_abn"], style=HeatStyle(), frames=32).axes[0]
    assert "left to right" in [text.get_text() for text in page.texts]


def test_names_with_dollar_signs_are_drawn_as_they_are(make_clip, tmp_path):
    clip = make_clip(runs=1, predicted="$\\bad$", true_class="$_$", video_id="a$b$c")
    save_figure(draw_comparison([clip], ["$^$"], style=HeatStyle()), tmp_path / "fig.png")


def tags(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_bbox_patch() is not None]


def words(figure):
    return " ".join(text.get_text() for text in figure.axes[0].texts)


def test_each_picture_has_the_number_of_its_frame(make_clip):
    figure = draw_comparison([make_clip(runs=1, t=6)], ["abn"], style=HeatStyle(), frames=2)
    assert tags(figure) == ["10", "30"] * 2  # the input and the run, from frame 10 by fours


def test_colours_and_bars_are_explained_below_the_figure(make_clip):
    plain = draw_comparison([make_clip(runs=1)], ["a"], style=HeatStyle())
    assert "frame in the video, from 0" in words(plain)
    assert "temporal" not in words(plain)
    barred = draw_comparison(
        [make_clip(runs=1, temporal=(0,), edited=True)], ["a"], style=HeatStyle()
    )
    assert "temporal attention or attention that people gave" in words(barred)


def test_a_long_id_keeps_its_end(make_clip):
    clip = make_clip(runs=1, video_id="Archery/" + 100 * "x" + "_g01_c03")
    shown = words(draw_comparison([clip], ["a"], style=HeatStyle(), width_in=3.4))
    assert "Archery/" in shown
    assert "_g01_c03" in shown


def test_larger_text_makes_no_page_higher_or_wider(make_clip):
    with text_of(10.0):
        figure = draw_comparison(
            [make_clip(2, t=16)] * 3, ["r"] * 2, style=HeatStyle(), width_in=4.55
        )
    width_in, height_in = figure.get_size_inches()
    assert width_in <= 7 + 1e-6
    assert height_in <= PAGE_HEIGHT_IN + 1e-6
    assert {text.get_size() for text in figure.axes[0].texts} == {7.5, 10}
    size_wh, placed = boxes(figure)
    assert (placed >= -1).all()
    assert (placed[:, 2:] <= size_wh + 1).all()
    assert overlaps(placed) == []

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from attncli.visualization.class_curves import (
    BAND,
    BROKEN,
    ClassCurves,
    Curve,
    draw_class_curves,
    panels_on_a_page,
)
from attncli.visualization.page.grid import PAGE_HEIGHT_IN
from attncli.visualization.page.lettering import typesetting

LONG = "Failing to put something into something because something does not fit"


def curve(mean, clips=4, std=0.1, t=8):
    stds = np.full(t, std if clips > 1 else np.nan)
    return Curve(clips, np.linspace(mean, mean + 0.1, t), stds)


def text_boxes(figure):
    canvas = FigureCanvasAgg(figure)
    with typesetting():
        canvas.draw()
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        found = [text.get_window_extent(canvas.get_renderer()).extents for text in texts]
    return np.array(canvas.get_width_height()), np.array(found)


@pytest.mark.parametrize(
    ("classes", "runs", "width_in"), [(1, 1, 7.0), (3, 2, 7.0), (10, 3, 7.0), (5, 9, 3.4)]
)
def test_no_text_overlaps_or_leaves_the_page(classes, runs, width_in):
    shown = [
        ClassCurves(LONG if i % 2 else "Hop", tuple(curve(0.1 * r) for r in range(runs)))
        for i in range(classes)
    ]
    names = [f"a run with a rather long name, number {run}" for run in range(runs)]
    figure = draw_class_curves(shown, names, width_in=width_in, dpi=100)
    size_wh, placed = text_boxes(figure)
    assert size_wh[0] <= 100 * width_in + 1
    assert (placed >= -1).all()
    assert (placed[:, 2:] <= size_wh + 1).all()
    low = np.maximum(placed[:, None, :2], placed[None, :, :2])
    high = np.minimum(placed[:, None, 2:], placed[None, :, 2:])
    assert not np.triu((high - low > 1.5).all(axis=-1), k=1).any()


def test_a_panel_has_a_curve_and_a_band_for_each_run_with_clips_of_the_class():
    shown = [ClassCurves("Hop", (curve(0.2), None)), ClassCurves("Run", (curve(0.2), curve(0.6)))]
    figure = draw_class_curves(shown, ["before", "after"])
    hop, run = figure.axes[1:]
    assert [len(panel.lines) for panel in (hop, run)] == [1, 2]  # and no break of the axis
    assert [len(panel.collections) for panel in (hop, run)] == [1, 2]
    drawn = run.lines[1]
    assert drawn.get_xdata() == pytest.approx((np.arange(8) + 0.5) / 8)
    assert drawn.get_ydata() == pytest.approx(np.linspace(0.6, 0.7, 8))
    band = run.collections[1].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.5, 0.8))
    assert hop.lines[0].get_color() == run.lines[0].get_color() != drawn.get_color()


def test_runs_of_other_frame_counts_share_the_time_of_the_clip():
    shown = [ClassCurves("Hop", (curve(0.2, t=4), curve(0.2, t=32)))]
    short, long = draw_class_curves(shown, ["a", "b"]).axes[1].lines
    assert short.get_xdata()[0] == pytest.approx(1 / 8)
    assert long.get_xdata()[0] == pytest.approx(1 / 64)


def test_a_single_clip_has_no_spread():
    shown = [ClassCurves("Hop", (curve(0.2, clips=1),))]
    panel = draw_class_curves(shown, ["a"]).axes[1]
    assert panel.get_ylim() == pytest.approx((0.2, 0.3))
    assert [len(line.get_xdata()) for line in panel.lines] == [8, *[2] * 4]  # two breaks


def test_an_axis_that_shows_a_part_is_marked_and_said_to_be_broken():
    narrow = draw_class_curves([ClassCurves("Hop", (curve(0.42, std=0.01),))], ["a"])
    assert narrow.axes[1].get_ylim() == pytest.approx((0.4, 0.55))
    assert f"{BAND}; {BROKEN}" in " ".join(text.get_text() for text in narrow.axes[0].texts)
    whole = draw_class_curves([ClassCurves("Hop", (curve(0.3, std=0.25),))], ["a"])
    assert len(whole.axes[1].lines) == 1
    assert BROKEN not in " ".join(text.get_text() for text in whole.axes[0].texts)


def test_an_axis_that_ends_at_zero_is_broken_at_its_top_alone():
    panel = draw_class_curves([ClassCurves("Hop", (curve(0.1),))], ["a"]).axes[1]
    assert panel.get_ylim() == pytest.approx((0.0, 0.3))
    heights = [line.get_ydata()[0] for line in panel.lines[1:]]
    assert len(heights) == 2
    assert min(heights) > 0.8  # of the panel


def test_all_panels_have_the_axes_that_show_all_there_is():
    shown = [ClassCurves("Hop", (curve(0.25),)), ClassCurves("Run", (curve(0.85, std=0.3),))]
    limits = [panel.get_ylim() for panel in draw_class_curves(shown, ["a"]).axes[1:]]
    assert limits == [pytest.approx((0.0, 1.25))] * 2  # no band is cut off: 0.95 + 0.3


def test_titles_say_how_many_clips_there_are():
    shown = [ClassCurves("Hop", (curve(0.2, clips=4), curve(0.3, clips=7)))]
    page = draw_class_curves(shown, ["before", "after"]).axes[0]
    texts = [text.get_text() for text in page.texts]
    assert {"Hop", "n = 4, 7", "before", "after"} <= set(texts)


def test_as_many_classes_as_are_said_to_fit_a_page_do():
    shown = [ClassCurves(LONG, (curve(0.2), curve(0.4)))] * panels_on_a_page(7.0)
    figure = draw_class_curves(shown, ["before", "after"])
    assert figure.get_size_inches()[1] <= PAGE_HEIGHT_IN

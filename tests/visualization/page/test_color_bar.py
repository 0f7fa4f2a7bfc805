import numpy as np
import pytest

from attncli.visualization.page.color_bar import COLOR_BAR_IN, draw_color_bar, legend_in
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.lettering import LINE_IN

TABLE = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)


def bar_of(**options):
    page = Page(4.0, 2.0, 100)
    draw_color_bar(page, TABLE, **({"left_in": 1.0, "width_in": 2.0} | options))
    page.figure.canvas.draw()
    return page, page.figure.axes[1]


def labels(axes):
    return [tick.get_text() for tick in axes.get_xticklabels()]


def test_numbers_go_from_0_to_what_the_last_colour_stands_for():
    assert labels(bar_of()[1]) == ["0", "0.25", "0.5", "0.75", "1"]
    assert labels(bar_of(highest=40.0)[1]) == ["0", "10", "20", "30", "40"]
    assert labels(bar_of(lowest=84.0, highest=92.0)[1]) == ["84", "86", "88", "90", "92"]


def test_a_narrow_bar_has_numbers_at_its_ends_only():
    assert labels(bar_of(width_in=1.5)[1]) == ["0", "1"]


def test_the_colours_are_those_of_the_table():
    _, axes = bar_of()
    (mesh,) = axes.collections[-1:] if axes.collections else axes.images
    shown = mesh.cmap(np.arange(256), bytes=True)[:, :3]
    np.testing.assert_array_equal(shown, TABLE)


def test_the_bar_stands_where_it_was_put():
    _, axes = bar_of()
    left, _, width, _ = axes.get_position().bounds
    assert (left * 4, width * 4) == pytest.approx((1.0, 2.0))


def test_the_bar_stands_above_what_is_below_it():
    (_, low), (_, high) = bar_of(), bar_of(below_in=0.25)
    assert high.get_position().y0 > low.get_position().y0


def test_the_legend_makes_the_foot_of_a_page_higher_if_it_is_long():
    assert legend_in(()) == legend_in(("attention",)) == COLOR_BAR_IN
    assert legend_in(("a", "b", "c")) == pytest.approx(max(COLOR_BAR_IN, 3 * LINE_IN))
    page, _ = bar_of(legend=("attention, scaled", "within each clip"))
    assert [text.get_text() for text in page.axes.texts] == [
        "attention, scaled",
        "within each clip",
    ]

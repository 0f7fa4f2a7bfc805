import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import Box
from attncli.visualization.page.lettering import LINE_IN, SIZE_PT, Text, text_of


def pixels(page):
    canvas = FigureCanvasAgg(page.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def test_a_picture_fills_its_box_counted_from_the_top_left():
    page = Page(2.0, 1.0, 100)
    picture = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    page.show(picture, Box(0.5, 0.25, 1.0, 0.5), interpolation="nearest")
    expected = np.full((100, 200, 3), 255)
    expected[25:75, 50:150] = 255, 0, 0
    assert np.array_equal(pixels(page), expected)


def test_axes_of_their_own_fill_their_box():
    page = Page(2.0, 1.0, 100)
    axes = page.add_axes(Box(0.5, 0.25, 1.0, 0.5))
    assert axes.get_position().bounds == pytest.approx((0.25, 0.25, 0.5, 0.5))
    axes = page.add_axes(Box(0.0, 0.0, 2.0, 0.25))
    assert axes.get_position().bounds == pytest.approx((0.0, 0.75, 1.0, 0.25))


@pytest.mark.parametrize(
    ("at", "first_in"),
    [("top", 0.5), ("middle", 0.5 - LINE_IN), ("bottom", 0.5 - 2 * LINE_IN)],
)
def test_lines_stand_below_each_other_from_where_they_are_put(at, first_in):
    page = Page(2.0, 1.0, 100)
    page.write_lines(0.3, 0.5, [Text("one", color="red"), Text("two", bold=True)], at=at)
    places = [text.get_position() for text in page.axes.texts]
    assert places[0] == pytest.approx((0.3, first_in + LINE_IN / 2))
    assert places[1] == pytest.approx((0.3, first_in + 1.5 * LINE_IN))
    assert [text.get_color() for text in page.axes.texts] == ["red", "black"]
    assert [text.get_weight() for text in page.axes.texts] == ["normal", "bold"]


def test_a_page_with_larger_text_is_larger_by_as_much():
    with text_of(2 * SIZE_PT):
        page = Page(2.0, 1.0, 100)
        page.write(1.0, 0.5, Text("one"))
        page.show(np.zeros((4, 4, 3), np.uint8), Box(0.5, 0.25, 1.0, 0.5), interpolation="nearest")
    assert page.figure.get_size_inches() == pytest.approx((4, 2))
    assert page.axes.texts[0].get_size() == 2 * SIZE_PT
    assert (pixels(page)[60, 105:150] == 0).all()


def test_a_tag_is_white_on_black_in_a_corner_of_a_picture():
    page = Page(1.0, 1.0, 100)
    page.show(np.full((4, 4, 3), 255, np.uint8), Box(0.0, 0.0, 1.0, 1.0))
    page.write_tag(0.0, 0.0, "128")
    drawn = pixels(page)
    assert drawn[:12, :25].min() < 120
    assert (drawn[20:] == 255).all()
    assert page.axes.texts[0].get_color() == "white"

import numpy as np
import pytest
from matplotlib.patches import Polygon

from attncli.visualization.page.bar import BELOW_IN, CELLS_IN, POINTER_IN, Bar, draw_bar
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import Box

STRIP = Box(1.0, 1.0, 2.0, 0.5)
COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], dtype=np.uint8)


def pointers(page):
    return [patch.get_xy()[0] for patch in page.axes.patches if isinstance(patch, Polygon)]


def drawn(*shown):
    page = Page(4.0, 2.0, 100)
    draw_bar(page, Bar("abn", COLORS, shown), STRIP, name_in=0.9)
    return page


def test_cells_span_the_pictures_and_leave_room_for_pointers():
    page = drawn(0, 3)
    (image,) = page.axes.images
    np.testing.assert_array_equal(image.get_array(), COLORS[None])
    left, right, bottom, top = image.get_extent()
    assert (left, right) == (1.0, 3.0)
    assert (top, bottom) == pytest.approx((1.0 - BELOW_IN - CELLS_IN, 1.0 - BELOW_IN))
    assert POINTER_IN < BELOW_IN


def test_pointers_are_below_the_middles_of_the_frames_that_are_shown():
    # Four cells of half an inch from 1 inch on: the middles of the second and of the last.
    assert [tip[0] for tip in pointers(drawn(1, 3))] == pytest.approx([1.75, 2.75])


def test_where_all_frames_are_shown_none_is_pointed_at():
    assert pointers(drawn(0, 1, 2, 3)) == []


def test_the_name_ends_where_it_should_beside_the_cells():
    (text,) = drawn(0).axes.texts
    assert (text.get_text(), text.get_ha()) == ("abn", "right")
    assert text.get_position() == pytest.approx((0.9, 1.0 - BELOW_IN - CELLS_IN / 2))

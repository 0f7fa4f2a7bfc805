import numpy as np

from attncli.visualization.clips import HeatStyle
from attncli.visualization.film_parts import (
    BAR_PX,
    GAP_PX,
    POINTER_PX,
    STRIP_PX,
    color_bar,
    drawn,
    page_of,
    strip,
)
from attncli.visualization.page.lettering import GREY, Text

COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)


def test_a_strip_has_a_cell_a_colour_and_a_pointer_to_one() -> None:
    shown = strip(COLORS, 2, 60)
    assert shown.shape == (STRIP_PX, 60, 3)
    assert (shown[:GAP_PX] == 255).all()
    bar = shown[GAP_PX : GAP_PX + BAR_PX]
    for cell, color in enumerate(COLORS):
        assert (bar[:, 20 * cell : 20 * (cell + 1)] == color).all()
    pointer = (shown[-POINTER_PX:] == 0).all(axis=2)
    columns = np.flatnonzero(pointer.any(axis=0))
    assert columns.mean() == 49.5  # the middle of the third cell
    assert np.array_equal(pointer.sum(axis=1), np.sort(pointer.sum(axis=1)))  # its tip is above


def test_without_colours_or_a_frame_nothing_is_there() -> None:
    assert (strip(None, 1, 30) == 255).all()
    assert (strip(COLORS, None, 30)[-POINTER_PX:] == 255).all()


def test_pages_and_colour_bars_are_as_wide_as_they_are_to_be() -> None:
    assert drawn(page_of(217, 0.5)).shape[1] == 217
    plain = color_bar(HeatStyle(), 300, unit=("attention",))
    noted = color_bar(HeatStyle(), 300, unit=("attention",), note=[Text("a note", color=GREY)])
    assert plain.shape[1] == noted.shape[1] == 300
    assert noted.shape[0] > plain.shape[0]
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 100  # the colours of the bar

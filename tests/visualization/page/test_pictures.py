import numpy as np
import pytest

from attncli.visualization.colormap import color_table
from attncli.visualization.page.grid import PAGE_HEIGHT_IN
from attncli.visualization.page.heading import Heading
from attncli.visualization.page.lettering import Text
from attncli.visualization.page.pictures import Cell, CellRow, PictureSheet, draw_pictures

LONG = "Moving something and something so they collide"


def cells(n, caption="", size_hw=(8, 8)):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (n, *size_hw, 3), np.uint8)
    return tuple(Cell(picture, Text(caption, lines=2)) for picture in pictures)


def sheet(*rows, **looks):
    return PictureSheet(rows, color_table("viridis"), ("score",), **looks)


@pytest.mark.parametrize("wished_in", [None, 1.0])
@pytest.mark.parametrize("width_in", [3.4, 7.0])
def test_nothing_overlaps_in_rows_of_any_sort(misplaced, wished_in, width_in):
    label = (Text(LONG, bold=True), Text(LONG, lines=2, grows=True))
    rows = (
        CellRow(label, cells(9, LONG), Heading(LONG, (LONG, "short"))),
        CellRow(label, cells(9, size_hw=(12, 8))),
        CellRow((Text("fewer"),), cells(4, "caption"), Heading("next", ("short",))),
    )
    titles = tuple(Text(LONG, lines=3) for _ in range(9)) if wished_in else ()
    shown = sheet(*rows, titles=titles, cell_wished_in=wished_in)
    figure = draw_pictures(shown, width_in=width_in, dpi=100)
    assert len(figure.axes[0].images) == 9 + 9 + 4
    assert misplaced(figure) == []
    assert figure.get_size_inches()[0] <= width_in + 1e-6


def test_columns_without_room_go_on_below_with_their_labels():
    shown = sheet(CellRow((Text("probe"),), cells(6)), cell_wished_in=1.0, cell_least_in=1.0)
    page = draw_pictures(shown, width_in=4.5, dpi=50).axes[0]
    lefts = [image.get_extent()[0] for image in page.images]
    assert lefts[:3] == pytest.approx(lefts[3:])  # 3 of at least an inch fit beside the label
    assert [text.get_text() for text in page.texts].count("probe") == 2


def test_pictures_shrink_so_that_many_rows_fit_a_page():
    rows = [CellRow((Text("row"),), cells(2))] * 8
    shown = sheet(*rows)
    figure = draw_pictures(shown, width_in=7.0, dpi=20)
    assert figure.get_size_inches()[1] == pytest.approx(PAGE_HEIGHT_IN)
    left, right, _, _ = figure.axes[0].images[0].get_extent()
    assert right - left < 1.2

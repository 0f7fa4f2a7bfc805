import pytest

from attncli.visualization.page.grid import (
    PAGE_HEIGHT_IN,
    Grid,
    Row,
    even_bands,
    fit_to_page,
    most_per_band,
    page_height_in,
)
from attncli.visualization.page.lettering import SIZE_PT, text_of

GRID = Grid(
    left_in=1.0,
    cell_in=0.5,
    rows=(Row(0.4, above_in=0.1), Row(0.3, below_in=0.2)),
    columns=5,
    per_band=3,
    gap_in=0.25,
    right_in=0.125,
    top_in=0.5,
    footer_in=0.75,
)
"""Two bands of 3 and 2 columns, each 0.1 + 0.4 + 0.3 + 0.2 inches high."""


def test_a_page_holds_labels_cells_and_footer():
    assert GRID.bands == 2
    assert GRID.strip_in == pytest.approx(3 * 0.5 + 2 * 0.25)
    assert GRID.width_in == pytest.approx(1.0 + 2.0 + 0.125)
    assert GRID.bottom_in == pytest.approx(0.5 + 2 * 1.0)
    assert GRID.height_in == pytest.approx(2.5 + 0.75)


def test_cells_are_left_to_right_and_columns_go_on_below():
    first, last = GRID.cell(0, 0), GRID.cell(1, 4)  # the last is in the second band and place
    assert (first.left_in, first.top_in) == pytest.approx((1.0, 0.6))
    assert (first.width_in, first.height_in) == pytest.approx((0.5, 0.4))
    assert (last.left_in, last.top_in) == pytest.approx((1.75, 2.0))
    assert (last.right_in, last.bottom_in) == pytest.approx((2.25, 2.3))
    assert last.middle_in == pytest.approx((2.0, 2.15))


def test_a_strip_is_all_cells_of_a_row_in_a_band():
    strip = GRID.strip(1, 1)
    assert (strip.left_in, strip.right_in) == pytest.approx((1.0, 3.0))
    assert (strip.top_in, strip.height_in) == pytest.approx((2.0, 0.3))


def test_as_many_cells_stand_in_a_room_as_fit():
    assert most_per_band(2.0, 0.5, 0.25) == 3
    assert most_per_band(1.999, 0.5, 0.25) == 2
    assert most_per_band(0.1, 0.5, 0.25) == 1


@pytest.mark.parametrize(
    ("columns", "most", "expected"), [(7, 5, 4), (7, 7, 7), (4, 3, 2), (5, 4, 3), (1, 9, 1)]
)
def test_bands_are_even(columns, most, expected):
    assert even_bands(columns, most) == expected


@pytest.mark.parametrize(
    ("widest_in", "least_in", "expected_in"),
    [
        (1.0, 0.5, 1.0),  # 5 rows of an inch fit
        (4.0, 0.5, PAGE_HEIGHT_IN / 5),  # square cells as high as a page
        (4.0, 3.0, 3.0),
        (2.0, 3.0, 2.0),
    ],
)
def test_cells_shrink_to_the_height_of_a_page_as_far_as_they_may(widest_in, least_in, expected_in):
    def square(cell_in):
        return Grid(0.0, cell_in, (Row(cell_in),) * 5, columns=1, per_band=1)

    fitted = fit_to_page(square, widest_in=widest_in, least_in=least_in, growth=5.0)
    assert fitted.cell_in == pytest.approx(expected_in)


def test_a_page_has_room_for_less_where_text_is_larger():
    with text_of(2 * SIZE_PT):
        assert page_height_in() == PAGE_HEIGHT_IN / 2
    assert page_height_in() == PAGE_HEIGHT_IN

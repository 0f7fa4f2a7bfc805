"""Cells in rows and columns: where everything on a page is, in inches from its top left corner."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from attncli.visualization.page.lettering import text_scale

PAGE_HEIGHT_IN = 9.2
"""Height of the text on a letter or A4 page: a figure shrinks its cells to stay within it."""
MARGIN_IN = 0.03
"""White left and right of everything."""


def page_height_in() -> float:
    """Return the height of a page in inches of one on which text has its usual size."""
    return PAGE_HEIGHT_IN / text_scale()


@dataclass(frozen=True)
class Box:
    """A rectangle on a page."""

    left_in: float
    """Its left edge, from the left of the page."""
    top_in: float
    """Its upper edge, from the top of the page."""
    width_in: float
    """From its left to its right edge."""
    height_in: float
    """From its upper to its lower edge."""

    @property
    def right_in(self) -> float:
        """Its right edge, from the left of the page."""
        return self.left_in + self.width_in

    @property
    def bottom_in(self) -> float:
        """Its lower edge, from the top of the page."""
        return self.top_in + self.height_in

    @property
    def middle_in(self) -> tuple[float, float]:
        """Its middle, from the left and from the top of the page."""
        return self.left_in + self.width_in / 2, self.top_in + self.height_in / 2


@dataclass(frozen=True)
class Row:
    """How high a row is: its cells, and what belongs to it above and below them."""

    cell_in: float
    """Height of its cells."""
    above_in: float = 0.0
    """Room above the cells, for titles."""
    below_in: float = 0.0
    """Room below the cells, for captions and for the gap to the next row."""

    @property
    def height_in(self) -> float:
        """All of it."""
        return self.above_in + self.cell_in + self.below_in


@dataclass(frozen=True)
class Grid:
    """The page of a figure as cells of one width, in rows and columns.

    A row is what is alike from left to right, and has its label left of the cells. A column is what
    belongs together from top to bottom. Columns for which a line has no room go on below, with all
    the rows again: as words do in a text. A band is such a line of columns. Below the last band is
    the footer, for legends.
    """

    left_in: float
    """Left edge of the first column: room for margin and labels."""
    cell_in: float
    """Width of a cell."""
    rows: tuple[Row, ...]
    """The rows of a band, from top to bottom."""
    columns: int
    """How many columns there are in all."""
    per_band: int
    """How many of them stand beside each other."""
    gap_in: float = 0.0
    """Distance between columns."""
    right_in: float = MARGIN_IN
    """Room right of the last column."""
    top_in: float = 0.0
    """Room above the first band."""
    footer_in: float = 0.0
    """Height of the footer."""

    @property
    def bands(self) -> int:
        """How many bands there are."""
        return math.ceil(self.columns / self.per_band)

    @property
    def strip_in(self) -> float:
        """Width of a band's cells, with the gaps between them."""
        return self.per_band * (self.cell_in + self.gap_in) - self.gap_in

    @property
    def band_in(self) -> float:
        """Height of a band."""
        return sum(row.height_in for row in self.rows)

    @property
    def width_in(self) -> float:
        """Width of the page."""
        return self.left_in + self.strip_in + self.right_in

    @property
    def bottom_in(self) -> float:
        """Upper edge of the footer."""
        return self.top_in + self.bands * self.band_in

    @property
    def height_in(self) -> float:
        """Height of the page."""
        return self.bottom_in + self.footer_in

    def cell(self, row: int, column: int) -> Box:
        """Return where a cell is; columns count through all bands."""
        band, place = divmod(column, self.per_band)
        left_in = self.left_in + place * (self.cell_in + self.gap_in)
        strip = self.strip(row, band)
        return Box(left_in, strip.top_in, self.cell_in, strip.height_in)

    def strip(self, row: int, band: int = 0) -> Box:
        """Return where the cells of a row are, all those of a band."""
        top_in = self.top_in + band * self.band_in + self.rows[row].above_in
        top_in += sum(above.height_in for above in self.rows[:row])
        return Box(self.left_in, top_in, self.strip_in, self.rows[row].cell_in)


def most_per_band(room_in: float, cell_in: float, gap_in: float) -> int:
    """Return how many cells of a width stand in a room beside each other, one at least."""
    return max(1, int((room_in + gap_in) / (cell_in + gap_in) + 1e-9))


def even_bands(columns: int, most: int) -> int:
    """Return how many columns stand in a band where at most `most` fit.

    >>> even_bands(7, 5)  # 4 and 3, not 5 and 2
    4
    """
    return math.ceil(columns / math.ceil(columns / most))


def fit_to_page(
    grid: Callable[[float], Grid], *, widest_in: float, least_in: float, growth: float
) -> Grid:
    """Return the grid with the widest cells that is no higher than a page, as far as they shrink.

    Args:
        grid: Makes a grid whose cells have a width.
        widest_in: Cells are no wider, even on a page with room for them.
        least_in: They are no narrower, unless `widest_in` is, even where the page is too high.
        growth: By how many inches the page gets higher where cells get an inch wider.
    """
    largest = grid(widest_in)
    beyond_in = largest.height_in - page_height_in()
    if beyond_in <= 0:
        return largest
    return grid(min(widest_in, max(widest_in - beyond_in / growth, least_in)))

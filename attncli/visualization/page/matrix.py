"""Values by two kinds of names: a cell a pair of them, coloured, with its number where that fits.

Names are broken into lines, stand upright below narrow cells, and of names that would overlap only
every second, third, … is written.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attncli.visualization.colormap import color_table, colorize
from attncli.visualization.page.color_bar import COLOR_BAR_IN, draw_color_bar
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box, Grid, Row, page_height_in
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, fit_first, text_width_in

EMPTY = (236, 236, 236)
"""Colour of cells without a value."""
DARK = 0.18
"""Relative luminance below which white reads better than black: contrast is equal there."""
CELL_MOST_IN = 0.42
WIDE_IN = 1.5
"""Width of all cells up to which few may grow beyond that."""
LEAST_IN = 0.9
"""Height of all cells below which the page rather gets higher."""
PADDING_IN = 0.025
"""White around cells and names."""
NUMBER_PADDING_IN = 0.01
"""White on both sides of a number, at least."""
NAME_MAX_IN = 1.1
"""Length that names take at most."""
NAME_MAX_SHARE = 0.22
"""Share of the figure's width that they take at most."""
NAME_LINES = 2
"""Lines that a name takes at most, where cells are so high."""
TITLE_LINES = 2
"""Lines that the title takes at most."""
AXIS_IN = 1.2 * LINE_IN
"""Room for what the names of an axis are."""
BELOW_IN = 0.07
"""White below what the columns are."""
BAR_IN = COLOR_BAR_IN + PADDING_IN
"""Room for the colour bar, where there are no numbers or colours do not go from 0 to 100."""
FULL_SPAN = (0.0, 100.0)
"""All values that a share in percent can have."""
WIDEST_NUMBERS = ("100", "100.0")
"""The widest numbers without a decimal and with one."""


@dataclass(frozen=True)
class Matrix:
    """All that the figure of a matrix shows."""

    percent: Float64[np.ndarray, "rows columns"]
    """The values, from 0 to 100; NaN where there is none."""
    rows: Sequence[str]
    """Names of the rows."""
    columns: Sequence[str]
    """Names of the columns."""
    title: str
    """What stands above the cells."""
    subtitles: tuple[str, ...]
    """Wordings of what stands below the title, the first of which that fits is written."""
    row_axis: str
    """What the names of the rows are."""
    column_axes: tuple[str, ...]
    """Wordings of what the names of the columns are, and the numbers."""
    colormap: str
    """Name of a matplotlib colour map."""
    spread: Float64[np.ndarray, "rows columns"] | None = None
    """What stands below each value with a ±, where it fits; NaN where there is none."""
    counts: Int[np.ndarray, "rows columns"] | None = None
    """What stands below each value in brackets, where it fits."""
    best: Bool[np.ndarray, "rows columns"] | None = None
    """Values in bold; none where None."""
    span: tuple[float, float] = FULL_SPAN
    """What the first and the last colour stand for; a colour bar says so unless it is all there
    is."""

    @property
    def colors(self) -> UInt8[np.ndarray, "rows columns 3"]:
        """Colour of each cell."""
        empty, (low, high) = np.isnan(self.percent), self.span
        shares = (np.where(empty, low, self.percent) - low) / (high - low)
        colors = colorize(shares, color_table(self.colormap))
        colors[empty] = EMPTY
        return colors

    def words(self, row: int, column: int, decimals: int) -> list[str]:
        """Return the lines of a cell's number: nothing at all is told from what is rounded."""
        value = float(self.percent[row, column])
        if math.isnan(value):
            return ["-"]
        lines = ["0" if value == 0 else f"{value:.{decimals}f}"]
        if self.counts is not None:
            lines.append(f"({self.counts[row, column]})")
        if self.spread is not None and not math.isnan(self.spread[row, column]):
            lines.append(f"± {self.spread[row, column]:.{max(decimals, 1)}f}")
        return lines


def draw_matrix(matrix: Matrix, *, width_in: float, dpi: int) -> Figure:
    """Return the figure: title, cells, names left of the rows and below the columns.

    Numbers have one decimal where there is room, else none; where cells are too small for any, a
    colour bar stands for them. A cell without a value has a dash.

    Args:
        matrix: What to show.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    longest_in = max(map(text_width_in, (*matrix.rows, *matrix.columns)))
    name_in = min(longest_in, NAME_MAX_IN, NAME_MAX_SHARE * width_in)
    grid = _lay_out(matrix, name_in, width_in)
    first = grid.cell(0, 0)
    height_in = grid.bottom_in - first.top_in
    panel = Box(first.left_in, first.top_in, grid.strip_in, height_in)

    page = Page(grid.width_in, grid.height_in, dpi)
    title = Text(matrix.title, lines=TITLE_LINES, bold=True).fit(panel.width_in)
    title.append(fit_first(matrix.subtitles, panel.width_in, color=GREY))
    page.write_lines(panel.left_in, panel.top_in - PADDING_IN, title, at="bottom")
    _draw_cells(page, matrix, panel, grid.cell_in)
    _write_names(page, matrix, grid, name_in)
    row_axis = Text(matrix.row_axis, color=GREY)
    _write_upright(page, MARGIN_IN + LINE_IN / 2, panel.middle_in[1], row_axis)
    has_bar = _has_bar(matrix, grid.cell_in)
    axis_in = grid.height_in - has_bar * BAR_IN - BELOW_IN - AXIS_IN / 2
    axis = fit_first(matrix.column_axes, panel.width_in, color=GREY)
    page.write(panel.middle_in[0], axis_in, axis, ha="center")
    if has_bar:
        _draw_bar(page, matrix, panel)
    return page.figure


def _draw_bar(page: Page, matrix: Matrix, panel: Box) -> None:
    lowest, highest = matrix.span
    draw_color_bar(
        page,
        color_table(matrix.colormap),
        left_in=panel.left_in,
        width_in=panel.width_in - text_width_in("100") / 2,
        lowest=lowest,
        highest=highest,
    )


def _lay_out(matrix: Matrix, name_in: float, width_in: float) -> Grid:
    """Return the grid whose cells are as large as width and height of the page allow."""
    rows, columns = matrix.percent.shape
    beside_in = MARGIN_IN + AXIS_IN + 2 * PADDING_IN
    room_in = width_in - beside_in - name_in - MARGIN_IN
    most_in = _above_in(TITLE_LINES) + name_in + 2 * PADDING_IN + BELOW_IN + AXIS_IN + BAR_IN
    tallest_in = max(page_height_in() - most_in, LEAST_IN)
    cell_in = min(max(CELL_MOST_IN, WIDE_IN / columns), room_in / columns, tallest_in / rows)
    title = Text(matrix.title, lines=TITLE_LINES, bold=True).fit(cell_in * columns)
    upright = _are_upright(matrix, cell_in)
    names_in = _longest_in(matrix.columns, name_in, cell_in) if upright else LINE_IN
    bar_in = BAR_IN if _has_bar(matrix, cell_in) else 0.0
    return Grid(
        left_in=beside_in + _longest_in(matrix.rows, name_in, cell_in),
        cell_in=cell_in,
        rows=(Row(cell_in, _above_in(len(title))), *[Row(cell_in)] * (rows - 1)),
        columns=columns,
        per_band=columns,
        footer_in=2 * PADDING_IN + names_in + BELOW_IN + AXIS_IN + bar_in,
    )


def _above_in(title_lines: int) -> float:
    """Return the height of title and subtitle."""
    return (title_lines + 1) * LINE_IN + PADDING_IN


def _decimals(cell_in: float) -> int | None:
    """Return how many decimals of the numbers fit; None where not even whole ones do."""
    widths_in = [text_width_in(number) + 2 * NUMBER_PADDING_IN for number in WIDEST_NUMBERS]
    fitting = [decimals for decimals, needed in enumerate(widths_in) if needed <= cell_in + 1e-9]
    return fitting[-1] if fitting else None


def _has_bar(matrix: Matrix, cell_in: float) -> bool:
    """Return whether colours are to be read: no number says the value, or they span a part."""
    return _decimals(cell_in) is None or matrix.span != FULL_SPAN


def _fit(name: str, name_in: float, cell_in: float) -> list[Text]:
    """Return the lines of a name beside a cell."""
    lines = min(NAME_LINES, max(1, int(cell_in / LINE_IN)))
    return Text(name, lines=lines, keeps_end=True).fit(name_in)


def _longest_in(names: Sequence[str], name_in: float, cell_in: float) -> float:
    """Return the length of the longest line of all names."""
    return max(line.width_in for name in names for line in _fit(name, name_in, cell_in))


def _are_upright(matrix: Matrix, cell_in: float) -> bool:
    """Return whether names are too wide to stand below cells otherwise."""
    return max(map(text_width_in, matrix.columns)) > cell_in - 2 * PADDING_IN


def _draw_cells(page: Page, matrix: Matrix, panel: Box, cell_in: float) -> None:
    colors, decimals = matrix.colors, _decimals(cell_in)
    page.show(colors, panel, interpolation="nearest")
    look: dict[str, Any] = {"fill": False, "color": GREY, "linewidth": 0.5, "zorder": 3}
    corner = (panel.left_in, panel.top_in)
    page.axes.add_patch(Rectangle(corner, panel.width_in, panel.height_in, **look))
    if decimals is None:
        return
    rows, columns = matrix.percent.shape
    look = {"color": "white", "linewidth": 0.4}
    for edge_in in panel.left_in + cell_in * np.arange(1, columns):
        page.axes.plot([edge_in, edge_in], [panel.top_in, panel.bottom_in], **look)
    for edge_in in panel.top_in + cell_in * np.arange(1, rows):
        page.axes.plot([panel.left_in, panel.right_in], [edge_in, edge_in], **look)
    for row, column in np.ndindex(rows, columns):
        middle = panel.left_in + (column + 0.5) * cell_in, panel.top_in + (row + 0.5) * cell_in
        bold = matrix.best is not None and bool(matrix.best[row, column])
        color = _text_color(colors[row, column])
        lines = [Text(line, color=color) for line in matrix.words(row, column, decimals)]
        lines[0] = replace(lines[0], bold=bold)
        fitting = lines if _fit_into(lines, cell_in) else lines[:1]
        page.write_lines(*middle, fitting, ha="center")


def _fit_into(lines: Sequence[Text], cell_in: float) -> bool:
    """Return whether all lines stand within a cell."""
    widest_in = max(line.width_in for line in lines) + 2 * NUMBER_PADDING_IN
    return max(widest_in, len(lines) * LINE_IN) <= cell_in


def _text_color(background: UInt8[np.ndarray, "3"]) -> str:
    """Return black or white, whichever has more contrast with the background (WCAG 2)."""
    levels = background / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return "white" if float(linear @ (0.2126, 0.7152, 0.0722)) < DARK else "black"


def _write_names(page: Page, matrix: Matrix, grid: Grid, name_in: float) -> None:
    """Write the names for which there is room, upright below cells narrower than they are."""
    upright, step = _are_upright(matrix, grid.cell_in), math.ceil(LINE_IN / grid.cell_in - 1e-9)
    for row in range(0, len(matrix.rows), step):
        lines = _fit(matrix.rows[row], name_in, grid.cell_in)
        y_in = grid.cell(row, 0).middle_in[1]
        page.write_lines(grid.left_in - 2 * PADDING_IN, y_in, lines, ha="right")
    top_in = grid.bottom_in + 2 * PADDING_IN
    for column in range(0, len(matrix.columns), step):
        name, (middle_in, _) = matrix.columns[column], grid.cell(0, column).middle_in
        if not upright:
            page.write(middle_in, top_in + LINE_IN / 2, Text(name), ha="center")
            continue
        lines = _fit(name, name_in, grid.cell_in)
        for position, line in enumerate(lines):
            x_in = middle_in + (position - (len(lines) - 1) / 2) * LINE_IN
            _write_upright(page, x_in, top_in + line.width_in / 2, line)


def _write_upright(page: Page, x_in: float, y_in: float, text: Text) -> None:
    """Write a line from bottom to top, with its middle at a point."""
    page.write(x_in, y_in, text, ha="center", va="center", rotation=90)

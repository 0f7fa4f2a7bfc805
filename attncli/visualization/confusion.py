"""Which classes are taken for which, as small multiples: a panel a run, a cell a pair of classes.

Everything is placed in inches, so that nothing overlaps whatever the number of runs and classes and
the length of their names.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attncli.metrics.confusion import row_percent
from attncli.visualization.color_bar import COLOR_BAR_IN, draw_color_bar
from attncli.visualization.colormap import color_table, colorize
from attncli.visualization.comparison import PAGE_HEIGHT_IN
from attncli.visualization.lettering import (
    LINE_IN,
    fit_lines,
    lettered,
    text_width_in,
    write_line,
)
from attncli.visualization.titles import GREY, MARGIN_IN

COLORMAP = "Blues"
"""One hue from light to dark, told apart in grey too."""
EMPTY = (236, 236, 236)
"""Colour of the cells of a class without any sample."""
DARK = 0.18
"""Relative luminance below which white reads better than black: contrast is equal there."""
CELL_MOST_IN = 0.42
PANEL_WIDE_IN = 1.5
"""Width up to which the cells of few classes may grow beyond that."""
PANEL_LEAST_IN = 0.9
"""Width below which panels rather stand below each other."""
PANEL_GAP_IN = 0.14
PADDING_IN = 0.025
"""White around cells and names."""
NUMBER_PADDING_IN = 0.01
"""White on both sides of a number, at least."""
NAME_MAX_IN = 1.1
"""Length that class names take at most."""
NAME_MAX_SHARE = 0.22
"""Share of the figure's width that they take at most."""
NAME_LINES = 2
"""Lines that a class's name takes at most, where cells are so high."""
TITLE_LINES = 2
"""Lines that a run's name takes at most."""
AXIS_IN = 1.2 * LINE_IN
"""Room for the name of an axis."""
WIDEST_NUMBERS = ("100.0", "100")
"""The widest numbers with a decimal and without."""
LEGEND = "percent of each true class"


@dataclass(frozen=True)
class _Grid:
    """Where the panels are, in inches from the top left."""

    cell_in: float
    k: int
    panels: int
    columns: int
    title_lines: int
    row_names_in: float
    column_names_in: float
    upright: bool

    @property
    def panel_in(self) -> float:
        """Width and height of a panel."""
        return self.k * self.cell_in

    @property
    def lines(self) -> int:
        return math.ceil(self.panels / self.columns)

    @property
    def left_in(self) -> float:
        """Left edge of the first panel."""
        return _left_in(self.row_names_in)

    @property
    def width_in(self) -> float:
        strip_in = self.columns * (self.panel_in + PANEL_GAP_IN) - PANEL_GAP_IN
        return self.left_in + strip_in + MARGIN_IN

    @property
    def line_in(self) -> float:
        """Height of a line of panels, of the titles above and of the names below them."""
        return self.panel_in + _beside_panel_in(self.title_lines, self.column_names_in)

    def corner_in(self, panel: int) -> tuple[float, float]:
        """Top left corner of a panel's title."""
        line, column = divmod(panel, self.columns)
        return self.left_in + column * (self.panel_in + PANEL_GAP_IN), line * self.line_in

    @property
    def decimals(self) -> int | None:
        """Decimals of the numbers that fit the cells; None where none do."""
        return _decimals(self.cell_in)

    @property
    def name_step(self) -> int:
        """Every how many-th class has room for its name."""
        return math.ceil(LINE_IN / self.cell_in - 1e-9)

    @property
    def name_lines(self) -> int:
        """Lines of a class's name for which there is room."""
        return _name_lines(self.cell_in)


def draw_confusion(
    matrices: Sequence[Int[np.ndarray, "k k"]],
    names: Sequence[str],
    classes: Sequence[str],
    *,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return a panel a run: of the samples of each class (row) what percent went where (column).

    This is figure 3 of the paper on RAM. Numbers have one decimal where there is room, else none;
    where cells are too small for any, a colour bar stands for them, and of names that would
    overlap only every second, third, … is written. A class without samples has dashes.

    Args:
        matrices: How many samples of each class (rows) were taken for each class (columns).
        names: How the runs are called.
        classes: Names of the classes.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    titles = lettered(names) if len(names) > 1 else list(names)
    grid = _lay_out(titles, classes, width_in)
    bar_in = COLOR_BAR_IN + PADDING_IN if grid.decimals is None else 0.0
    height_in = grid.lines * grid.line_in + AXIS_IN + bar_in

    figure = Figure(figsize=(grid.width_in, height_in), dpi=dpi, facecolor="white")
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    for panel, (counts, title) in enumerate(zip(matrices, titles, strict=True)):
        left_in, top_in = grid.corner_in(panel)
        _draw_title(page, title, counts, left_in, top_in, grid)
        top_in += (grid.title_lines + 1) * LINE_IN + PADDING_IN
        _draw_cells(page, counts, left_in, top_in, grid)
        _draw_column_names(page, classes, left_in, top_in + grid.panel_in, grid)
        if panel % grid.columns == 0:
            _draw_row_names(page, classes, top_in, grid)
    if bar_in:
        strip_in = grid.width_in - grid.left_in - MARGIN_IN - text_width_in("100") / 2
        table = color_table(COLORMAP)
        draw_color_bar(figure, table, left_in=grid.left_in, width_in=strip_in, highest=100.0)
    _draw_legend(page, grid)
    page.set(xlim=(0, grid.width_in), ylim=(height_in, 0), aspect="auto")
    return figure


def _left_in(row_names_in: float) -> float:
    return MARGIN_IN + AXIS_IN + row_names_in + 2 * PADDING_IN


def _beside_panel_in(title_lines: int, column_names_in: float) -> float:
    """Height of a line of panels without the panels."""
    return (title_lines + 1) * LINE_IN + column_names_in + 3 * PADDING_IN + PANEL_GAP_IN / 2


def _decimals(cell_in: float) -> int | None:
    widths_in = [text_width_in(number) + 2 * NUMBER_PADDING_IN for number in WIDEST_NUMBERS]
    fitting = (1 - i for i, needed in enumerate(widths_in) if needed <= cell_in + 1e-9)
    return next(fitting, None)


def _lay_out(titles: Sequence[str], classes: Sequence[str], width_in: float) -> _Grid:
    """Return the grid whose numbers have most digits, and of these that with most in a line."""
    longest_in = max(map(text_width_in, classes))
    name_in = min(longest_in, NAME_MAX_IN, NAME_MAX_SHARE * width_in)
    grids: list[_Grid] = []
    for columns in range(1, len(titles) + 1):
        cell_in = _cell_in(len(classes), len(titles), columns, name_in, width_in)
        if columns > 1 and cell_in * len(classes) < PANEL_LEAST_IN:
            break
        upright = longest_in > cell_in - 2 * PADDING_IN
        fitted = [_fit_title(title, cell_in * len(classes)) for title in titles]
        lines_in = _widest_in(classes, name_in, _name_lines(cell_in))
        grids.append(
            _Grid(
                cell_in=cell_in,
                k=len(classes),
                panels=len(titles),
                columns=columns,
                title_lines=max(map(len, fitted)),
                row_names_in=lines_in,
                column_names_in=lines_in if upright else LINE_IN,
                upright=upright,
            )
        )
    best = max(
        grids, key=lambda grid: (-1 if grid.decimals is None else grid.decimals, grid.columns)
    )
    even = math.ceil(len(titles) / best.lines)  # 4 panels are 2 and 2, not 3 and 1
    return grids[even - 1]


def _cell_in(k: int, panels: int, columns: int, name_in: float, width_in: float) -> float:
    """Return the side of a cell, as large as width and height of the page allow."""
    room_in = width_in - _left_in(name_in) - MARGIN_IN - (columns - 1) * PANEL_GAP_IN
    lines = math.ceil(panels / columns)
    below_in = AXIS_IN + COLOR_BAR_IN + PADDING_IN
    line_in = (PAGE_HEIGHT_IN - below_in) / lines - _beside_panel_in(TITLE_LINES, name_in)
    tallest_in = max(line_in, PANEL_LEAST_IN)
    return min(max(CELL_MOST_IN, PANEL_WIDE_IN / k), room_in / columns / k, tallest_in / k)


def _name_lines(cell_in: float) -> int:
    return min(NAME_LINES, max(1, int(cell_in / LINE_IN)))


def _widest_in(classes: Sequence[str], width_in: float, max_lines: int) -> float:
    """Return the width of the longest line, once names are broken into lines of a width."""
    fitted = [fit_lines(name, width_in, max_lines=max_lines) for name in classes]
    return max(text_width_in(line) for lines in fitted for line in lines)


def _fit_title(title: str, width_in: float) -> list[str]:
    return fit_lines(title, width_in, max_lines=TITLE_LINES, bold=True)


def _draw_title(
    page: Axes,
    title: str,
    counts: Int[np.ndarray, "k k"],
    left_in: float,
    top_in: float,
    grid: _Grid,
) -> None:
    """Write name and accuracy right above the panel."""
    total = int(counts.sum())
    accuracy = f"{100 * np.trace(counts) / total:.2f} %" if total else "-"
    choices = (f"accuracy {accuracy} (n = {total})", f"accuracy {accuracy}", accuracy)
    shown = next((text for text in choices if text_width_in(text) <= grid.panel_in), accuracy)
    bottom_in = top_in + (grid.title_lines + 0.5) * LINE_IN
    write_line(page, left_in, bottom_in, fit_lines(shown, grid.panel_in)[0], color=GREY)
    for position, line in enumerate(reversed(_fit_title(title, grid.panel_in)), start=1):
        write_line(page, left_in, bottom_in - position * LINE_IN, line, weight="bold")


def _draw_cells(
    page: Axes, counts: Int[np.ndarray, "k k"], left_in: float, top_in: float, grid: _Grid
) -> None:
    percent = row_percent(counts)
    colors = _colors(percent)
    side_in = grid.panel_in
    box = (left_in, left_in + side_in, top_in + side_in, top_in)
    page.imshow(colors, extent=box, interpolation="nearest")
    look: dict[str, Any] = {"fill": False, "color": GREY, "linewidth": 0.5, "zorder": 3}
    page.add_patch(Rectangle((left_in, top_in), side_in, side_in, **look))
    if grid.decimals is None:
        return
    look = {"color": "white", "linewidth": 0.4}
    for edge in range(1, grid.k):
        inside_in = edge * grid.cell_in
        page.plot([left_in + inside_in] * 2, [top_in, top_in + side_in], **look)
        page.plot([left_in, left_in + side_in], [top_in + inside_in] * 2, **look)
    for (row, column), value in np.ndenumerate(percent):
        x_in, y_in = left_in + (column + 0.5) * grid.cell_in, top_in + (row + 0.5) * grid.cell_in
        color = _text_color(colors[row, column])
        text = _number(float(value), grid.decimals)
        write_line(page, x_in, y_in, text, ha="center", color=color)


def _colors(percent: Float64[np.ndarray, "k k"]) -> UInt8[np.ndarray, "k k 3"]:
    """Return the colour of each cell."""
    empty = np.isnan(percent)
    colors = colorize(np.where(empty, 0, percent) / 100, color_table(COLORMAP))
    colors[empty] = EMPTY
    return colors


def _text_color(background: UInt8[np.ndarray, "3"]) -> str:
    """Return black or white, whichever has more contrast with the background (WCAG 2)."""
    levels = background / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return "white" if float(linear @ (0.2126, 0.7152, 0.0722)) < DARK else "black"


def _number(percent: float, decimals: int) -> str:
    """Return what is written into a cell: nothing at all is told from what is rounded to 0.0."""
    if math.isnan(percent):
        return "-"
    return "0" if percent == 0 else f"{percent:.{decimals}f}"


def _draw_row_names(page: Axes, classes: Sequence[str], top_in: float, grid: _Grid) -> None:
    for row in range(0, grid.k, grid.name_step):
        lines = fit_lines(classes[row], grid.row_names_in, max_lines=grid.name_lines)
        for line, shift_in in zip(lines, _shifts(lines), strict=True):
            middle_in = top_in + (row + 0.5) * grid.cell_in + shift_in
            write_line(page, grid.left_in - 2 * PADDING_IN, middle_in, line, ha="right")
    _write_upright(page, MARGIN_IN + LINE_IN / 2, top_in + grid.panel_in / 2, "true class", GREY)


def _draw_column_names(
    page: Axes, classes: Sequence[str], left_in: float, top_in: float, grid: _Grid
) -> None:
    """Write the classes below a panel: upright where they are wider than a cell."""
    top_in += 2 * PADDING_IN
    for column in range(0, grid.k, grid.name_step):
        middle_in = left_in + (column + 0.5) * grid.cell_in
        if not grid.upright:
            write_line(page, middle_in, top_in + LINE_IN / 2, classes[column], ha="center")
            continue
        lines = fit_lines(classes[column], grid.column_names_in, max_lines=grid.name_lines)
        for line, shift_in in zip(lines, _shifts(lines), strict=True):
            _write_upright(page, middle_in + shift_in, top_in + text_width_in(line) / 2, line)


def _shifts(lines: Sequence[str]) -> list[float]:
    """Return how far the middle of each line is from the middle of all."""
    return [(position - (len(lines) - 1) / 2) * LINE_IN for position in range(len(lines))]


def _write_upright(page: Axes, x_in: float, y_in: float, text: str, color: str = "black") -> None:
    """Write a line from bottom to top, with its middle at a point."""
    write_line(page, x_in, y_in, text, ha="center", va="center", rotation=90, color=color)


def _draw_legend(page: Axes, grid: _Grid) -> None:
    """Say below the panels what columns and numbers are."""
    room_in = grid.width_in - grid.left_in - MARGIN_IN
    choices = (f"predicted class ({LEGEND})", "predicted class", "predicted")
    text = next((text for text in choices if text_width_in(text) <= room_in), choices[-1])
    middle_in = grid.lines * grid.line_in + AXIS_IN / 2 - PANEL_GAP_IN / 2
    x_in = grid.left_in + room_in / 2
    write_line(page, x_in, middle_in, text, ha="center", color=GREY)

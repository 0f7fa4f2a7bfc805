"""Pictures in rows and columns, with a label left of each row and words above and below cells.

Nothing overlaps whatever the number of rows and columns, the length of what is written or the shape
of the pictures: they get as large as what is written beside them and the height of a page allow.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from attncli.visualization.page.bar import BAR_IN, Bar, draw_bar
from attncli.visualization.page.color_bar import draw_color_bar, legend_in
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import (
    MARGIN_IN,
    Box,
    Grid,
    Row,
    even_bands,
    fit_to_page,
    most_per_band,
    page_height_in,
)
from attncli.visualization.page.heading import HEADING_IN, Heading, write_heading
from attncli.visualization.page.lettering import LINE_IN, NO_TEXT, Text, text_width_in

LABEL_GAP_IN = 0.07
"""Distance between labels and pictures."""
CAPTION_GAP_IN = 0.02
"""Distance between a picture and what is written below it."""


@dataclass(frozen=True)
class Cell:
    """A picture, and what is written below it."""

    picture: UInt8[np.ndarray, "h w 3"]
    """Shown as wide as the column; height follows from its shape."""
    caption: Text = NO_TEXT
    """Stands below its middle."""
    tag: str = ""
    """Stands in its top left corner, such as the number of a frame."""

    @property
    def aspect(self) -> float:
        """Height of the picture over its width."""
        height, width, _ = self.picture.shape
        return height / width


@dataclass(frozen=True)
class CellRow:
    """Pictures from left to right, and what is written about all of them."""

    label: tuple[Text, ...]
    """What stands left of them, from top to bottom."""
    cells: tuple[Cell, ...]
    """One a column; there may be fewer than columns."""
    heading: Heading | None = None
    """What stands in a line above the row, and above those that follow without a heading."""
    bar: Bar | None = None
    """What stands above the pictures, as wide as all of them."""

    @property
    def aspect(self) -> float:
        """Greatest height of a picture over its width."""
        return max(cell.aspect for cell in self.cells)


@dataclass(frozen=True)
class PictureSheet:
    """All that a figure of pictures shows, and how much room there is for what."""

    rows: tuple[CellRow, ...]
    """From top to bottom."""
    table: UInt8[np.ndarray, "256 3"]
    """Colours of the colour bar."""
    legend: tuple[str, ...]
    """What stands beside the colour bar."""
    titles: tuple[Text, ...] = ()
    """What stands above each column; nothing does where empty."""
    cell_wished_in: float | None = None
    """Columns go on below rather than that pictures get narrower, as far as a page has room for
    them; None where all columns stay in one band."""
    label_most_in: float = 1.3
    """Width of labels at most."""
    label_share: float = 0.3
    """Share of the figure's width that they take at most."""
    label_lines: int = 1
    """Lines for which every label has room, even beside smaller pictures."""
    cell_least_in: float = 0.5
    """Pictures get no narrower than that for a page's height."""
    cell_most_in: float = math.inf
    """Width of pictures at most."""
    gap_in: float = 0.03
    """Distance between pictures."""
    group_gap_in: float = 0.08
    """Distance between rows below one heading and the next, and below a band."""
    top_in: float = 0.0
    """Distance from the top of the page."""
    note: Text = NO_TEXT
    """What is to be known of all of it; stands below everything."""

    def label_in(self, width_in: float) -> float:
        """Return the width of labels in a figure of that width; the legend is never cut off."""
        widths_in = [text.width_in for row in self.rows for text in row.label]
        widths_in += [text_width_in(row.bar.name) for row in self.rows if row.bar is not None]
        label_in = min(max(widths_in), self.label_most_in, self.label_share * width_in)
        return max(label_in, *map(text_width_in, self.legend))


def pictures_in(width_in: float, label_in: float) -> float:
    """Return the width left for pictures in a figure with labels of a width."""
    return width_in - label_in - LABEL_GAP_IN - 2 * MARGIN_IN


def draw_pictures(sheet: PictureSheet, *, width_in: float, dpi: int) -> Figure:
    """Return the figure: rows of pictures, and a colour bar below them.

    Args:
        sheet: What is to be seen.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    label_in = sheet.label_in(width_in)
    grid = _lay_out(sheet, label_in, pictures_in(width_in, label_in))
    page = Page(grid.width_in, grid.height_in, dpi)
    for band in range(grid.bands):
        for position, row in enumerate(sheet.rows):
            strip = grid.strip(position, band)
            if row.heading is not None:
                write_heading(page, row.heading, strip.top_in - grid.rows[position].above_in)
            if row.bar is not None:
                draw_bar(page, row.bar, strip, strip.left_in - LABEL_GAP_IN)
            _write_label(page, row.label, strip, label_in)
    for position, row in enumerate(sheet.rows):
        for column, cell in enumerate(row.cells):
            _draw_cell(page, cell, grid.cell(position, column), hangs=row.bar is not None)
    for column, title in enumerate(sheet.titles):
        box = grid.cell(0, column)
        foot_in = box.top_in - 0.1 * LINE_IN
        lines = title.fit(box.width_in)
        page.write_lines(box.middle_in[0], foot_in, lines, at="bottom", ha="center")
    note = sheet.note.fit(grid.width_in - 2 * MARGIN_IN)
    page.write_lines(MARGIN_IN, grid.height_in, note, at="bottom")
    where = {"left_in": grid.left_in, "width_in": grid.strip_in, "below_in": len(note) * LINE_IN}
    draw_color_bar(page, sheet.table, **where, legend=sheet.legend)
    return page.figure


def _lay_out(sheet: PictureSheet, label_in: float, room_in: float) -> Grid:
    """Return the layout with fewest columns in a band that fits a page, or else the lowest."""
    columns = max(len(row.cells) for row in sheet.rows)
    fewest, most = columns, columns
    if sheet.cell_wished_in is not None:
        fewest, most = (
            even_bands(columns, most_per_band(room_in, cell_in, sheet.gap_in))
            for cell_in in (sheet.cell_wished_in, sheet.cell_least_in)
        )
    for per_band in range(fewest, most + 1):
        widest_in = (room_in + sheet.gap_in) / per_band - sheet.gap_in
        grid = fit_to_page(
            partial(_grid, sheet, label_in, columns, per_band),
            widest_in=min(sheet.cell_most_in, widest_in),
            least_in=sheet.cell_least_in,
            growth=-(-columns // per_band) * sum(row.aspect for row in sheet.rows),
        )
        if grid.height_in <= page_height_in() + 1e-6:
            break
    return grid


def _grid(
    sheet: PictureSheet, label_in: float, columns: int, per_band: int, cell_in: float
) -> Grid:
    left_in = MARGIN_IN + label_in + LABEL_GAP_IN
    strip_in = per_band * (cell_in + sheet.gap_in) - sheet.gap_in
    note = sheet.note.fit(left_in + strip_in - MARGIN_IN)
    return Grid(
        left_in=left_in,
        cell_in=cell_in,
        rows=tuple(_row(sheet, i, label_in, cell_in) for i in range(len(sheet.rows))),
        columns=columns,
        per_band=per_band,
        gap_in=sheet.gap_in,
        top_in=sheet.top_in,
        footer_in=legend_in(sheet.legend) + len(note) * LINE_IN,
    )


def _row(sheet: PictureSheet, position: int, label_in: float, cell_in: float) -> Row:
    row, following = sheet.rows[position], sheet.rows[position + 1 :]
    lines = max(sheet.label_lines, sum(len(text.fit(label_in)) for text in row.label))
    titles = sheet.titles if position == 0 else ()
    above_in = max((len(title.fit(cell_in)) for title in titles), default=0) * LINE_IN
    above_in += HEADING_IN * (row.heading is not None) + BAR_IN * (row.bar is not None)
    captions = max(len(cell.caption.fit(cell_in)) for cell in row.cells)
    below_in = CAPTION_GAP_IN * (captions > 0) + captions * LINE_IN + sheet.gap_in
    if not following or following[0].heading is not None:
        below_in += sheet.group_gap_in
    return Row(max(cell_in * row.aspect, lines * LINE_IN), above_in, below_in)


def _write_label(page: Page, label: tuple[Text, ...], strip: Box, label_in: float) -> None:
    room = int(strip.height_in / LINE_IN + 1e-6) - sum(t.lines for t in label if not t.grows)
    fitted = (text.fit(label_in, lines=max(room, 1) if text.grows else None) for text in label)
    page.write_lines(MARGIN_IN, strip.middle_in[1], [line for lines in fitted for line in lines])


def _draw_cell(page: Page, cell: Cell, box: Box, *, hangs: bool) -> None:
    """Draw a picture in the middle of its cell, or at the top where it hangs from a bar."""
    height_in = box.width_in * cell.aspect
    top_in = box.top_in if hangs else box.middle_in[1] - height_in / 2
    page.show(cell.picture, Box(box.left_in, top_in, box.width_in, height_in))
    if cell.tag:
        page.write_tag(box.left_in, top_in, cell.tag)
    lines, caption_in = cell.caption.fit(box.width_in), box.bottom_in + CAPTION_GAP_IN
    page.write_lines(box.middle_in[0], caption_in, lines, at="top", ha="center")

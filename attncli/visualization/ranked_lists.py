"""People who are looked for, and the images that are taken for them: nearest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from attncli.visualization.clips import MARKS
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import (
    MARGIN_IN,
    Box,
    Grid,
    Row,
    even_bands,
    fit_to_page,
    most_per_band,
)
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, fit_first, text_width_in
from attncli.visualization.page.pictures import CAPTION_GAP_IN, LABEL_GAP_IN

PICTURE_LEAST_IN, PICTURE_MOST_IN = 0.36, 1.0
"""Width of a picture: columns go on below where they would be narrower."""
GAP_IN = 0.06
"""Distance between pictures: room for their frames."""
QUERY_GAP_IN = 0.16
"""Distance between a query and what was found."""
ROW_GAP_IN = 0.06
"""Distance between rows."""
BAND_GAP_IN = 0.1
"""Further distance between bands, and between the lists of one query and those of the next."""
LABEL_MOST_IN = 1.1
"""Width of labels at most."""
LABEL_SHARE = 0.22
"""Share of the figure's width that labels take at most."""
LABEL_LINES = 3
"""Lines that the name of a list takes at most, and of a query."""
LINE_PT = 1.6
"""Width of the line of a frame."""
DASHES = (0, (2.0, 1.2))
"""Frame of a wrong image, told from that of a right one without its colour."""
QUERY = "query"
KEYS = {
    True: ("whole frame: the same person", "the same person", "right"),
    False: ("dashed frame: somebody else", "somebody else", "wrong"),
}
"""Wordings of what stands below all, the longest first."""


@dataclass(frozen=True)
class Found:
    """An image that was taken for the person in a query."""

    picture: UInt8[np.ndarray, "_ _ 3"]
    """What it shows."""
    camera: str
    """Which camera took it; empty where that is not known."""
    is_right: bool
    """Whether it shows that person."""


@dataclass(frozen=True)
class RankedList:
    """A query, and what is nearest to it."""

    name: str
    """What ranks the images; empty where all lists are of the same."""
    query: str
    """Id of the query."""
    identity: str
    """Who it shows."""
    camera: str
    """Which camera took it; empty where that is not known."""
    picture: UInt8[np.ndarray, "_ _ 3"]
    """What it shows."""
    found: tuple[Found, ...]
    """The nearest images, the nearest first; at least one."""

    @property
    def label(self) -> tuple[Text, ...]:
        """What stands left of the list."""
        name = (Text(self.name, lines=LABEL_LINES, bold=True),) if self.name else ()
        query = Text(self.query, lines=LABEL_LINES, bold=not self.name)
        return (*name, query, Text(f"person {self.identity}", color=GREY))

    @property
    def aspect(self) -> float:
        """Greatest height of a picture over its width."""
        pictures = [self.picture, *(one.picture for one in self.found)]
        return max(picture.shape[0] / picture.shape[1] for picture in pictures)


@dataclass(frozen=True)
class _Layout:
    """Where everything is, and how cameras are called in the room that there is."""

    grid: Grid
    """Cells of what was found; queries stand left of them."""
    label_in: float
    wording: int
    """Place of the wording that fits below all pictures."""

    def query_box(self, row: int, band: int) -> Box:
        strip, cell_in = self.grid.strip(row, band), self.grid.cell_in
        left_in = strip.left_in - QUERY_GAP_IN - cell_in
        return Box(left_in, strip.top_in, cell_in, strip.height_in)


def draw_ranked_lists(
    lists: Sequence[RankedList], *, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return the figure: a row a list, the query and then the images that are nearest to it.

    Those of the same person have a whole green frame and a tick, others a dashed red frame and a
    cross; below each stands its camera.

    Args:
        lists: From top to bottom.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    layout = _lay_out(lists, width_in)
    grid = layout.grid
    page = Page(grid.width_in, grid.height_in, dpi)
    for band in range(grid.bands):
        _write_title(page, layout.query_box(0, band), QUERY)
        for row, shown in enumerate(lists):
            strip = grid.strip(row, band)
            lines = [line for text in shown.label for line in text.fit(layout.label_in)]
            page.write_lines(MARGIN_IN, strip.middle_in[1], lines)
            _draw_query(page, shown, layout.query_box(row, band), layout.wording)
    for column in range(grid.columns):
        _write_title(page, grid.cell(0, column), str(column + 1))
    for row, shown in enumerate(lists):
        for column, found in enumerate(shown.found):
            _draw_found(page, found, grid.cell(row, column), layout.wording)
    _write_keys(page, layout)
    return page.figure


def _lay_out(lists: Sequence[RankedList], width_in: float) -> _Layout:
    label_in = _label_in(lists, min(LABEL_MOST_IN, LABEL_SHARE * width_in))
    room_in = width_in - label_in - LABEL_GAP_IN - QUERY_GAP_IN - 3 * MARGIN_IN
    columns = max(len(shown.found) for shown in lists)
    # The query takes a picture of the room, too, and needs no gap of its own.
    most = most_per_band(room_in - PICTURE_LEAST_IN, PICTURE_LEAST_IN, GAP_IN)
    per_band = even_bands(columns, most)
    grid = fit_to_page(
        partial(_grid, lists, label_in, columns, per_band),
        widest_in=min(PICTURE_MOST_IN, (room_in - (per_band - 1) * GAP_IN) / (per_band + 1)),
        least_in=PICTURE_LEAST_IN,
        growth=-(-columns // per_band) * sum(shown.aspect for shown in lists),
    )
    return _Layout(grid, label_in, _wording(lists, grid.cell_in))


def _label_in(lists: Sequence[RankedList], most_in: float) -> float:
    """Return the width of the widest line of a label, where none is wider than `most_in`."""
    texts = [text for shown in lists for text in shown.label]
    return max(line.width_in for text in texts for line in text.fit(most_in))


def _grid(
    lists: Sequence[RankedList], label_in: float, columns: int, per_band: int, cell_in: float
) -> Grid:
    below_in = CAPTION_GAP_IN + LINE_IN + ROW_GAP_IN
    rows = []
    for number, shown in enumerate(lists):
        lines = sum(len(text.fit(label_in)) for text in shown.label)
        height_in = max(cell_in * shown.aspect, lines * LINE_IN)
        above_in = 1.3 * LINE_IN * (number == 0)
        following = lists[number + 1].query if number + 1 < len(lists) else None
        is_end = following is None or (bool(shown.name) and following != shown.query)
        gap_in = BAND_GAP_IN * is_end
        rows.append(Row(height_in, above_in, below_in + gap_in))
    return Grid(
        left_in=MARGIN_IN + label_in + LABEL_GAP_IN + cell_in + QUERY_GAP_IN,
        cell_in=cell_in,
        rows=tuple(rows),
        columns=columns,
        per_band=per_band,
        gap_in=GAP_IN,
        right_in=2 * MARGIN_IN,
        footer_in=LINE_IN + MARGIN_IN,
    )


def _wordings(camera: str) -> tuple[str, ...]:
    """Return what a camera may be called, the longest first; some are known by a number alone."""
    return (f"camera {camera}", f"cam {camera}", camera) if camera.isdigit() else (camera,) * 3


def _wording(lists: Sequence[RankedList], cell_in: float) -> int:
    """Return the place of the longest wording that fits below all pictures; the last where none."""
    cameras = [one.camera for shown in lists for one in shown.found]
    cameras += [shown.camera for shown in lists]
    captions = [[MARKS[True][0] + words for words in _wordings(one)] for one in set(cameras)]
    fitting = (
        place
        for place in range(3)
        if all(text_width_in(words[place]) <= cell_in for words in captions)
    )
    return next(fitting, 2)


def _write_title(page: Page, box: Box, words: str) -> None:
    page.write(box.middle_in[0], box.top_in - 0.65 * LINE_IN, Text(words, bold=True), ha="center")


def _draw_query(page: Page, shown: RankedList, box: Box, wording: int) -> None:
    inner = _show(page, shown.picture, box)
    _write_caption(page, Text(_wordings(shown.camera)[wording], color=GREY), inner, box)


def _draw_found(page: Page, found: Found, box: Box, wording: int) -> None:
    mark, color = MARKS[found.is_right]
    inner = _show(page, found.picture, box)
    style = "-" if found.is_right else DASHES
    look: dict[str, Any] = {
        "fill": False,
        "edgecolor": color,
        "linewidth": LINE_PT,
        "linestyle": style,
    }
    edges = ((inner.left_in, inner.top_in), inner.width_in, inner.height_in)
    page.axes.add_patch(Rectangle(*edges, zorder=3, **look))
    _write_caption(page, Text(mark + _wordings(found.camera)[wording], color=color), inner, box)


def _show(page: Page, picture: UInt8[np.ndarray, "_ _ 3"], box: Box) -> Box:
    """Draw a picture in the middle of its cell, and return where it is."""
    height_in = box.width_in * picture.shape[0] / picture.shape[1]
    inner = Box(box.left_in, box.middle_in[1] - height_in / 2, box.width_in, height_in)
    page.show(picture, inner)
    return inner


def _write_caption(page: Page, text: Text, inner: Box, cell: Box) -> None:
    lines = text.fit(cell.width_in + GAP_IN / 2)
    place_in = cell.bottom_in + CAPTION_GAP_IN
    page.write_lines(inner.middle_in[0], place_in, lines, at="top", ha="center")


def _write_keys(page: Page, layout: _Layout) -> None:
    """Write below all what frames mean."""
    left_in = MARGIN_IN + layout.label_in + LABEL_GAP_IN
    middle_in = page.height_in - MARGIN_IN - LINE_IN / 2
    room_in = (page.width_in - MARGIN_IN - left_in) / len(KEYS)
    for is_right, wordings in KEYS.items():
        mark, color = MARKS[is_right]
        text = fit_first([mark + words for words in wordings], room_in, color=color)
        page.write(left_in, middle_in, text)
        left_in += min(room_in, text.width_in + 3 * LABEL_GAP_IN)

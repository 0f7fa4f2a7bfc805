"""Attention over faces: a column a class, below the face a row a run.

This is figure 4 of the paper on RAM. Everything is placed in inches, so that nothing overlaps
whatever the number of classes and runs, the length of their names or the shape of the faces.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.clips import MARKS, HeatStyle
from attncli.visualization.color_bar import LEGENDS, draw_color_bar, legend_in, write_lines
from attncli.visualization.colormap import color_table
from attncli.visualization.comparison import PAGE_HEIGHT_IN
from attncli.visualization.lettering import (
    LINE_IN,
    fit_lines,
    lettered,
    text_width_in,
    write_line,
)
from attncli.visualization.overlay import overlay
from attncli.visualization.titles import GREY, MARGIN_IN

LABEL_MAX_IN = 1.1
LABEL_MAX_SHARE = 0.22
"""Share of the figure's width that labels take at most."""
LABEL_LINES = 4
"""Lines that a run's name takes at most."""
LABEL_GAP_IN = 0.07
FACE_LEAST_IN, FACE_MOST_IN = 0.5, 1.3
"""Width of a face; more are in a line only where each is as wide as the first, or wider."""
NAME_ROOM_IN = 1.0
"""Width up to which faces give room to the longest of the names above and below them."""
GAP_IN = 0.05
CAPTION_GAP_IN = 0.02
BLOCK_GAP_IN = 0.12
"""Distance between lines of columns, where not all are in one."""
TOP_IN = 0.03
TITLE_LINES = 3
"""Lines that a class's name takes at most."""
CAPTION_LINES = 2
"""Lines that what is written below a picture takes at most."""


@dataclass(frozen=True)
class FaceMap:
    """What one run makes of a face."""

    attention: Float32[np.ndarray, "hm wm"]
    """Attention as it is drawn, in [0, 1]."""
    caption: str = ""
    """What is written below: the predicted class, where it is one face."""
    correct: bool | None = None
    """Whether that is the true class; None where nothing is predicted."""


@dataclass(frozen=True)
class FaceColumn:
    """A face and what every run makes of it."""

    title: str
    """Its class; may be empty."""
    face: UInt8[np.ndarray, "h w 3"]
    """The face as the networks saw it, or the mean of many."""
    maps: tuple[FaceMap, ...]
    """One entry a run, in the order of the runs."""
    caption: str = ""
    """What is written below the face: whose it is, or how many they are."""


@dataclass(frozen=True)
class _Cell:
    """A picture, and what is written below it."""

    picture: UInt8[np.ndarray, "h w 3"]
    caption: str
    color: str


@dataclass(frozen=True)
class _Layout:
    """Where things are, in inches; a block is a line of columns."""

    label_in: float
    face_in: float
    aspect: float
    columns: int
    caption_lines: tuple[int, ...]
    label_lines: int
    title_lines: int

    @property
    def left_in(self) -> float:
        """Left edge of the first face."""
        return MARGIN_IN + self.label_in + LABEL_GAP_IN

    @property
    def strip_in(self) -> float:
        """Width of a line of faces."""
        return self.columns * (self.face_in + GAP_IN) - GAP_IN

    @property
    def width_in(self) -> float:
        """Width of the figure."""
        return self.left_in + self.strip_in + MARGIN_IN

    @property
    def picture_in(self) -> float:
        """Height of the pictures of a row, or of its label where that is higher."""
        return max(self.face_in * self.aspect, self.label_lines * LINE_IN)

    @property
    def row_heights_in(self) -> list[float]:
        """Height of each row of a block with its captions and the gap below them."""
        captions_in = (CAPTION_GAP_IN * (n > 0) + n * LINE_IN for n in self.caption_lines)
        return [self.picture_in + caption_in + GAP_IN for caption_in in captions_in]

    @property
    def block_in(self) -> float:
        """Height of a block."""
        return self.title_lines * LINE_IN + sum(self.row_heights_in) + BLOCK_GAP_IN


def draw_face_grid(
    columns: Sequence[FaceColumn],
    names: Sequence[str],
    *,
    style: HeatStyle,
    face_name: str = "face",
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return a column a face: (a) the face, then (b), (c), … the heat map of a run each over it.

    Below a heat map stands what its run predicts, with a tick in green where that is the face's
    class, and a cross in red where it is not. Columns for which a line has no room go below.

    Args:
        columns: Faces from left to right, each with one map a name.
        names: How the runs are called.
        style: How attention becomes colour; the maps are scaled already.
        face_name: What the first row is called.
        width_in: Greatest width in inches. Faces shrink, and the figure with them, so that it is
            no taller than a page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    labels = lettered([face_name, *names])
    legend = LEGENDS[style.value_range]
    layout = _lay_out(columns, labels, legend, width_in)
    blocks = _split(columns, layout.columns)
    height_in = _height_in(layout, len(columns), legend)

    figure = Figure(figsize=(layout.width_in, height_in), dpi=dpi, facecolor="white")
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    for position, block in enumerate(blocks):
        _draw_block(page, block, labels, style, TOP_IN + position * layout.block_in, layout)
    bottom_in = height_in - legend_in(legend)
    write_lines(page, [(line, {}) for line in legend], bottom_in, legend_in(legend))
    page.set(xlim=(0, layout.width_in), ylim=(height_in, 0), aspect="auto")
    table = color_table(style.colormap)
    draw_color_bar(figure, table, left_in=layout.left_in, width_in=layout.strip_in)
    return figure


def columns_on_a_page(width_in: float, runs: int) -> int:
    """Return how many faces a figure of that width shows on a page, at most."""
    label_in = min(LABEL_MAX_IN, LABEL_MAX_SHARE * width_in)
    columns = _columns_in(_room_in(width_in, label_in), FACE_LEAST_IN)
    captions_in = CAPTION_LINES * LINE_IN + CAPTION_GAP_IN + GAP_IN
    rows_in = (1 + runs) * (FACE_LEAST_IN + captions_in)
    blocks = int((PAGE_HEIGHT_IN - TOP_IN) / (rows_in + TITLE_LINES * LINE_IN + BLOCK_GAP_IN))
    return columns * max(1, blocks)


def mean_picture(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the mean of pictures, all brought to the size of the first one."""
    height, width, _ = pictures[0].shape
    total = np.zeros((height, width, 3))
    for picture in pictures:
        total += cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(total / len(pictures)).astype(np.uint8)


def _room_in(width_in: float, label_in: float) -> float:
    return width_in - label_in - LABEL_GAP_IN - 2 * MARGIN_IN


def _lay_out(
    columns: Sequence[FaceColumn], labels: Sequence[str], legend: Sequence[str], width_in: float
) -> _Layout:
    """Return the layout with most room for names that fits a page, or else the smallest."""
    label_in = max(text_width_in(label, bold=True) for label in labels)
    label_in = min(label_in, LABEL_MAX_IN, LABEL_MAX_SHARE * width_in)
    label_in = max(label_in, *map(text_width_in, legend))
    room_in = _room_in(width_in, label_in)
    least_in = min(max(FACE_LEAST_IN, _longest_in(columns)), NAME_ROOM_IN)
    fewest = _even(len(columns), _columns_in(room_in, least_in))
    most = _even(len(columns), _columns_in(room_in, FACE_LEAST_IN))
    layouts = (
        _fit_to_page(columns, labels, legend, label_in, in_a_line, room_in)
        for in_a_line in range(fewest, most + 1)
    )
    *rest, last = layouts
    fitting = (
        lay for lay in rest if _height_in(lay, len(columns), legend) <= PAGE_HEIGHT_IN + 1e-6
    )
    return next(fitting, last)


def _columns_in(room_in: float, face_in: float) -> int:
    return max(1, int((room_in + GAP_IN) / (face_in + GAP_IN) + 1e-9))


def _even(columns: int, most: int) -> int:
    """Return how many columns stand in a line: 7 of which 5 fit are 4 and 3, not 5 and 2."""
    return math.ceil(columns / math.ceil(columns / most))


def _fit_to_page(
    columns: Sequence[FaceColumn],
    labels: Sequence[str],
    legend: Sequence[str],
    label_in: float,
    in_a_line: int,
    room_in: float,
) -> _Layout:
    """Return the layout with the largest faces, of so many in a line, that fits a page."""
    aspect = max(column.face.shape[0] / column.face.shape[1] for column in columns)
    rows = list(zip(*(_captions(column) for column in columns), strict=True))

    def layout(face_in: float) -> _Layout:
        titles = [fit_lines(c.title, face_in, max_lines=TITLE_LINES, bold=True) for c in columns]
        return _Layout(
            label_in=label_in,
            face_in=face_in,
            aspect=aspect,
            columns=in_a_line,
            caption_lines=tuple(max(len(_fit(text, face_in)) for text in row) for row in rows),
            label_lines=max(len(_fit_label(label, label_in)) for label in labels),
            title_lines=max(map(len, titles)),
        )

    widest_in = min(FACE_MOST_IN, (room_in + GAP_IN) / in_a_line - GAP_IN)
    largest = layout(widest_in)
    beyond_in = _height_in(largest, len(columns), legend) - PAGE_HEIGHT_IN
    if beyond_in <= 0:
        return largest
    pictures = math.ceil(len(columns) / in_a_line) * len(labels) * aspect
    return layout(max(widest_in - beyond_in / pictures, FACE_LEAST_IN))


def _height_in(layout: _Layout, columns: int, legend: Sequence[str]) -> float:
    """Return the height of a figure of so many columns."""
    blocks = math.ceil(columns / layout.columns)
    return TOP_IN + blocks * layout.block_in + legend_in(legend)


def _longest_in(columns: Sequence[FaceColumn]) -> float:
    """Return the width of the longest title or caption; those below faces may be cut off."""
    titles = [text_width_in(column.title, bold=True) for column in columns]
    below = [text_width_in(text) for column in columns for text in _captions(column)[1:]]
    return max(*titles, *below)


def _captions(column: FaceColumn) -> list[str]:
    """Return what is written below the face and each of its heat maps."""
    return [column.caption, *(MARKS[shown.correct][0] + shown.caption for shown in column.maps)]


def _fit(caption: str, face_in: float) -> list[str]:
    return fit_lines(caption, face_in, max_lines=CAPTION_LINES)


def _fit_label(label: str, label_in: float) -> list[str]:
    return fit_lines(label, label_in, max_lines=LABEL_LINES, bold=True)


def _split(columns: Sequence[FaceColumn], size: int) -> list[Sequence[FaceColumn]]:
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _draw_block(
    page: Axes,
    block: Sequence[FaceColumn],
    labels: Sequence[str],
    style: HeatStyle,
    top_in: float,
    layout: _Layout,
) -> None:
    """Draw a line of columns with its labels."""
    titles_in = layout.title_lines * LINE_IN
    tops_in = np.cumsum([top_in + titles_in, *layout.row_heights_in]).tolist()
    for label, row_in in zip(labels, tops_in, strict=False):
        lines = [(line, {"weight": "bold"}) for line in _fit_label(label, layout.label_in)]
        write_lines(page, lines, row_in, layout.picture_in)
    for position, column in enumerate(block):
        left_in = layout.left_in + position * (layout.face_in + GAP_IN)
        middle_in = left_in + layout.face_in / 2
        title = fit_lines(column.title, layout.face_in, max_lines=TITLE_LINES, bold=True)
        first_in = tops_in[0] - (len(title) - 0.4) * LINE_IN
        _write_centred(page, title, middle_in, first_in, weight="bold")
        for cell, row_in in zip(_cells(column, style), tops_in, strict=False):
            _draw_cell(page, cell, left_in, row_in, layout)


def _cells(column: FaceColumn, style: HeatStyle) -> list[_Cell]:
    """Return the face, and under each run's heat map."""
    table = color_table(style.colormap)
    cells = [_Cell(column.face, column.caption, GREY)]
    for shown, caption in zip(column.maps, _captions(column)[1:], strict=True):
        heat = overlay(
            column.face[None], shown.attention[None], table=table, opacity=style.opacity
        )[0]
        color = GREY if shown.correct is None else MARKS[shown.correct][1]
        cells.append(_Cell(heat, caption, color))
    return cells


def _draw_cell(page: Axes, cell: _Cell, left_in: float, top_in: float, layout: _Layout) -> None:
    rows, columns, _ = cell.picture.shape
    height_in = layout.face_in * rows / columns
    below_in = top_in + layout.picture_in
    upper_in = top_in + (layout.picture_in - height_in) / 2
    box = (left_in, left_in + layout.face_in, upper_in + height_in, upper_in)
    page.imshow(cell.picture, extent=box, interpolation="antialiased")
    lines = _fit(cell.caption, layout.face_in)
    first_in = below_in + CAPTION_GAP_IN + LINE_IN / 2
    _write_centred(page, lines, left_in + layout.face_in / 2, first_in, color=cell.color)


def _write_centred(
    page: Axes, lines: Sequence[str], middle_in: float, first_in: float, **look: str
) -> None:
    """Write lines below each other, the middle of the first at a height."""
    for position, line in enumerate(lines):
        write_line(page, middle_in, first_in + position * LINE_IN, line, ha="center", **look)

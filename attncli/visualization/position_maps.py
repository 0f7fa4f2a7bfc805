"""Which places in images of people count, camera by camera: weights over the mean person."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32, UInt8
from matplotlib.figure import Figure

from attncli.visualization.clips import HeatStyle
from attncli.visualization.colormap import COLORS, colorize, over_grey
from attncli.visualization.overlay import enlarge
from attncli.visualization.page.color_bar import ON_GREY, draw_color_bar, legend_in
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
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, text_width_in
from attncli.visualization.page.pictures import LABEL_GAP_IN

PICTURE_LEAST_IN, PICTURE_MOST_IN = 0.5, 0.95
"""Width of a picture: columns go on below where they would be narrower."""
LABEL_LINES = 2
"""Lines that the name of a camera takes at most."""
TITLE_LINES = 2
"""Lines that the title of a column takes at most."""
GAP_IN = 0.05
"""Distance between pictures."""
BAND_GAP_IN = 0.12
"""Distance between bands."""
LABEL_MOST_IN = 1.0
"""Width of labels at most."""
LABEL_SHARE = 0.22
"""Share of the figure's width that they take at most."""
LEGEND = ("weight over the", "map's greatest")
"""What the colours are: the greatest magnitude in a map of any camera is 1."""
MEAN = "mean person"


@dataclass(frozen=True)
class CameraPeople:
    """The people that one camera saw."""

    name: str
    """Its name, or what stands for all cameras."""
    images: int
    """How many images the mean is of."""
    mean: UInt8[np.ndarray, "h w 3"]
    """Their mean, as the network saw them."""


@dataclass(frozen=True)
class PositionMap:
    """Weights of the places of a layer's maps, a set for each camera."""

    title: str
    """Its layer."""
    facts: tuple[str, ...]
    """What stands below that, a line each: its number, and how well it tells people apart."""
    weights: Float[np.ndarray, "v hm wm"]
    """Of any sign and scale; all cameras' are on one scale."""

    @property
    def shares(self) -> Float32[np.ndarray, "v hm wm"]:
        """Weights over the greatest magnitude of all cameras, in [-1, 1]."""
        greatest = float(np.abs(self.weights).max()) or 1.0
        return (self.weights / greatest).astype(np.float32)


def draw_position_maps(
    people: Sequence[CameraPeople],
    maps: Sequence[PositionMap],
    *,
    style: HeatStyle,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return the figure: a row a camera, its mean person and then each map over it.

    Places of great weight are covered by their colour, by twice the opacity at most; others show
    the mean person in grey.

    Args:
        people: A camera each, from top to bottom.
        maps: From left to right, each with weights for every camera.
        style: How weights become colour: the middle of the colours is 0.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    label_in = _label_in(people, width_in)
    grid = _lay_out(people, maps, label_in, width_in)
    page = Page(grid.width_in, grid.height_in, dpi)
    for row, camera in enumerate(people):
        for band in range(grid.bands):
            strip = grid.strip(row, band)
            lines = [line for text in _label(camera) for line in text.fit(label_in)]
            page.write_lines(MARGIN_IN, strip.middle_in[1], lines)
        _show(page, camera.mean, grid.cell(row, 0))
        for column, one in enumerate(maps, start=1):
            _show(page, weigh(camera.mean, one.shares[row], style), grid.cell(row, column))
    _write_titles(page, grid, [Text(MEAN, lines=TITLE_LINES, bold=True)])
    for column, one in enumerate(maps, start=1):
        _write_titles(page, grid, _titles(one), column)
    where = {"left_in": grid.left_in, "width_in": grid.strip_in, "lowest": -1.0}
    blended = over_grey(style.table, cover_of(np.linspace(-1, 1, COLORS), style))
    draw_color_bar(page, blended, **where, legend=(*LEGEND, ON_GREY))
    return page.figure


def weigh(
    picture: UInt8[np.ndarray, "h w 3"], shares: Float32[np.ndarray, "hm wm"], style: HeatStyle
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture in grey under the colours of weights, which cover it where they are great.

    Args:
        picture: What the weights are laid over.
        shares: Weights in [-1, 1]; the colour of 0 is not seen.
        style: Colours, and which share of the picture the greatest magnitude covers half of.
    """
    height, width, _ = picture.shape
    (halved,) = enlarge((shares[None] + 1) / 2, (height, width))
    colors = colorize(halved, style.table).astype(np.float64)
    cover = cover_of(2 * halved - 1, style)[..., None]
    grey = picture.mean(axis=2, keepdims=True)
    return np.rint((1 - cover) * grey + cover * colors).astype(np.uint8)


def cover_of(shares: Float[np.ndarray, "*n"], style: HeatStyle) -> Float32[np.ndarray, "*n"]:
    """Return which share of a picture weights in [-1, 1] cover: the more, the greater they are."""
    return (min(1.0, 2 * style.most) * np.abs(shares)).astype(np.float32)


def _titles(one: PositionMap) -> list[Text]:
    title = Text(one.title, lines=TITLE_LINES, bold=True)
    return [title, *(Text(fact, color=GREY) for fact in one.facts)]


def _label(camera: CameraPeople) -> tuple[Text, Text]:
    images = Text(f"{camera.images:,} images", color=GREY)
    return Text(camera.name, lines=LABEL_LINES, bold=True), images


def _label_in(people: Sequence[CameraPeople], width_in: float) -> float:
    """Return the width of labels; what stands beside the colour bar is never cut off."""
    widest_in = max(text.width_in for camera in people for text in _label(camera))
    label_in = min(widest_in, LABEL_MOST_IN, LABEL_SHARE * width_in)
    return max(label_in, *map(text_width_in, (*LEGEND, ON_GREY)))


def _lay_out(
    people: Sequence[CameraPeople], maps: Sequence[PositionMap], label_in: float, width_in: float
) -> Grid:
    columns = len(maps) + 1
    room_in = width_in - label_in - LABEL_GAP_IN - 3 * MARGIN_IN
    per_band = even_bands(columns, most_per_band(room_in, PICTURE_LEAST_IN, GAP_IN))
    return fit_to_page(
        partial(_grid, people, maps, label_in, per_band),
        widest_in=min(PICTURE_MOST_IN, (room_in + GAP_IN) / per_band - GAP_IN),
        least_in=PICTURE_LEAST_IN,
        growth=-(-columns // per_band) * sum(map(_aspect, people)),
    )


def _grid(
    people: Sequence[CameraPeople],
    maps: Sequence[PositionMap],
    label_in: float,
    per_band: int,
    cell_in: float,
) -> Grid:
    titles = [_titles(one) for one in maps] + [[Text(MEAN, lines=TITLE_LINES, bold=True)]]
    above = max(sum(len(text.fit(cell_in)) for text in texts) for texts in titles)
    lines = LABEL_LINES + 1
    rows = [Row(max(cell_in * _aspect(one), lines * LINE_IN), 0.0, GAP_IN) for one in people]
    rows[0] = Row(rows[0].cell_in, (above + 0.2) * LINE_IN, rows[0].below_in)
    rows[-1] = Row(rows[-1].cell_in, rows[-1].above_in, BAND_GAP_IN)
    return Grid(
        left_in=MARGIN_IN + label_in + LABEL_GAP_IN,
        cell_in=cell_in,
        rows=tuple(rows),
        columns=len(maps) + 1,
        per_band=per_band,
        gap_in=GAP_IN,
        right_in=2 * MARGIN_IN,
        footer_in=legend_in((*LEGEND, ON_GREY)),
    )


def _aspect(camera: CameraPeople) -> float:
    height, width, _ = camera.mean.shape
    return height / width


def _show(page: Page, picture: UInt8[np.ndarray, "h w 3"], box: Box) -> None:
    """Draw a picture in the middle of its cell."""
    height_in = box.width_in * picture.shape[0] / picture.shape[1]
    top_in = box.middle_in[1] - height_in / 2
    page.show(picture, Box(box.left_in, top_in, box.width_in, height_in))


def _write_titles(page: Page, grid: Grid, texts: Sequence[Text], column: int = 0) -> None:
    """Write what stands above a column."""
    box = grid.cell(0, column)
    lines = [line for text in texts for line in text.fit(grid.cell_in)]
    foot_in = box.top_in - 0.1 * LINE_IN
    page.write_lines(box.middle_in[0], foot_in, lines, at="bottom", ha="center")

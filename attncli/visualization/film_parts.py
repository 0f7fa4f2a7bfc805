"""Parts of the pictures of a video: strips of cells with a pointer, and what is lettered once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attncli.visualization.clips import HeatStyle
from attncli.visualization.page.color_bar import draw_color_bar, legend_in
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.lettering import (
    LINE_IN,
    Text,
    text_scale,
    text_width_in,
    typesetting,
)

GAP_PX = 4
"""Height of the gap above a strip, and width of that between pictures."""
BAR_PX = 12
"""Height of a strip's cells."""
POINTER_PX = 6
"""Height of the pointer below a strip, and half its width."""
STRIP_PX = GAP_PX + BAR_PX + POINTER_PX
"""Height of a strip with all of this."""
DPI = 144
"""Pixels an inch of lettering: text of 6.5 points is 13 pixels high."""


def strip(
    colors: UInt8[np.ndarray, "n 3"] | None, pointed: int | None, width_px: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a row of cells, one a colour.

    Args:
        colors: Of the cells; None leaves the strip white.
        pointed: Cell that a pointer below them shows; None for none.
        width_px: Columns.
    """
    shown = np.full((STRIP_PX, width_px, 3), 255, np.uint8)
    if colors is None:
        return shown
    count = len(colors)
    shown[GAP_PX : GAP_PX + BAR_PX] = colors[np.arange(width_px) * count // width_px]
    if pointed is not None:
        distance = np.abs(np.arange(width_px) + 0.5 - (pointed + 0.5) * width_px / count)
        for line in range(POINTER_PX):
            shown[GAP_PX + BAR_PX + line][distance <= line + 0.5] = 0
    return shown


def page_of(width_px: int, height_in: float) -> Page:
    """Return a page that is as wide as a number of pixels; rounding must not make it narrower."""
    return Page((width_px + 1e-3) / DPI / text_scale(), height_in, DPI)


def drawn(page: Page) -> UInt8[np.ndarray, "h w 3"]:
    """Return the pixels of a page."""
    canvas = FigureCanvasAgg(page.figure)
    with typesetting():
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]


def color_bar(
    style: HeatStyle, width_px: int, *, unit: Sequence[str], note: Sequence[Text] = ()
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the colour bar of a style, with lines below it.

    Args:
        style: How attention becomes colour.
        width_px: Columns.
        unit: What colours stand for, in lines; what else there is to say of them follows.
        note: Lines below the bar, each no wider than it all.
    """
    legend = style.legend(tuple(unit))
    width_in = width_px / DPI / text_scale()
    below_in = len(note) * LINE_IN + MARGIN_IN
    page = page_of(width_px, MARGIN_IN + legend_in(legend) + below_in)
    left_in = max(map(text_width_in, legend)) + 5 * MARGIN_IN
    bar_in = max(width_in - left_in - 5 * MARGIN_IN, 5 * MARGIN_IN)
    where = {"left_in": left_in, "width_in": bar_in, "below_in": below_in}
    draw_color_bar(page, style.blended, **where, legend=legend)
    page.write_lines(MARGIN_IN, page.height_in - MARGIN_IN, note, at="bottom")
    return drawn(page)

"""A video of clips: the frames, and beside them the attention of every run."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from attncli.visualization.clips import HeatStyle, PictureRow, ShownClip, picture_rows
from attncli.visualization.comparison import GREY, MARGIN_IN, TITLE_IN, draw_title
from attncli.visualization.lettering import LINE_IN, fit_lines, typesetting, write_line

GAP_PX = 4
DPI = 144
"""Pixels an inch of lettering: text of 6.5 points is 13 pixels high."""


def animate(
    clips: Sequence[ShownClip], names: Sequence[str], style: HeatStyle
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Yield every frame of every clip, one clip after the other, with its runs side by side.

    Pictures are of one size; what is smaller stands at the top left of it.

    Args:
        clips: Clips in the order in which they are shown, each with one entry a name.
        names: How the runs are called.
        style: How attention becomes colour.
    """
    sheets = [_sheet(clip, names, style) for clip in clips]
    height = max(sheet.shape[1] for sheet in sheets)
    width = max(sheet.shape[2] for sheet in sheets)
    canvas = np.full((height, width, 3), 255, np.uint8)
    for sheet in sheets:
        for picture in sheet:
            shown = canvas.copy()
            shown[: picture.shape[0], : picture.shape[1]] = picture
            yield shown


def _sheet(clip: ShownClip, names: Sequence[str], style: HeatStyle) -> UInt8[np.ndarray, "t h w 3"]:
    """Return the clip's rows side by side under their header."""
    rows = picture_rows(clip, names, style, range(len(clip.frames)))
    t, h, w, _ = clip.frames.shape
    gap = np.full((t, h, GAP_PX, 3), 255, np.uint8)
    parts = [part for row in rows for part in (row.pictures, gap)][:-1]
    body = np.concatenate(parts, axis=2)
    header = _header(clip, rows, panel_px=w + GAP_PX, width_px=body.shape[2])
    return np.concatenate([np.broadcast_to(header, (t, *header.shape)), body], axis=1)


def _header(
    clip: ShownClip, rows: Sequence[PictureRow], *, panel_px: int, width_px: int
) -> UInt8[np.ndarray, "h w 3"]:
    height_in = TITLE_IN + 3 * LINE_IN + MARGIN_IN
    figure = Figure(figsize=(width_px / DPI, height_in), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, width_px / DPI), ylim=(height_in, 0))
    page.set_axis_off()
    draw_title(page, clip, 0.0, width_px / DPI)
    room_in = (panel_px - GAP_PX) / DPI - 2 * MARGIN_IN
    for column, row in enumerate(rows):
        left_in = column * panel_px / DPI + MARGIN_IN
        lines = ((row.name, {"weight": "bold"}), (row.detail, {"color": row.color}))
        for line, (text, look) in enumerate((*lines, (row.value, {"color": GREY}))):
            if text:
                fitted = fit_lines(text, room_in, bold=line == 0)[0]
                write_line(page, left_in, TITLE_IN + (line + 0.5) * LINE_IN, fitted, **look)
    with typesetting():
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]

"""A video of clips: the frames, and beside them the attention of every run.

Below whatever has temporal attention runs its bar, with a pointer to the frame that is shown.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg

from attncli.visualization.clips import HeatStyle, PictureRow, ShownClip, picture_rows
from attncli.visualization.comparison import DETAIL_LINES
from attncli.visualization.page.bar import Bar
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN
from attncli.visualization.page.heading import HEADING_IN, write_heading
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, typesetting

GAP_PX = 4
BAR_PX = 12
POINTER_PX = 6
"""Height of the pointer below a bar, and half its width."""
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
    parts = [np.broadcast_to(header, (t, *header.shape)), body]
    if any(row.bar for row in rows):
        bars = [strip for row in rows for strip in (_bar_strip(row.bar, t, w), _white(t, GAP_PX))]
        parts.append(np.concatenate(bars[:-1], axis=2))
    return np.concatenate(parts, axis=1)


def _white(t: int, width_px: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Return empty strips to stand below pictures, as high as one with a bar."""
    return np.full((t, GAP_PX + BAR_PX + POINTER_PX, width_px, 3), 255, np.uint8)


def _bar_strip(bar: Bar | None, t: int, width_px: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Return for each of `t` pictures the bar to stand below it, with a pointer to its cell."""
    strip = _white(t, width_px)
    if bar is not None:
        strip[:, GAP_PX : GAP_PX + BAR_PX] = bar.colors[np.arange(width_px) * t // width_px]
        middles = (np.arange(t) + 0.5) * width_px / t
        distance = np.abs(np.arange(width_px) + 0.5 - middles[:, None])
        for line in range(POINTER_PX):
            strip[:, GAP_PX + BAR_PX + line][distance <= line + 0.5] = 0
    return strip


def _header(
    clip: ShownClip, rows: Sequence[PictureRow], *, panel_px: int, width_px: int
) -> UInt8[np.ndarray, "h w 3"]:
    room_in = (panel_px - GAP_PX) / DPI - 2 * MARGIN_IN
    labels = [_label(row, room_in) for row in rows]
    height_in = HEADING_IN + max(3, *map(len, labels)) * LINE_IN + MARGIN_IN
    page = Page(width_px / DPI, height_in, DPI)
    write_heading(page, clip.heading, 0.0)
    for column, label in enumerate(labels):
        page.write_lines(column * panel_px / DPI + MARGIN_IN, HEADING_IN, label, at="top")
    canvas = FigureCanvasAgg(page.figure)
    with typesetting():
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]


def _label(row: PictureRow, room_in: float) -> list[Text]:
    """Return the lines above a row's pictures, none wider than `room_in`."""
    bar = "" if row.bar is None else f"bar: {row.bar.name}"
    value = "; ".join(text for text in (row.value, bar) if text)
    texts = (
        Text(row.name, bold=True),
        Text(row.detail, lines=DETAIL_LINES, color=row.color),
        Text(value, color=GREY),
    )
    return [line for text in texts for line in text.fit(room_in)]

"""The figure of a paper: frames of several clips, and under them the attention of several runs."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from attncli.visualization.clips import (
    HeatStyle,
    PictureRow,
    ShownClip,
    evenly_spaced,
    middles,
    picture_rows,
)
from attncli.visualization.colormap import color_table
from attncli.visualization.page.color_bar import LEGENDS
from attncli.visualization.page.lettering import GREY, LINE_IN, Text
from attncli.visualization.page.pictures import Cell, CellRow, PictureSheet, draw_pictures

DETAIL_LINES = 2
"""Lines for which there is always room, should a predicted class need them."""
LABEL_LINES = 3
"""Lines of text beside every row of pictures: run, predicted class, entropy."""
BARS_LEGEND = "(bars: each clip)"
"""What stands below it where maps are scaled within frames: a bar has but one value a frame."""


def draw_comparison(
    clips: Sequence[ShownClip],
    names: Sequence[str],
    *,
    style: HeatStyle,
    frames: int = 8,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return for each clip the rows (a) input, then (b), (c), … a run each.

    This is figure 2 of Object-ABN. With temporal attention it is figure 4 of ST-ABN, and figure 5
    with a run before and one after human knowledge: above the pictures a bar has a cell for each
    frame of the clip, and those of the frames shown have a border.

    Args:
        clips: Clips from top to bottom, each with one entry a name.
        names: How the runs are called.
        style: How attention becomes colour.
        frames: Frames shown of a clip, evenly spaced from its first to its last; below a bar each
            stands in the middle of its part of the clip.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, but not so far that labels no longer fit beside them.
        dpi: Pixels an inch.
    """
    choose = middles if any(clip.has_bars for clip in clips) else evenly_spaced
    rows: list[CellRow] = []
    for clip in clips:
        shown = picture_rows(clip, names, style, choose(len(clip.frames), frames))
        rows += [_row(row, clip if row is shown[0] else None) for row in shown]
    legend = LEGENDS[style.value_range]
    if style.value_range == "frame" and any(row.bar for row in rows):
        legend = (*legend, BARS_LEGEND)
    sheet = PictureSheet(
        rows=tuple(rows),
        table=color_table(style.colormap),
        legend=legend,
        label_lines=LABEL_LINES,
        cell_least_in=LABEL_LINES * LINE_IN / min(row.aspect for row in rows),
    )
    return draw_pictures(sheet, width_in=width_in, dpi=dpi)


def _row(row: PictureRow, clip: ShownClip | None) -> CellRow:
    """Return a row of pictures, below the heading of the clip that begins with it."""
    label = (
        Text(row.name, bold=True),
        Text(row.detail, lines=DETAIL_LINES, color=row.color, grows=True),
        Text(row.value, color=GREY),
    )
    heading = None if clip is None else clip.heading
    return CellRow(label, tuple(map(Cell, row.pictures)), heading, row.bar)

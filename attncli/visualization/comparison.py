"""The figure of a paper: frames of several clips, and under them the attention of several runs.

Everything is placed in inches on one page-wide pair of axes, so that nothing overlaps whatever the
number of clips, runs and frames, the length of the names or the shape of the pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from attncli.visualization.clips import (
    Bar,
    HeatStyle,
    PictureRow,
    ShownClip,
    evenly_spaced,
    middles,
    picture_rows,
)
from attncli.visualization.color_bar import LEGENDS, draw_color_bar, legend_in, write_lines
from attncli.visualization.colormap import color_table
from attncli.visualization.lettering import LINE_IN, fit_lines, text_width_in, write_line
from attncli.visualization.titles import GREY, MARGIN_IN, TITLE_IN, draw_title

PAGE_HEIGHT_IN = 9.2
"""Height of the text on a letter or A4 page: a figure shrinks its pictures to stay within it."""
LABEL_MAX_IN = 1.3
LABEL_MAX_SHARE = 0.3
"""Share of the figure's width that labels take at most."""
DETAIL_LINES = 2
"""Lines for which there is always room, should a predicted class need them."""
LABEL_LINES = 3
"""Lines of text beside every row of pictures: run, predicted class, entropy."""
GAP_IN = 0.03
LABEL_GAP_IN = 0.07
CLIP_GAP_IN = 0.08
BAR_IN = 0.09
"""Height of a bar of temporal attention."""
BAR_ABOVE_IN = 0.03
"""Distance between a bar and the row above it, besides that of all rows."""
BAR_BELOW_IN = 0.045
"""Distance between a bar and its pictures: room for a pointer to each frame that is shown."""
POINTER_IN = 0.03
"""Height of such a pointer, and half its width."""
BARS_LEGEND = "(bars: each clip)"
"""What stands below it where maps are scaled within frames: a bar has but one value a frame."""


@dataclass(frozen=True)
class _Layout:
    """Where the columns are, in inches."""

    label_in: float
    picture_in: float
    columns: int

    @property
    def left_in(self) -> float:
        """Left edge of the first picture."""
        return MARGIN_IN + self.label_in + LABEL_GAP_IN

    @property
    def strip_in(self) -> float:
        """Width of a line of pictures."""
        return self.columns * (self.picture_in + GAP_IN) - GAP_IN

    @property
    def width_in(self) -> float:
        """Width of the figure."""
        return self.left_in + self.strip_in + MARGIN_IN

    def row_in(self, row: PictureRow) -> float:
        """Height of a row: its pictures, or its label where that is taller, below its bar."""
        details = fit_lines(row.detail, self.label_in, max_lines=DETAIL_LINES)
        lines = max(LABEL_LINES, len(details) + 2)
        return _bar_in(row) + max(self.picture_in * row.aspect, lines * LINE_IN)


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
    blocks = [picture_rows(clip, names, style, choose(len(clip.frames), frames)) for clip in clips]
    legend = LEGENDS[style.value_range]
    if style.value_range == "frame" and any(row.bar for rows in blocks for row in rows):
        legend = (*legend, BARS_LEGEND)
    layout = _lay_out(blocks, legend, width_in)
    rows_in = sum(layout.row_in(row) + GAP_IN for rows in blocks for row in rows)
    height_in = rows_in + len(clips) * (TITLE_IN + CLIP_GAP_IN) + legend_in(legend)

    figure = Figure(figsize=(layout.width_in, height_in), dpi=dpi, facecolor="white")
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    top_in = 0.0
    for clip, rows in zip(clips, blocks, strict=True):
        draw_title(page, clip, top_in, layout.width_in)
        top_in += TITLE_IN
        for row in rows:
            _draw_label(page, row, top_in, layout)
            _draw_pictures(page, row, top_in, layout)
            top_in += layout.row_in(row) + GAP_IN
        top_in += CLIP_GAP_IN
    write_lines(page, [(line, {}) for line in legend], top_in, legend_in(legend))
    page.set(xlim=(0, layout.width_in), ylim=(height_in, 0), aspect="auto")
    table = color_table(style.colormap)
    draw_color_bar(figure, table, left_in=layout.left_in, width_in=layout.strip_in)
    return figure


def _lay_out(
    blocks: Sequence[Sequence[PictureRow]], legend: Sequence[str], width_in: float
) -> _Layout:
    rows = [row for rows in blocks for row in rows]
    columns = max(len(row.pictures) for row in rows)
    labels_in = [*map(text_width_in, legend), *map(_label_width_in, rows)]
    label_in = min(max(labels_in), LABEL_MAX_IN, LABEL_MAX_SHARE * width_in)
    room_in = width_in - label_in - LABEL_GAP_IN - 2 * MARGIN_IN
    widest = (room_in + GAP_IN) / columns - GAP_IN
    between_in = len(blocks) * (TITLE_IN + CLIP_GAP_IN) + legend_in(legend)
    between_in += sum(GAP_IN + _bar_in(row) for row in rows)
    tallest = (PAGE_HEIGHT_IN - between_in) / sum(row.aspect for row in rows)
    readable = LABEL_LINES * LINE_IN / min(row.aspect for row in rows)
    return _Layout(label_in, min(widest, max(tallest, readable)), columns)


def _bar_in(row: PictureRow) -> float:
    """Height that a row's bar takes above its pictures."""
    return 0.0 if row.bar is None else BAR_ABOVE_IN + BAR_IN + BAR_BELOW_IN


def _label_width_in(row: PictureRow) -> float:
    name_in = text_width_in(row.name, bold=True)
    bar_in = 0.0 if row.bar is None else text_width_in(row.bar.name)
    return max(name_in, bar_in, text_width_in(row.detail), text_width_in(row.value))


def _draw_label(page: Axes, row: PictureRow, top_in: float, layout: _Layout) -> None:
    height_in = layout.row_in(row) - _bar_in(row)
    top_in += _bar_in(row)
    room = int(height_in / LINE_IN + 1e-6) - 2
    name = fit_lines(row.name, layout.label_in, bold=True)[0]
    details = fit_lines(row.detail, layout.label_in, max_lines=room)
    lines = [(name, {"weight": "bold"})]
    lines += [(line, {"color": row.color}) for line in details]
    lines += [(row.value, {"color": GREY})] if row.value else []
    write_lines(page, lines, top_in, height_in)


def _draw_pictures(page: Axes, row: PictureRow, top_in: float, layout: _Layout) -> None:
    height_in = layout.picture_in * row.aspect
    if row.bar is None:
        top_in += (layout.row_in(row) - height_in) / 2
    else:
        _draw_bar(page, row.bar, top_in + BAR_ABOVE_IN, layout)
        top_in += _bar_in(row)
    for position, picture in enumerate(row.pictures):
        left_in = layout.left_in + position * (layout.picture_in + GAP_IN)
        box = (left_in, left_in + layout.picture_in, top_in + height_in, top_in)
        page.imshow(picture, extent=box, interpolation="antialiased")


def _draw_bar(page: Axes, bar: Bar, top_in: float, layout: _Layout) -> None:
    """Draw a cell for each frame over the whole line of pictures, and point at those shown."""
    bottom_in = top_in + BAR_IN
    box = (layout.left_in, layout.left_in + layout.strip_in, bottom_in, top_in)
    page.imshow(bar.colors[None], extent=box, interpolation="nearest")
    cell_in = layout.strip_in / len(bar.colors)
    for cell in bar.shown if len(bar.shown) < len(bar.colors) else ():
        tip_in = layout.left_in + (cell + 0.5) * cell_in
        foot_in = bottom_in + POINTER_IN
        corners = [(tip_in, bottom_in), *((tip_in + x, foot_in) for x in (-POINTER_IN, POINTER_IN))]
        page.add_patch(Polygon(corners, color="black", linewidth=0))
    look = {"ha": "right", "color": GREY}
    write_line(page, layout.left_in - LABEL_GAP_IN, top_in + BAR_IN / 2, bar.name, **look)

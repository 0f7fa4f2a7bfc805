"""The figure of a paper: frames of several clips, and under them the attention of several runs.

Everything is placed in inches on one page-wide pair of axes, so that nothing overlaps whatever the
number of clips, runs and frames, the length of the names or the shape of the pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from attncli.files.atomic import replacing
from attncli.metrics.value_range import Range
from attncli.visualization.clips import (
    HeatStyle,
    PictureRow,
    ShownClip,
    evenly_spaced,
    picture_rows,
)
from attncli.visualization.colormap import color_table
from attncli.visualization.lettering import (
    LINE_IN,
    SIZE_PT,
    fit_lines,
    text_width_in,
    typesetting,
    write_line,
)

PAGE_HEIGHT_IN = 9.2
"""Height of the text on a letter or A4 page: a figure shrinks its pictures to stay within it."""
LABEL_MAX_IN = 1.3
LABEL_MAX_SHARE = 0.3
"""Share of the figure's width that labels take at most."""
LABEL_LINES = 3
"""Lines of text beside every row of pictures: run, predicted class, entropy."""
MARGIN_IN = 0.03
TITLE_IN = 0.17
GAP_IN = 0.03
LABEL_GAP_IN = 0.07
CLIP_GAP_IN = 0.08
COLOR_BAR_IN = 0.28
GREY = "0.35"
LEGENDS: dict[Range, tuple[str, ...]] = {
    "none": ("attention",),
    "clip": ("attention, scaled", "within each clip"),
    "frame": ("attention, scaled", "within each frame"),
}
"""What the colour bar shows, in lines short enough to stand beside it."""


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
        """Height of a row: its pictures, or its label where that is taller."""
        return max(self.picture_in * row.aspect, LABEL_LINES * LINE_IN)


def draw_comparison(
    clips: Sequence[ShownClip],
    names: Sequence[str],
    *,
    style: HeatStyle,
    frames: int = 8,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return the paper's figure 2: for each clip the rows (a) input, then (b), (c), … a run each.

    Args:
        clips: Clips from top to bottom, each with one entry a name.
        names: How the runs are called.
        style: How attention becomes colour.
        frames: Frames shown of a clip, evenly spaced from its first to its last.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, but not so far that labels no longer fit beside them.
        dpi: Pixels an inch.
    """
    blocks = [
        picture_rows(clip, names, style, evenly_spaced(len(clip.frames), frames)) for clip in clips
    ]
    legend = LEGENDS[style.value_range]
    layout = _lay_out(blocks, legend, width_in)
    rows_in = sum(layout.row_in(row) + GAP_IN for rows in blocks for row in rows)
    height_in = rows_in + len(clips) * (TITLE_IN + CLIP_GAP_IN) + COLOR_BAR_IN

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
    _write_lines(page, [(line, {}) for line in legend], top_in, COLOR_BAR_IN)
    page.set(xlim=(0, layout.width_in), ylim=(height_in, 0), aspect="auto")
    _draw_color_bar(figure, style, layout, height_in)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write the figure as PNG or PDF, by suffix; the same figure gives the same bytes.

    Text in a PDF stays text, to be searched and edited.
    """
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"CreationDate": None} if kind == "pdf" else None
    with typesetting(), replacing(path) as temporary:
        figure.savefig(temporary, format=kind, metadata=metadata)


def draw_title(page: Axes, clip: ShownClip, top_in: float, width_in: float) -> None:
    """Write the clip's id, class and frames in one line as wide as the page, `TITLE_IN` high.

    Where there is no room for all of it, the frames are left out first.
    """
    room_in = width_in - 2 * MARGIN_IN - LABEL_GAP_IN
    facts_in = room_in - min(text_width_in(clip.id, bold=True), room_in / 2)
    choices = [f"frames {min(clip.frame_indices)} to {max(clip.frame_indices)}"]
    if clip.true_class is not None:
        true_class = f"true class: {clip.true_class}"
        choices = [f"{true_class}; {choices[0]}", true_class, clip.true_class]
    fitting = (text for text in choices if text_width_in(text) <= facts_in)
    facts = next(fitting, fit_lines(choices[-1], facts_in)[0])
    title = fit_lines(clip.id, room_in - text_width_in(facts), bold=True)[0]
    middle_in = top_in + TITLE_IN / 2
    write_line(page, MARGIN_IN, middle_in, title, weight="bold")
    write_line(page, width_in - MARGIN_IN, middle_in, facts, ha="right", color=GREY)


def _lay_out(
    blocks: Sequence[Sequence[PictureRow]], legend: Sequence[str], width_in: float
) -> _Layout:
    rows = [row for rows in blocks for row in rows]
    columns = max(len(row.pictures) for row in rows)
    labels_in = [*map(text_width_in, legend), *map(_label_width_in, rows)]
    label_in = min(max(labels_in), LABEL_MAX_IN, LABEL_MAX_SHARE * width_in)
    room_in = width_in - label_in - LABEL_GAP_IN - 2 * MARGIN_IN
    widest = (room_in + GAP_IN) / columns - GAP_IN
    between_in = len(blocks) * (TITLE_IN + CLIP_GAP_IN) + len(rows) * GAP_IN + COLOR_BAR_IN
    tallest = (PAGE_HEIGHT_IN - between_in) / sum(row.aspect for row in rows)
    readable = LABEL_LINES * LINE_IN / min(row.aspect for row in rows)
    return _Layout(label_in, min(widest, max(tallest, readable)), columns)


def _label_width_in(row: PictureRow) -> float:
    name_in = text_width_in(row.name, bold=True)
    return max(name_in, text_width_in(row.detail), text_width_in(row.value))


def _draw_label(page: Axes, row: PictureRow, top_in: float, layout: _Layout) -> None:
    height_in = layout.row_in(row)
    room = int(height_in / LINE_IN + 1e-6) - 2
    name = fit_lines(row.name, layout.label_in, bold=True)[0]
    details = fit_lines(row.detail, layout.label_in, max_lines=room)
    lines = [(name, {"weight": "bold"})]
    lines += [(line, {"color": row.color}) for line in details]
    lines += [(row.value, {"color": GREY})] if row.value else []
    _write_lines(page, lines, top_in, height_in)


def _write_lines(
    page: Axes, lines: Sequence[tuple[str, dict[str, str]]], top_in: float, height_in: float
) -> None:
    """Write lines below each other at the left margin, in the middle of a height."""
    first_in = top_in + (height_in - (len(lines) - 1) * LINE_IN) / 2
    for position, (text, look) in enumerate(lines):
        write_line(page, MARGIN_IN, first_in + position * LINE_IN, text, **look)


def _draw_pictures(page: Axes, row: PictureRow, top_in: float, layout: _Layout) -> None:
    height_in = layout.picture_in * row.aspect
    top_in += (layout.row_in(row) - height_in) / 2
    for position, picture in enumerate(row.pictures):
        left_in = layout.left_in + position * (layout.picture_in + GAP_IN)
        box = (left_in, left_in + layout.picture_in, top_in + height_in, top_in)
        page.imshow(picture, extent=box, interpolation="antialiased")


def _draw_color_bar(figure: Figure, style: HeatStyle, layout: _Layout, height_in: float) -> None:
    left, width = layout.left_in / layout.width_in, layout.strip_in / layout.width_in
    bar = figure.add_axes((left, 0.16 / height_in, width, 0.08 / height_in))
    colors = ListedColormap(color_table(style.colormap) / 255)
    quarters = [0, 0.25, 0.5, 0.75, 1]
    drawn = figure.colorbar(
        ScalarMappable(Normalize(0, 1), colors),
        cax=bar,
        orientation="horizontal",
        ticks=quarters if layout.strip_in > 1.5 else [0, 1],
        format="{x:g}",
    )
    drawn.ax.tick_params(labelsize=SIZE_PT, length=2, pad=1.5, width=0.5)
    drawn.outline.set_linewidth(0.5)

"""The figure of a paper: frames of several clips, and under them the attention of several runs."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from attncli.visualization.clips import (
    BARS,
    HeatStyle,
    PictureRow,
    ShownClip,
    evenly_spaced,
    middles,
    picture_rows,
)
from attncli.visualization.page.color_bar import LEGENDS
from attncli.visualization.page.lettering import GREY, LINE_IN, Text
from attncli.visualization.page.pictures import Cell, CellRow, PictureSheet, draw_pictures

DETAIL_LINES = 2
"""Lines for which there is always room, should a predicted class need them."""
LABEL_LINES = 3
"""Lines of text beside every row of pictures: run, predicted class, entropy."""
NOTE_LINES = 4
"""Lines that the note below everything takes at most."""
NUMBERS_NOTE = "On each picture: its frame in the video, from 0."
MAPS_NOTE = "Colours over pictures: spatial attention."
BARS_NOTE = (
    "Bars above pictures: {kinds}, a cell for each frame of the clip in time, in the colours of "
    "the colour bar; pointers show which cells the pictures are."
)
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
        rows += _rows(clip, names, style, choose(len(clip.frames), frames))
    legend = style.legend(LEGENDS[style.value_range])
    if style.value_range == "frame" and any(row.bar for row in rows):
        legend = (*legend, BARS_LEGEND)
    sheet = PictureSheet(
        rows=tuple(rows),
        table=style.blended,
        legend=legend,
        label_lines=LABEL_LINES,
        cell_least_in=LABEL_LINES * LINE_IN / min(row.aspect for row in rows),
        note=Text(note_of(rows), lines=NOTE_LINES, color=GREY),
    )
    return draw_pictures(sheet, width_in=width_in, dpi=dpi)


def note_of(rows: Sequence[CellRow]) -> str:
    """Return what numbers, colours and bars of a figure are."""
    bars = {row.bar.name for row in rows if row.bar is not None}
    kinds = [words for name, words in BARS.items() if name in bars]
    notes = [NUMBERS_NOTE, MAPS_NOTE]
    return " ".join([*notes, BARS_NOTE.format(kinds=" or ".join(kinds))] if kinds else notes)


def _rows(
    clip: ShownClip, names: Sequence[str], style: HeatStyle, frames: Sequence[int]
) -> list[CellRow]:
    """Return the rows of a clip, the first of which has its heading."""
    shown = picture_rows(clip, names, style, frames)
    tags = [str(clip.frame_indices[position]) for position in frames]
    return [_row(row, tags, clip if row is shown[0] else None) for row in shown]


def _row(row: PictureRow, tags: Sequence[str], clip: ShownClip | None) -> CellRow:
    """Return a row of pictures, below the heading of the clip that begins with it."""
    label = (
        Text(row.name, bold=True),
        Text(row.detail, lines=DETAIL_LINES, color=row.color, grows=True),
        Text(row.value, color=GREY),
    )
    heading = None if clip is None else clip.heading
    cells = tuple(Cell(shown, tag=tag) for shown, tag in zip(row.pictures, tags, strict=True))
    return CellRow(label, cells, heading, row.bar)

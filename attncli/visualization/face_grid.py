"""Attention over faces: a column a class, below the face a row a run.

This is figure 4 of the paper on RAM.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from matplotlib.figure import Figure

from attncli.visualization.clips import MARKS, HeatStyle
from attncli.visualization.overlay import overlay
from attncli.visualization.page.color_bar import LEGENDS
from attncli.visualization.page.grid import most_per_band, page_height_in
from attncli.visualization.page.lettering import GREY, LINE_IN, Text, lettered, text_width_in
from attncli.visualization.page.pictures import (
    CAPTION_GAP_IN,
    Cell,
    CellRow,
    PictureSheet,
    draw_pictures,
    pictures_in,
)

LABEL_MOST_IN = 1.1
"""Width of labels at most."""
LABEL_SHARE = 0.22
"""Share of the figure's width that labels take at most."""
FACE_LEAST_IN, FACE_MOST_IN = 0.5, 1.3
"""Width of a face; more are in a band only where each is as wide as the first, or wider."""
NAME_ROOM_IN = 1.0
"""Width up to which faces give room to the longest of the names above and below them."""
GAP_IN = 0.05
"""Distance between faces."""
BAND_GAP_IN = 0.12
"""Distance between bands."""
TOP_IN = 0.03
"""Distance from the top of the page."""
LABEL_LINES = 4
"""Lines that a run's name takes at most."""
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
    rows = zip(*(_cells(column, style) for column in columns), strict=True)
    sheet = PictureSheet(
        rows=tuple(
            CellRow((Text(name, lines=LABEL_LINES, bold=True),), tuple(row))
            for name, row in zip(lettered([face_name, *names]), rows, strict=True)
        ),
        table=style.blended,
        legend=style.legend(LEGENDS[style.value_range]),
        titles=tuple(Text(column.title, lines=TITLE_LINES, bold=True) for column in columns),
        cell_wished_in=_wished_in(columns),
        label_most_in=LABEL_MOST_IN,
        label_share=LABEL_SHARE,
        cell_least_in=FACE_LEAST_IN,
        cell_most_in=FACE_MOST_IN,
        gap_in=GAP_IN,
        group_gap_in=BAND_GAP_IN,
        top_in=TOP_IN,
    )
    return draw_pictures(sheet, width_in=width_in, dpi=dpi)


def columns_on_a_page(width_in: float, runs: int) -> int:
    """Return how many faces a figure of that width shows on a page, at most."""
    room_in = pictures_in(width_in, min(LABEL_MOST_IN, LABEL_SHARE * width_in))
    captions_in = CAPTION_LINES * LINE_IN + CAPTION_GAP_IN + GAP_IN
    band_in = (1 + runs) * (FACE_LEAST_IN + captions_in) + TITLE_LINES * LINE_IN + BAND_GAP_IN
    bands = int((page_height_in() - TOP_IN) / band_in)
    return most_per_band(room_in, FACE_LEAST_IN, GAP_IN) * max(1, bands)


def mean_picture(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the mean of pictures, all brought to the size of the first one."""
    height, width, _ = pictures[0].shape
    total = np.zeros((height, width, 3))
    for picture in pictures:
        total += cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(total / len(pictures)).astype(np.uint8)


def _wished_in(columns: Sequence[FaceColumn]) -> float:
    """Return the width of faces beside which no name is broken; what is below them may be cut."""
    names_in = [text_width_in(column.title, bold=True) for column in columns]
    names_in += [text_width_in(_caption(shown)) for column in columns for shown in column.maps]
    return min(max(FACE_LEAST_IN, *names_in), NAME_ROOM_IN)


def _caption(shown: FaceMap) -> str:
    return MARKS[shown.correct][0] + shown.caption


def _cells(column: FaceColumn, style: HeatStyle) -> list[Cell]:
    """Return the face, and under it the heat map of each run."""
    cells = [Cell(column.face, Text(column.caption, lines=CAPTION_LINES, color=GREY))]
    for shown in column.maps:
        (heat,) = overlay(
            column.face[None], shown.attention[None], table=style.table, opacity=style.opacities
        )
        color = GREY if shown.correct is None else MARKS[shown.correct][1]
        cells.append(Cell(heat, Text(_caption(shown), lines=CAPTION_LINES, color=color)))
    return cells

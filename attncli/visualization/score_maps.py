"""Score maps over images: a row an image and run, a picture a class.

Class activation maps are drawn so: where a network that was told only which classes an image shows
sees each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure

from attncli.visualization.clips import HeatStyle
from attncli.visualization.overlay import overlay
from attncli.visualization.page.heading import Heading
from attncli.visualization.page.lettering import GREY, Text, lettered
from attncli.visualization.page.pictures import Cell, CellRow, PictureSheet, draw_pictures

PICTURE_LEAST_IN, PICTURE_MOST_IN = 0.6, 1.6
"""Width of a picture."""
LABEL_LINES = 3
"""Lines that a run's name takes at most."""
CAPTION_LINES = 2
"""Lines that a class's name takes at most."""


@dataclass(frozen=True)
class ScoredClass:
    """Where a run sees a class."""

    name: str
    """Its name."""
    scores: Float[np.ndarray, "h w"]
    """How much each pixel belongs to it, in [0, 1]."""


@dataclass(frozen=True)
class ScoredImage:
    """An image, and the classes present in it as each run sees them."""

    name: str
    """Its id."""
    label: str
    """Which classes it shows; empty where that is not known."""
    image: UInt8[np.ndarray, "h w 3"]
    """The image itself."""
    runs: tuple[tuple[ScoredClass, ...], ...]
    """One entry a run, in the order of the runs."""


def draw_score_maps(
    images: Sequence[ScoredImage],
    names: Sequence[str],
    *,
    style: HeatStyle,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return the figure: for each image a row a run, the image and then a heat map a class.

    Args:
        images: From top to bottom.
        names: How the runs are called.
        style: How scores become colour.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    labels = lettered(list(names)) if len(names) > 1 else list(names)
    rows = [
        CellRow(
            label=(Text(label, lines=LABEL_LINES, bold=True),),
            cells=(Cell(shown.image), *(_cell(shown, one, style) for one in classes)),
            heading=Heading(shown.name, (shown.label,)) if number == 0 else None,
        )
        for shown in images
        for number, (label, classes) in enumerate(zip(labels, shown.runs, strict=True))
    ]
    sheet = PictureSheet(
        rows=tuple(rows),
        table=style.blended,
        legend=style.legend(("score",)),
        label_lines=LABEL_LINES,
        cell_least_in=PICTURE_LEAST_IN,
        cell_most_in=PICTURE_MOST_IN,
    )
    return draw_pictures(sheet, width_in=width_in, dpi=dpi)


def _cell(shown: ScoredImage, scored: ScoredClass, style: HeatStyle) -> Cell:
    maps = scored.scores.astype(np.float32)[None]
    (heat,) = overlay(shown.image[None], maps, table=style.table, opacity=style.opacities)
    return Cell(heat, Text(scored.name, lines=CAPTION_LINES, color=GREY))

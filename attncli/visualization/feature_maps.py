"""Maps of what networks see in images they were not trained for: CAM beside SVD-CAM.

A row an image; beside it, for each source, its maps of one class, or their mean magnitude over all
classes (figures 2 and 3 of the report on SVD-CAM).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from matplotlib.figure import Figure

from attncli.visualization.clips import HeatStyle
from attncli.visualization.overlay import overlay
from attncli.visualization.page.lettering import GREY, LINE_IN, Text
from attncli.visualization.page.pictures import Cell, CellRow, PictureSheet, draw_pictures

LABEL_LINES = 3
"""Lines that the name of an image takes at most, and its class."""
TITLE_LINES = 2
"""Lines that the name of a column takes at most."""
CAPTION_LINES = 2
"""Lines that the name of a class takes at most."""
PICTURE_LEAST_IN, PICTURE_MOST_IN = 0.6, 1.5
"""Width of a picture."""
LABEL_SHARE = 0.22
"""Share of the figure's width that names take at most: columns keep room for their titles."""
LEGEND = ("share of the", "map's greatest")
"""What the colours are: negative values are 0."""


@dataclass(frozen=True)
class FeatureMap:
    """One map over what a network saw of an image."""

    image: UInt8[np.ndarray, "h w 3"]
    """The part of the image that it saw."""
    values: Float[np.ndarray, "hm wm"]
    """The map, of any sign and scale."""
    caption: str = ""
    """What it is of: its class; may be empty."""

    @property
    def shares(self) -> Float32[np.ndarray, "hm wm"]:
        """Its values over the greatest of them, in [0, 1]; 0 where they are negative."""
        positive = np.maximum(self.values, 0).astype(np.float32)
        return positive / max(float(positive.max()), np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class MappedImage:
    """An image, and its maps from left to right."""

    name: str
    """Its id."""
    label: str
    """Its class in the dataset; may be empty."""
    maps: tuple[FeatureMap, ...]
    """One a column, at least one."""


def draw_feature_maps(
    images: Sequence[MappedImage],
    columns: Sequence[str],
    *,
    style: HeatStyle,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return the figure: a row an image, the image itself and its maps as heat over it.

    Args:
        images: From top to bottom.
        columns: What the maps are, one a map.
        style: How values become colour.
        width_in: Greatest width in inches. Pictures shrink, and the figure with them, so that it
            is no taller than a page, as long as they stay visible.
        dpi: Pixels an inch.
    """
    titles = ("image", *columns)
    sheet = PictureSheet(
        rows=tuple(CellRow(_label(shown), _cells(shown, style)) for shown in images),
        table=style.blended,
        legend=style.legend(LEGEND),
        titles=tuple(Text(title, lines=TITLE_LINES, bold=True) for title in titles),
        label_lines=LABEL_LINES + 1,
        cell_least_in=PICTURE_LEAST_IN,
        cell_most_in=PICTURE_MOST_IN,
        label_share=LABEL_SHARE,
        top_in=0.2 * LINE_IN,
    )
    return draw_pictures(sheet, width_in=width_in, dpi=dpi)


def _label(shown: MappedImage) -> tuple[Text, ...]:
    name = Text(shown.name, lines=LABEL_LINES, bold=True, grows=True, keeps_end=True)
    return (name, Text(shown.label, color=GREY)) if shown.label else (name,)


def _cells(shown: MappedImage, style: HeatStyle) -> tuple[Cell, ...]:
    cells = [Cell(shown.maps[0].image)]
    for one in shown.maps:
        maps = one.shares[None]
        (heat,) = overlay(one.image[None], maps, table=style.table, opacity=style.opacities)
        cells.append(Cell(heat, Text(one.caption, lines=CAPTION_LINES, color=GREY)))
    return tuple(cells)

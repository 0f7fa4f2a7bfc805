"""The colour bar below pictures, and what it says."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from attncli.metrics.value_range import Range
from attncli.visualization.lettering import LINE_IN, SIZE_PT, write_line
from attncli.visualization.titles import MARGIN_IN

COLOR_BAR_IN = 0.28
LEGENDS: dict[Range, tuple[str, ...]] = {
    "none": ("attention",),
    "clip": ("attention, scaled", "within each clip"),
    "frame": ("attention, scaled", "within each frame"),
}
"""What the colour bar shows, in lines short enough to stand beside it."""


def legend_in(legend: Sequence[str]) -> float:
    """Return the height of the colour bar and of what is written beside it."""
    return max(COLOR_BAR_IN, len(legend) * LINE_IN)


def write_lines(
    page: Axes, lines: Sequence[tuple[str, dict[str, str]]], top_in: float, height_in: float
) -> None:
    """Write lines below each other at the left margin, in the middle of a height."""
    first_in = top_in + (height_in - (len(lines) - 1) * LINE_IN) / 2
    for position, (text, look) in enumerate(lines):
        write_line(page, MARGIN_IN, first_in + position * LINE_IN, text, **look)


def draw_color_bar(
    figure: Figure,
    table: UInt8[np.ndarray, "256 3"],
    *,
    left_in: float,
    width_in: float,
    highest: float = 1.0,
) -> None:
    """Draw the colours from 0 to `highest` at the bottom of a figure, `COLOR_BAR_IN` high.

    Args:
        figure: Where to draw.
        table: The colours.
        left_in: Left edge of the bar.
        width_in: Width of the bar.
        highest: What the last colour stands for.
    """
    page_in, height_in = figure.get_size_inches()
    bar = figure.add_axes(
        (left_in / page_in, 0.16 / height_in, width_in / page_in, 0.08 / height_in)
    )
    drawn = figure.colorbar(
        ScalarMappable(Normalize(0, highest), ListedColormap(table / 255)),
        cax=bar,
        orientation="horizontal",
        ticks=[
            highest * share for share in ((0, 0.25, 0.5, 0.75, 1) if width_in > 1.5 else (0, 1))
        ],
        format="{x:g}",
    )
    drawn.ax.tick_params(labelsize=SIZE_PT, length=2, pad=1.5, width=0.5)
    drawn.outline.set_linewidth(0.5)

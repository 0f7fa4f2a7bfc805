"""The colour bar below everything, and what it says."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize

from attncli.metrics.value_range import Range
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box
from attncli.visualization.page.lettering import LINE_IN, SIZE_PT, Text, text_scale

COLOR_BAR_IN = 0.28
"""Height of the colour bar with its numbers."""
COLORS_IN = 0.08
"""Height of its colours."""
NUMBERS_IN = 0.16
"""Height of its numbers, below the colours."""
LEGENDS: dict[Range, tuple[str, ...]] = {
    "none": ("attention",),
    "clip": ("attention, scaled", "within each clip"),
    "frame": ("attention, scaled", "within each frame"),
}
"""What the colour bar shows, in lines short enough to stand beside it."""


ON_GREY = "(over mid-grey)"
"""Below the legend of colours that let a picture through: what the bar shows them over."""


def legend_in(legend: Sequence[str]) -> float:
    """Return the height of the colour bar and of what is written beside it."""
    return max(COLOR_BAR_IN, len(legend) * LINE_IN)


def draw_color_bar(
    page: Page,
    table: UInt8[np.ndarray, "256 3"],
    *,
    left_in: float,
    width_in: float,
    lowest: float = 0.0,
    highest: float = 1.0,
    legend: Sequence[str] = (),
    below_in: float = 0.0,
) -> None:
    """Draw the colours from `lowest` to `highest` at the foot of a page, `legend_in(legend)` high.

    Args:
        page: Where to draw.
        table: The colours.
        left_in: Left edge of the bar.
        width_in: Width of the bar.
        lowest: What the first colour stands for.
        highest: What the last colour stands for.
        legend: What stands at the left margin, beside the bar.
        below_in: Height of what is below it.
    """
    foot_in = page.height_in - below_in
    middle_in = foot_in - legend_in(legend) / 2
    page.write_lines(MARGIN_IN, middle_in, [Text(line) for line in legend])
    top_in = foot_in - NUMBERS_IN - COLORS_IN
    shares = (0, 0.25, 0.5, 0.75, 1) if width_in > 1.5 else (0, 1)
    drawn = page.figure.colorbar(
        ScalarMappable(Normalize(lowest, highest), ListedColormap(table / 255)),
        cax=page.add_axes(Box(left_in, top_in, width_in, COLORS_IN)),
        orientation="horizontal",
        ticks=[lowest + (highest - lowest) * share for share in shares],
        format="{x:g}",
    )
    drawn.ax.tick_params(labelsize=SIZE_PT * text_scale(), length=2, pad=1.5, width=0.5)
    drawn.outline.set_linewidth(0.5)

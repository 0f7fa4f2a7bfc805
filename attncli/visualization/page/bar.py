"""A line of cells above pictures: what each frame of a clip is worth."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.patches import Polygon

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import Box
from attncli.visualization.page.lettering import GREY, Text

CELLS_IN = 0.09
"""Height of the cells."""
ABOVE_IN = 0.03
"""Distance between them and the row above, besides that of all rows."""
BELOW_IN = 0.045
"""Distance between them and the pictures: room for a pointer to each frame that is shown."""
POINTER_IN = 0.03
"""Height of such a pointer, and half its width."""
BAR_IN = ABOVE_IN + CELLS_IN + BELOW_IN
"""Height of all of it."""


@dataclass(frozen=True)
class Bar:
    """Temporal attention of a whole clip as a line of cells, one a frame."""

    name: str
    """Whose attention it is."""
    colors: UInt8[np.ndarray, "t 3"]
    """Colour of each frame's cell."""
    shown: tuple[int, ...]
    """Cells of the frames whose pictures are shown."""


def draw_bar(page: Page, bar: Bar, strip: Box, name_in: float) -> None:
    """Draw a cell for each frame over a line of pictures, and point at those that are shown.

    Args:
        page: Where to draw.
        bar: What to draw.
        strip: Where the pictures are.
        name_in: Right end of the bar's name.
    """
    box = Box(strip.left_in, strip.top_in - BELOW_IN - CELLS_IN, strip.width_in, CELLS_IN)
    page.show(bar.colors[None], box, interpolation="nearest")
    foot_in = box.bottom_in + POINTER_IN
    for cell in bar.shown if len(bar.shown) < len(bar.colors) else ():
        tip_in = box.left_in + (cell + 0.5) * box.width_in / len(bar.colors)
        feet = [(tip_in + aside, foot_in) for aside in (-POINTER_IN, POINTER_IN)]
        page.axes.add_patch(Polygon([(tip_in, box.bottom_in), *feet], color="black", linewidth=0))
    page.write(name_in, box.middle_in[1], Text(bar.name, color=GREY), ha="right")

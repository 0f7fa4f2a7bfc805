"""The page itself: what is drawn on it is placed in inches from its top left corner."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.fonts import families, legible
from attncli.visualization.page.grid import Box
from attncli.visualization.page.lettering import LINE_IN, SIZE_PT, Text, text_scale

TO_FIRST_LINE = {"top": 0.0, "middle": 0.5, "bottom": 1.0}
"""Share of a text's height that is above the place where it is put."""
TAG_SHARE = 0.75
"""Size of what is written on pictures, over that of other text."""


class Page:
    """A white figure of a size, and one pair of axes over all of it whose unit is an inch.

    Where text is larger than usual (`lettering.text_of`), so is all of it, and an inch of the page
    is longer than one of the figure by as much.
    """

    def __init__(self, width_in: float, height_in: float, dpi: int) -> None:
        self.width_in, self.height_in = width_in, height_in
        size_in = (width_in * text_scale(), height_in * text_scale())
        self.figure = Figure(figsize=size_in, dpi=dpi, facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width_in), ylim=(height_in, 0))
        self.axes.set_axis_off()

    def write(self, x_in: float, y_in: float, text: Text, **look: Any) -> None:
        """Write a text in one line, however long it is.

        Args:
            x_in: Left end of the text, unless `look` aligns it otherwise.
            y_in: Middle of the line.
            text: What to write.
            look: Properties of matplotlib's text, such as its alignment.
        """
        shown = legible(text.words, bold=text.bold)
        look = {"va": "center_baseline", "family": families(shown, bold=text.bold)} | look
        look |= {"color": text.color, "weight": "bold" if text.bold else "normal"}
        look.setdefault("size", SIZE_PT * text_scale())
        self.axes.text(x_in, y_in, shown, parse_math=False, **look)

    def write_lines(
        self,
        x_in: float,
        y_in: float,
        lines: Sequence[Text],
        *,
        at: Literal["top", "middle", "bottom"] = "middle",
        **look: Any,
    ) -> None:
        """Write lines below each other.

        Args:
            x_in: Left end of each line, unless `look` aligns them otherwise.
            y_in: Upper edge, middle or lower edge of all the lines together.
            lines: What to write.
            at: Which of the three `y_in` is.
            look: Properties of matplotlib's text.
        """
        top_in = y_in - TO_FIRST_LINE[at] * len(lines) * LINE_IN
        for position, line in enumerate(lines):
            self.write(x_in, top_in + (position + 0.5) * LINE_IN, line, **look)

    def write_tag(self, x_in: float, y_in: float, words: str) -> None:
        """Write small white words on black, whose top left corner is at a point of a picture."""
        box = {"boxstyle": "square,pad=0.15", "facecolor": "black", "alpha": 0.65, "linewidth": 0}
        look: dict[str, Any] = {
            "va": "top",
            "size": TAG_SHARE * SIZE_PT * text_scale(),
            "bbox": box,
            "zorder": 4,
        }
        inset_in = 0.3 * TAG_SHARE * LINE_IN
        self.write(x_in + inset_in, y_in + inset_in, Text(words, color="white"), **look)

    def show(
        self, picture: UInt8[np.ndarray, "h w 3"], box: Box, *, interpolation: str = "antialiased"
    ) -> None:
        """Draw a picture so that it fills a box."""
        edges = (box.left_in, box.right_in, box.bottom_in, box.top_in)
        self.axes.imshow(picture, extent=edges, interpolation=interpolation, aspect="auto")

    def add_axes(self, box: Box) -> Axes:
        """Return axes of their own that fill a box."""
        left, width = box.left_in / self.width_in, box.width_in / self.width_in
        bottom, height = 1 - box.bottom_in / self.height_in, box.height_in / self.height_in
        return self.figure.add_axes((left, bottom, width, height))

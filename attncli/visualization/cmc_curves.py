"""Cumulative match curves: how many queries have a right image within each rank."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.class_curves import COLORS, SAMPLE_IN, STYLES
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box, Grid, Row
from attncli.visualization.page.lettering import (
    GREY,
    LINE_IN,
    SIZE_PT,
    Text,
    fit_first,
    fit_lines,
    text_scale,
)

TOLD = (1, 5, 10)
"""Ranks whose percents stand in the legend."""
TICKS = (1, 5, 10, 15, 20)
"""Ranks that are named below the curves, as far as these go."""
SINGLE = 10
"""Curves up to so many ranks have a dot at each."""
PANEL_MOST_IN = 4.6
"""Width of the panel at most."""
PANEL_ASPECT = 0.6
"""Height of the panel over its width."""
LEFT_IN, RIGHT_IN = 0.42, 0.1
"""Room for the vertical axis, and for half of the last number of the horizontal one."""
TITLE_IN = 0.26
"""Room for what the vertical axis says, above it."""
BELOW_IN = 0.36
"""Room for the horizontal axis with its name."""
TITLES = (
    "percent of the queries with the same person within a rank",
    "queries with the same person within a rank (%)",
    "queries found (%)",
)


@dataclass(frozen=True)
class CmcCurve:
    """How well the right images of one feature are found."""

    name: str
    """What it is called: its run, layer and source, as far as they differ."""
    ranks: Int64[np.ndarray, " k"]
    """Ranks in rising order, from 1."""
    percent: Float64[np.ndarray, " k"]
    """Percent of the queries whose first right image has that rank, or a better one."""

    def at(self, rank: int) -> float | None:
        """Return the percent within a rank; None where the curve does not say."""
        found = self.percent[self.ranks == rank]
        return float(found[0]) if found.size else None


def draw_cmc_curves(curves: Sequence[CmcCurve], *, width_in: float = 7.0, dpi: int = 300) -> Figure:
    """Return one panel with a curve a feature, and below it what each finds at ranks 1, 5 and 10.

    Args:
        curves: What to show; colours and then styles of lines tell them apart.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    panel_in = min(PANEL_MOST_IN, width_in - LEFT_IN - RIGHT_IN)
    grid = Grid(
        left_in=LEFT_IN,
        cell_in=panel_in,
        rows=(Row(PANEL_ASPECT * panel_in, TITLE_IN, BELOW_IN),),
        columns=1,
        per_band=1,
        right_in=RIGHT_IN,
        footer_in=len(curves) * LINE_IN + MARGIN_IN,
    )
    page = Page(grid.width_in, grid.height_in, dpi)
    box = grid.cell(0, 0)
    _draw_panel(page.add_axes(box), curves)
    _write_axes(page, box)
    for number, curve in enumerate(curves):
        _write_entry(page, curve, number, grid.bottom_in + (number + 0.5) * LINE_IN)
    return page.figure


def facts_of(curve: CmcCurve) -> tuple[str, ...]:
    """Return wordings of what a curve says at its first ranks, the longest first.

    >>> facts_of(CmcCurve("a", np.array([1, 2]), np.array([50.0, 100.0])))
    ('rank-1 50.0 %', '50.0 %')
    """
    told = [(rank, curve.at(rank)) for rank in TOLD]
    known = [f"rank-{rank} {percent:.1f} %" for rank, percent in told if percent is not None]
    first = f"{curve.percent[0]:.1f} %"
    return tuple(dict.fromkeys((", ".join(known), known[0], first))) if known else (first,)


def _draw_panel(axes: Axes, curves: Sequence[CmcCurve]) -> None:
    last = max(int(curve.ranks[-1]) for curve in curves)
    marker = "o" if last <= SINGLE else ""
    for number, curve in reversed(list(enumerate(curves))):  # the first one on top
        color, style = _look(number)
        look: dict[str, Any] = {
            "color": color,
            "linestyle": style,
            "linewidth": 1.2,
            "clip_on": False,
        }
        axes.plot(curve.ranks, curve.percent, marker=marker, markersize=2.5, **look)
    # Tens below the least percent, so that differences between good curves show.
    least = min(float(curve.percent.min()) for curve in curves)
    low = max(0, min(90, 10 * math.floor(least / 10)))
    ticks = [rank for rank in TICKS if rank <= last]
    axes.set(xlim=(1, max(last, 2)), ylim=(low, 100), xticks=ticks)
    axes.grid(visible=True, linewidth=0.4, color="0.9")
    axes.tick_params(labelsize=SIZE_PT * text_scale(), length=2, pad=1.5, width=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_linewidth(0.5)


def _look(number: int) -> tuple[str, str]:
    """Return colour and line style of a curve."""
    return COLORS[number % len(COLORS)], STYLES[number // len(COLORS) % len(STYLES)]


def _write_axes(page: Page, box: Box) -> None:
    title = fit_first(TITLES, box.right_in - MARGIN_IN)
    page.write(MARGIN_IN, box.top_in - 1.3 * LINE_IN, title)
    page.write(box.middle_in[0], box.bottom_in + 0.24, Text("rank", color=GREY), ha="center")


def _write_entry(page: Page, curve: CmcCurve, number: int, middle_in: float) -> None:
    """Write the name of a curve beside its colour, and at the right what it finds."""
    color, style = _look(number)
    ends = [LEFT_IN, LEFT_IN + 1.5 * SAMPLE_IN]
    page.axes.plot(ends, [middle_in] * 2, color=color, linestyle=style, linewidth=1.2)
    left_in, right_in = LEFT_IN + 1.8 * SAMPLE_IN, page.width_in - RIGHT_IN
    room_in = right_in - left_in - SAMPLE_IN
    name = Text(fit_lines(curve.name, 0.6 * room_in)[0], bold=True)
    page.write(left_in, middle_in, name)
    facts = fit_first(facts_of(curve), room_in - name.width_in, color=GREY)
    page.write(right_in, middle_in, facts, ha="right")

"""How the singular values of class representatives fall, and how few dimensions hold most of them.

The report on SVD-FC says that half of the dimensions hold more than 80 % of the cumulated singular
values; whether of these or of their squares it does not say, so both are shown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.class_curves import COLORS, SAMPLE_IN
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Grid, Row
from attncli.visualization.page.lettering import (
    GREY,
    LINE_IN,
    SIZE_PT,
    Text,
    fit_first,
    fit_lines,
    lettered,
    text_scale,
)

STYLES = {1: "-", 2: "--"}
"""Line style of singular values and of their squares."""
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
POWERS = {1: SIGMA, 2: f"{SIGMA}²"}
"""How they are written."""
MARKED = 0.8
"""Share of the singular values whose dimensions are marked."""
HALF = 0.5
"""Share of the dimensions that is marked."""
LEAST = 1e-6
"""Singular values below this share of the largest are not shown: SVD-FC leaves them out."""
TITLES = (
    f"singular values {SIGMA}, over the largest",
    f"cumulated {SIGMA} (solid) and {SIGMA}² (dashed)",
)
PANEL_MOST_IN = 3.2
"""Width of a panel at most."""
SIDE_BY_SIDE_IN = 4.5
"""Figures so wide have the panels beside each other."""
PANEL_ASPECT = 0.62
"""Height of a panel over its width."""
AXIS_IN = 0.42
"""Room for a vertical axis."""
TITLE_IN = 0.19
"""Room for a title."""
BELOW_IN = 0.36
"""Room for a horizontal axis with its name."""
RIGHT_IN = 0.1
"""Room for half of the last number of an axis."""


@dataclass(frozen=True)
class Spectrum:
    """The singular values of the class representatives of a source."""

    name: str
    """Name of the source."""
    values: Float64[np.ndarray, " n"]
    """Singular values in falling order, the largest above 0."""
    dimensions_80: tuple[float, float]
    """Which share of the dimensions holds 80 % of them, and of their squares; in (0, 1]."""

    @property
    def dimensions(self) -> Float64[np.ndarray, " n"]:
        """Which share of the dimensions each singular value and those above it are."""
        return np.arange(1, len(self.values) + 1) / len(self.values)

    @property
    def over_largest(self) -> Float64[np.ndarray, " n"]:
        """Singular values over the largest."""
        return self.values / self.values[0]

    def cumulated(self, power: int) -> Float64[np.ndarray, " n"]:
        """Return which share of the sum each value and those above it make up, to a power."""
        # Over the largest first: squares of values far from 1 would be 0 or infinite.
        powers = self.over_largest**power
        return np.cumsum(powers) / powers.sum()

    def held_by_half(self, power: int) -> float:
        """Return which share of the sum the largest half of the values holds, to a power."""
        held = np.concatenate([[0.0], self.cumulated(power)])
        return float(np.interp(HALF * len(self.values), np.arange(len(held)), held))


def draw_singular_values(
    sources: Sequence[Spectrum], *, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return two panels: how singular values fall, and how few dimensions hold most of them.

    A dot says which share of the dimensions holds 80 %; grey lines are at 80 % and at half of the
    dimensions.

    Args:
        sources: What to show, a colour each.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    grid = _lay_out(width_in, len(sources))
    page = Page(grid.width_in, grid.height_in, dpi)
    panels = (_draw_fall, _draw_sums)
    for number, (draw, title) in enumerate(zip(panels, lettered(TITLES), strict=True)):
        box = grid.cell(0, number)
        axes = page.add_axes(box)
        draw(axes, sources)
        _look(axes)
        page.write_lines(
            box.left_in, box.top_in - 0.3 * LINE_IN, Text(title).fit(box.width_in), at="bottom"
        )
        name = Text("share of the dimensions", color=GREY)
        page.write(box.middle_in[0], box.bottom_in + 0.24, name, ha="center")
    for number, shown in enumerate(sources):
        _write_source(page, shown, number, grid.bottom_in + (number + 0.5) * LINE_IN)
    return page.figure


def facts_of(shown: Spectrum) -> tuple[str, ...]:
    """Return wordings of how many dimensions hold 80 %, the longest first."""
    numbers = [
        f"{100 * share:.1f} % for {POWERS[power]}"
        for power, share in zip(POWERS, shown.dimensions_80, strict=True)
    ]
    short = ", ".join(numbers)
    return (
        f"dimensions that hold 80 %: {short} (of {len(shown.values)})",
        f"80 % in {short}",
        short,
    )


def _lay_out(width_in: float, sources: int) -> Grid:
    columns = 2 if width_in >= SIDE_BY_SIDE_IN else 1
    room_in = width_in - columns * AXIS_IN - RIGHT_IN * columns
    panel_in = min(PANEL_MOST_IN, room_in / columns)
    return Grid(
        left_in=AXIS_IN,
        cell_in=panel_in,
        rows=(Row(PANEL_ASPECT * panel_in, TITLE_IN, BELOW_IN),),
        columns=2,
        per_band=columns,
        gap_in=AXIS_IN + RIGHT_IN,
        right_in=RIGHT_IN,
        footer_in=sources * LINE_IN + MARGIN_IN,
    )


def _draw_fall(axes: Axes, sources: Sequence[Spectrum]) -> None:
    for number, shown in enumerate(sources):
        values = shown.over_largest
        visible = values >= LEAST
        axes.plot(shown.dimensions[visible], values[visible], color=_color(number), linewidth=1.2)
    floors = [shown.over_largest[shown.over_largest >= LEAST].min() for shown in sources]
    decades = max(1, math.ceil(-math.log10(min(floors)) - 1e-9))
    ticks = [10.0**-decade for decade in range(decades + 1)]
    axes.set(yscale="log", ylim=(ticks[-1], 1.25), yticks=ticks)
    axes.yaxis.set_minor_formatter("")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.axvline(HALF, color="0.75", linewidth=0.6, zorder=0)


def _draw_sums(axes: Axes, sources: Sequence[Spectrum]) -> None:
    for number, shown in enumerate(sources):
        for power, marked in zip(POWERS, shown.dimensions_80, strict=True):
            look: dict[str, Any] = {
                "color": _color(number),
                "linestyle": STYLES[power],
                "linewidth": 1.2,
            }
            shares = np.concatenate([[0.0], shown.dimensions])
            axes.plot(shares, np.concatenate([[0.0], shown.cumulated(power)]), **look)
            axes.plot(marked, MARKED, "o", color=_color(number), markersize=3)
    axes.axhline(MARKED, color="0.75", linewidth=0.6, zorder=0)
    axes.axvline(HALF, color="0.75", linewidth=0.6, zorder=0)
    axes.set(ylim=(0, 1.02), yticks=[0, 0.2, 0.4, 0.6, MARKED, 1])
    axes.yaxis.set_major_formatter("{x:g}")


def _look(axes: Axes) -> None:
    axes.set(xlim=(0, 1), xticks=[0, 0.25, HALF, 0.75, 1])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(labelsize=SIZE_PT * text_scale(), length=2, pad=1.5, width=0.5)
    axes.tick_params(which="minor", length=1, width=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_linewidth(0.5)


def _color(source: int) -> str:
    return COLORS[source % len(COLORS)]


def _write_source(page: Page, shown: Spectrum, number: int, middle_in: float) -> None:
    """Write the name of a source beside its colour, and at the right what holds 80 %."""
    ends = [AXIS_IN, AXIS_IN + SAMPLE_IN]
    page.axes.plot(ends, [middle_in] * 2, color=_color(number), linewidth=1.2)
    left_in, right_in = AXIS_IN + 1.3 * SAMPLE_IN, page.width_in - RIGHT_IN
    room_in = right_in - left_in - SAMPLE_IN
    name = Text(fit_lines(shown.name, room_in / 2)[0], bold=True)
    page.write(left_in, middle_in, name)
    facts = fit_first(facts_of(shown), room_in - name.width_in, color=GREY)
    page.write(right_in, middle_in, facts, ha="right")

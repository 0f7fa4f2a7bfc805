"""How trainings went: losses and figures against epochs, a panel each, a curve a run.

Runs differ in colour and in the shape of their dots, so that they are told apart in grey too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attncli.visualization.class_curves import COLORS, SAMPLE_IN
from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box, Grid, Row, even_bands, most_per_band
from attncli.visualization.page.lettering import (
    GREY,
    LINE_IN,
    SIZE_PT,
    Text,
    fit_first,
    fit_lines,
    text_scale,
)

Part = Literal["train", "val"]
STYLES: Mapping[Part, str] = {"train": "--", "val": "-"}
"""Line styles: what is worth most in the end is solid."""
DOTS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes of the dots of runs."""
LINE_PT = 1.1
"""Width of a curve, in points."""
DOTS_OF_A_CURVE = 8
"""Dots on a curve, about: more would hide it."""
PANEL_LEAST_IN, PANEL_MOST_IN = 1.75, 3.2
"""Width of a panel, without what stands beside it."""
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
MOST_PERCENT = 100.0
HEADROOM = 0.05
"""Share of what is seen that is left free above and below it."""


@dataclass(frozen=True)
class Course:
    """One quantity of a training over its epochs, or of several trainings together."""

    epochs: Int64[np.ndarray, " e"]
    """Numbers of the epochs, from 1, in rising order."""
    values: Float64[np.ndarray, "n e"]
    """A row a training, such as a fold; NaN where an epoch was not validated."""

    @property
    def known(self) -> "Course":
        """The epochs of which some training has a value."""
        is_known = np.isfinite(self.values).any(axis=0)
        return Course(self.epochs[is_known], self.values[:, is_known])

    @property
    def mean(self) -> Float64[np.ndarray, " e"]:
        """Mean over the trainings that have a value; NaN where none has."""
        count = np.isfinite(self.values).sum(axis=0)
        total = np.where(np.isfinite(self.values), self.values, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    @property
    def std(self) -> Float64[np.ndarray, " e"]:
        """Sample standard deviation over those trainings; NaN where there are fewer than two."""
        count = np.isfinite(self.values).sum(axis=0)
        squares = np.where(np.isfinite(self.values), (self.values - self.mean) ** 2, 0.0)
        variance = squares.sum(axis=0) / np.maximum(count - 1, 1)
        return np.where(count > 1, np.sqrt(variance), np.nan)


@dataclass(frozen=True)
class Panel:
    """One quantity of all runs."""

    title: str
    """What it is, with its unit."""
    courses: tuple[Mapping[Part, Course], ...]
    """Its courses in training and validation, one entry a run; empty where a run has none."""
    is_percent: bool = False
    """Whether it is a share, which never goes beyond 0 and 100."""


@dataclass(frozen=True)
class Entry:
    """A run in the legend."""

    name: str
    """What it is called."""
    facts: tuple[str, ...] = ()
    """Wordings of how it came out, the longest first."""


def draw_curves(
    panels: Sequence[Panel],
    runs: Sequence[Entry],
    notes: Sequence[str] = (),
    *,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return a panel a quantity, training dashed and validation solid, and a legend below.

    Where a run is of several trainings the curve is their mean, in a band of a standard deviation.

    Args:
        panels: What to show.
        runs: How the runs are called, in the order of the panels' courses.
        notes: What else stands below, a line each.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    grid = _lay_out(width_in, len(panels), len(runs) + len(notes) + 1)
    page = Page(grid.width_in, grid.height_in, dpi)
    last = max(_last_epoch(panel) for panel in panels)
    for number, panel in enumerate(panels):
        box = grid.cell(0, number)
        _draw_panel(page.add_axes(box), panel, last)
        _write_around(page, panel, box)
    for number, run in enumerate(runs):
        _write_run(page, run, number, grid.bottom_in + (number + 0.5) * LINE_IN)
    below_in = grid.bottom_in + (len(runs) + 0.5) * LINE_IN
    _write_styles(page, {part for panel in panels for part in _parts(panel)}, below_in)
    for line, note in enumerate(notes, start=1):
        fitted = Text(note, color=GREY).fit(grid.width_in - AXIS_IN - MARGIN_IN)
        page.write_lines(AXIS_IN, below_in + line * LINE_IN, fitted)
    return page.figure


def _lay_out(width_in: float, panels: int, lines: int) -> Grid:
    gap_in = AXIS_IN + RIGHT_IN
    most = most_per_band(width_in - gap_in, PANEL_LEAST_IN, gap_in)
    per_band = even_bands(panels, most)
    panel_in = min(PANEL_MOST_IN, width_in / per_band - gap_in)
    return Grid(
        left_in=AXIS_IN,
        cell_in=panel_in,
        rows=(Row(PANEL_ASPECT * panel_in, TITLE_IN, BELOW_IN),),
        columns=panels,
        per_band=per_band,
        gap_in=gap_in,
        right_in=RIGHT_IN,
        footer_in=lines * LINE_IN + MARGIN_IN,
    )


def _parts(panel: Panel) -> set[Part]:
    return {part for of_run in panel.courses for part in of_run}


def _last_epoch(panel: Panel) -> int:
    return max(int(c.epochs[-1]) for of_run in panel.courses for c in of_run.values())


def _draw_panel(axes: Axes, panel: Panel, last: int) -> None:
    for run, of_run in reversed(list(enumerate(panel.courses))):  # the first one on top
        for part, course in of_run.items():
            _draw_course(axes, course.known, run, part)
    axes.set(xlim=(0.5, 1.5) if last == 1 else (1, last), ylim=_limits(panel))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(visible=True, linewidth=0.4, color="0.9")
    axes.tick_params(labelsize=SIZE_PT * text_scale(), length=2, pad=1.5, width=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_linewidth(0.5)


def _draw_course(axes: Axes, course: Course, run: int, part: Part) -> None:
    every = max(1, math.ceil(len(course.epochs) / DOTS_OF_A_CURVE))
    dots: dict[str, Any] = {"markevery": (run % every, every), "clip_on": False}
    axes.plot(course.epochs, course.mean, **_look(run, part), **dots)
    std = np.nan_to_num(course.std)
    if std.any():
        low, high = course.mean - std, course.mean + std
        color = COLORS[run % len(COLORS)]
        axes.fill_between(course.epochs, low, high, color=color, alpha=0.15, linewidth=0)


def _look(run: int, part: Part) -> dict[str, Any]:
    """Return how the curve of a run looks; dots of training are hollow."""
    color = COLORS[run % len(COLORS)]
    return {
        "color": color,
        "linestyle": STYLES[part],
        "linewidth": LINE_PT,
        "marker": DOTS[(run + run // len(COLORS)) % len(DOTS)],  # none looks like another one
        "markersize": 3,
        "markeredgewidth": 0.7,
        "markerfacecolor": color if part == "val" else "white",
    }


def _limits(panel: Panel) -> tuple[float, float]:
    """Return what the vertical axis spans: all curves and bands, with some room."""
    bands = [
        course.mean + sign * np.nan_to_num(course.std)
        for of_run in panel.courses
        for course in (c.known for c in of_run.values())
        for sign in (-1, 1)
    ]
    seen = np.concatenate(bands)
    low, high = float(seen.min()), float(seen.max())
    room = HEADROOM * ((high - low) or max(abs(high), 1.0))
    low, high = low - room, high + room
    return (max(low, 0.0), min(high, MOST_PERCENT)) if panel.is_percent else (low, high)


def _write_around(page: Page, panel: Panel, box: Box) -> None:
    foot_in = box.top_in - 0.3 * LINE_IN
    page.write_lines(box.left_in, foot_in, Text(panel.title).fit(box.width_in), at="bottom")
    page.write(box.middle_in[0], box.bottom_in + 0.24, Text("epoch", color=GREY), ha="center")


def _write_run(page: Page, run: Entry, number: int, middle_in: float) -> None:
    """Write the name of a run beside its colour and dot, and at the right how it came out."""
    _draw_sample(page, AXIS_IN, middle_in, _look(number, "val"))
    left_in, right_in = AXIS_IN + 1.8 * SAMPLE_IN, page.width_in - RIGHT_IN
    room_in = right_in - left_in - SAMPLE_IN
    name = Text(fit_lines(run.name, 0.6 * room_in)[0], bold=True)
    page.write(left_in, middle_in, name)
    if run.facts:
        facts = fit_first(run.facts, room_in - name.width_in, color=GREY)
        page.write(right_in, middle_in, facts, ha="right")


def _write_styles(page: Page, parts: set[Part], middle_in: float) -> None:
    """Write which lines are of training, and which of validation."""
    left_in = AXIS_IN
    named: dict[Part, str] = {"train": "training", "val": "validation"}
    for part in (part for part in named if part in parts):
        look = {"color": GREY, "linestyle": STYLES[part], "linewidth": LINE_PT}
        _draw_sample(page, left_in, middle_in, look)
        text = Text(named[part], color=GREY)
        page.write(left_in + 1.8 * SAMPLE_IN, middle_in, text)
        left_in += 2.8 * SAMPLE_IN + text.width_in


def _draw_sample(page: Page, left_in: float, middle_in: float, look: Mapping[str, Any]) -> None:
    ends = [left_in + share * SAMPLE_IN for share in (0, 0.75, 1.5)]
    page.axes.plot(ends, [middle_in] * 3, markevery=[1], **look)

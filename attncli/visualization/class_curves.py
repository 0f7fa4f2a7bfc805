"""Temporal attention of classes over time, as small multiples: a panel a class, a curve a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.lettering import (
    LINE_IN,
    SIZE_PT,
    fit_lines,
    text_width_in,
    write_line,
)
from attncli.visualization.titles import GREY, MARGIN_IN

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "black")
"""Told apart by the colour-blind too (Okabe and Ito)."""
STYLES = ("-", "--", ":", "-.")
"""Line styles: a run beyond the colours has a colour again in the next style."""
PANEL_LEAST_IN, PANEL_MOST_IN = 1.45, 2.4
"""Width of a panel with its gap: as many stand in a line as fit at least width."""
PANEL_ASPECT = 0.55
"""Height of a panel over its width."""
PANEL_GAP_IN = 0.12
TITLE_LINES = 3
"""Lines that a class's name takes at most."""
TOP_IN = 0.04
LEFT_IN = 0.4
"""Room for the vertical axis."""
BOTTOM_IN = 0.24
"""Room for the horizontal axis below the lowest panel of a column."""
SAMPLE_IN = 0.2
"""Length of a legend's line."""
MOST_LINES = 6
"""Lines of panels on a page."""
BAND = "mean over clips, ± one standard deviation"


@dataclass(frozen=True)
class Curve:
    """Temporal attention of one run in the clips of one class."""

    clips: int
    """How many clips there are."""
    mean: Float64[np.ndarray, " t"]
    """Mean over the clips for each frame."""
    std: Float64[np.ndarray, " t"]
    """Sample standard deviation over the clips; NaN where there is but one."""

    @property
    def time(self) -> Float64[np.ndarray, " t"]:
        """Middle of each frame, from 0 where the clip begins to 1 where it ends."""
        return (np.arange(len(self.mean)) + 0.5) / len(self.mean)

    @property
    def band(self) -> Float64[np.ndarray, "2 t"]:
        """One standard deviation below and above the mean; the mean itself where there is none."""
        std = np.nan_to_num(self.std)
        return np.stack([self.mean - std, self.mean + std])


@dataclass(frozen=True)
class ClassCurves:
    """What every run makes of one class."""

    label: str
    """Name of the class."""
    curves: tuple[Curve | None, ...]
    """One entry a run, in the order of the runs; None where it has no clip of the class."""


@dataclass(frozen=True)
class _Grid:
    """Where the panels are, in inches from the top left."""

    panel_in: float
    columns: int
    panels: int
    title_lines: int

    @property
    def lines(self) -> int:
        return math.ceil(self.panels / self.columns)

    @property
    def line_in(self) -> float:
        """Height of a line of panels and the titles above them."""
        return self.title_in + self.panel_in * PANEL_ASPECT + PANEL_GAP_IN

    @property
    def title_in(self) -> float:
        """Height of a panel's title."""
        return self.title_lines * LINE_IN

    @property
    def width_in(self) -> float:
        return LEFT_IN + self.columns * (self.panel_in + PANEL_GAP_IN)

    @property
    def height_in(self) -> float:
        return TOP_IN + self.lines * self.line_in + BOTTOM_IN

    def corner_in(self, panel: int) -> tuple[float, float]:
        """Top left corner of a panel's title."""
        line, column = divmod(panel, self.columns)
        return LEFT_IN + column * (self.panel_in + PANEL_GAP_IN), TOP_IN + line * self.line_in

    def is_lowest(self, panel: int) -> bool:
        """Whether no panel is below it."""
        return panel + self.columns >= self.panels


def panels_on_a_page(width_in: float) -> int:
    """Return how many classes a figure of that width shows on a page."""
    return MOST_LINES * _columns(width_in)


def draw_class_curves(
    classes: Sequence[ClassCurves], names: Sequence[str], *, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return a panel a class: each run's mean over the clips, in a band of a standard deviation.

    All panels have the same axes, which span what there is to see.

    Args:
        classes: What to show, line by line.
        names: How the runs are called.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    grid = _lay_out(classes, width_in)
    legend = _legend_lines(names, grid.width_in)
    height_in = grid.height_in + (len(legend) + 1) * LINE_IN + MARGIN_IN

    figure = Figure(figsize=(grid.width_in, height_in), dpi=dpi, facecolor="white")
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, grid.width_in), ylim=(height_in, 0))
    page.set_axis_off()
    limits = _limits(classes)
    for panel, shown in enumerate(classes):
        left_in, top_in = grid.corner_in(panel)
        _draw_title(page, shown, left_in, top_in, grid)
        axes = _add_panel(figure, left_in, top_in + grid.title_in, grid)
        _draw_panel(axes, shown, limits)
        axes.tick_params(labelleft=panel % grid.columns == 0, labelbottom=grid.is_lowest(panel))
    _draw_axis_names(page, grid)
    for line, entries in enumerate(legend):
        _draw_legend(page, entries, grid.height_in + (line + 0.5) * LINE_IN)
    last_in = height_in - MARGIN_IN - LINE_IN / 2
    write_line(page, LEFT_IN, last_in, fit_lines(BAND, grid.width_in - LEFT_IN)[0], color=GREY)
    return figure


def _lay_out(classes: Sequence[ClassCurves], width_in: float) -> _Grid:
    lines = math.ceil(len(classes) / _columns(width_in))
    columns = math.ceil(len(classes) / lines)  # 5 panels are 3 and 2, not 4 and 1
    panel_in = min((width_in - LEFT_IN) / columns, PANEL_MOST_IN) - PANEL_GAP_IN
    title_lines = max(len(_title(shown, panel_in)[0]) for shown in classes)
    return _Grid(panel_in, columns, len(classes), title_lines)


def _add_panel(figure: Figure, left_in: float, top_in: float, grid: _Grid) -> Axes:
    width_in, height_in = figure.get_size_inches()
    panel_in = grid.panel_in * PANEL_ASPECT
    bottom = 1 - (top_in + panel_in) / height_in
    box = (left_in / width_in, bottom, grid.panel_in / width_in, panel_in / height_in)
    return figure.add_axes(box)


def _columns(width_in: float) -> int:
    return max(1, int((width_in - LEFT_IN) / PANEL_LEAST_IN))


def _limits(classes: Sequence[ClassCurves]) -> tuple[float, float]:
    """Return the least and greatest attention shown, rounded outwards to a tenth, in [0, 1]."""
    bands = [curve.band for shown in classes for curve in shown.curves if curve is not None]
    low = min(float(band.min()) for band in bands)
    high = max(float(band.max()) for band in bands)
    low, high = math.floor(round(10 * low, 6)) / 10, math.ceil(round(10 * high, 6)) / 10
    return max(0.0, min(low, 0.9)), min(1.0, max(high, 0.1))


def _look(run: int) -> tuple[str, str]:
    """Return colour and line style of a run."""
    return COLORS[run % len(COLORS)], STYLES[run // len(COLORS) % len(STYLES)]


def _title(shown: ClassCurves, panel_in: float) -> tuple[list[str], str]:
    """Return the lines of a panel's title, and the number of clips to stand right of the last."""
    counts = dict.fromkeys(curve.clips for curve in shown.curves if curve is not None)
    clips = "n = " + ", ".join(map(str, counts))
    room_in = panel_in - text_width_in(clips) - PANEL_GAP_IN
    return fit_lines(shown.label, room_in, max_lines=TITLE_LINES), clips


def _draw_title(page: Axes, shown: ClassCurves, left_in: float, top_in: float, grid: _Grid) -> None:
    """Write the class and its number of clips, right above the panel."""
    lines, clips = _title(shown, grid.panel_in)
    last_in = top_in + grid.title_in - 0.6 * LINE_IN
    for position, line in enumerate(reversed(lines)):
        write_line(page, left_in, last_in - position * LINE_IN, line)
    write_line(page, left_in + grid.panel_in, last_in, clips, ha="right", color=GREY)


def _draw_panel(axes: Axes, shown: ClassCurves, limits: tuple[float, float]) -> None:
    for run, curve in enumerate(shown.curves):
        if curve is not None:
            color, style = _look(run)
            low, high = curve.band
            axes.fill_between(curve.time, low, high, color=color, alpha=0.18, linewidth=0)
            axes.plot(curve.time, curve.mean, color=color, linestyle=style, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=limits, xticks=[0, 0.5, 1], yticks=[*limits, sum(limits) / 2])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:.3g}")
    axes.tick_params(labelsize=SIZE_PT, length=2, pad=1.5, width=0.5)
    axes.grid(axis="y", color="0.9", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_linewidth(0.5)


def _draw_axis_names(page: Axes, grid: _Grid) -> None:
    middle_in = (LEFT_IN + grid.width_in - PANEL_GAP_IN) / 2
    look = {"ha": "center", "color": GREY}
    write_line(page, middle_in, grid.height_in - 0.7 * LINE_IN, "time in the clip", **look)
    middle_in = (grid.height_in - BOTTOM_IN) / 2
    write_line(page, 0.08, middle_in, "temporal attention", rotation=90, **look)


def _legend_lines(names: Sequence[str], width_in: float) -> list[list[tuple[int, str, float]]]:
    """Return the runs in lines that fit the page: number, name and left edge of each."""
    lines: list[list[tuple[int, str, float]]] = [[]]
    left_in = LEFT_IN
    for run, name in enumerate(names):
        fitted = fit_lines(name, width_in - LEFT_IN - 2 * SAMPLE_IN)[0]
        entry_in = SAMPLE_IN * 1.3 + text_width_in(fitted)
        if lines[-1] and left_in + entry_in > width_in:
            lines.append([])
            left_in = LEFT_IN
        lines[-1].append((run, fitted, left_in))
        left_in += entry_in + SAMPLE_IN
    return lines


def _draw_legend(page: Axes, entries: Sequence[tuple[int, str, float]], middle_in: float) -> None:
    for run, name, left_in in entries:
        color, style = _look(run)
        ends = [left_in, left_in + SAMPLE_IN]
        page.plot(ends, [middle_in, middle_in], color=color, linestyle=style, linewidth=1.2)
        write_line(page, left_in + SAMPLE_IN * 1.3, middle_in, name)

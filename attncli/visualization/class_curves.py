"""Temporal attention of classes over time, as small multiples: a panel a class, a curve a run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from attncli.visualization.page.drawing import Page
from attncli.visualization.page.grid import MARGIN_IN, Box, Grid, Row, even_bands
from attncli.visualization.page.lettering import (
    GREY,
    LINE_IN,
    SIZE_PT,
    Text,
    fit_lines,
    text_scale,
    text_width_in,
)

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "black")
"""Told apart by the colour-blind too (Okabe and Ito)."""
STYLES = ("-", "--", ":", "-.")
"""Line styles: a run beyond the colours has a colour again in the next style."""
PANEL_LEAST_IN, PANEL_MOST_IN = 1.45, 2.4
"""Width of a panel with its gap: as many stand in a band as fit at least width."""
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
MOST_BANDS = 6
"""Lines of panels on a page."""
BAND = "mean over clips, ± one standard deviation; n: clips of the class"
BROKEN = "vertical axis broken (//): it does not reach from 0 to 1"
STEPS = 20
"""Parts of [0, 1] at which a vertical axis that shows a part of it ends."""
NOTE_LINES = 3
"""Lines that what stands below all takes at most."""
NARROW = 0.3
"""Spread of attention up to which the vertical axis shows a part of [0, 1], marked as broken."""


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


def panels_on_a_page(width_in: float) -> int:
    """Return how many classes a figure of that width shows on a page."""
    return MOST_BANDS * _most_per_band(width_in)


def draw_class_curves(
    classes: Sequence[ClassCurves], names: Sequence[str], *, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return a panel a class: each run's mean over the clips, in a band of a standard deviation.

    All panels have the same axes: from 0 to 1, or, where all that is seen is within 0.3, a part of
    that whose ends are marked as broken. Bands are never cut off.

    Args:
        classes: What to show, line by line.
        names: How the runs are called.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    grid, legend = _lay_out(classes, names, width_in)
    page = Page(grid.width_in, grid.height_in, dpi)
    limits = _limits(classes)
    for panel, shown in enumerate(classes):
        box = grid.cell(0, panel)
        _write_title(page, shown, box)
        axes = page.add_axes(box)
        _draw_panel(axes, shown, limits)
        is_lowest = panel + grid.per_band >= len(classes)
        axes.tick_params(labelleft=panel % grid.per_band == 0, labelbottom=is_lowest)
    _write_axis_names(page, grid)
    for line, entries in enumerate(legend):
        _draw_legend(page, entries, grid.bottom_in + BOTTOM_IN + (line + 0.5) * LINE_IN)
    note = _note(limits).fit(grid.width_in - LEFT_IN)
    page.write_lines(LEFT_IN, grid.height_in - MARGIN_IN, note, at="bottom")
    return page.figure


def _lay_out(
    classes: Sequence[ClassCurves], names: Sequence[str], width_in: float
) -> tuple[Grid, list[list[tuple[int, str, float]]]]:
    """Return where the panels are, and the legend for which there is room below them."""
    per_band = even_bands(len(classes), _most_per_band(width_in))
    panel_in = min((width_in - LEFT_IN) / per_band, PANEL_MOST_IN) - PANEL_GAP_IN
    legend = _legend_lines(names, LEFT_IN + per_band * (panel_in + PANEL_GAP_IN))
    title_lines = max(len(_title(shown, panel_in)[0]) for shown in classes)
    grid = Grid(
        left_in=LEFT_IN,
        cell_in=panel_in,
        rows=(Row(panel_in * PANEL_ASPECT, title_lines * LINE_IN, PANEL_GAP_IN),),
        columns=len(classes),
        per_band=per_band,
        gap_in=PANEL_GAP_IN,
        right_in=PANEL_GAP_IN,
        top_in=TOP_IN,
    )
    note = _note(_limits(classes)).fit(grid.width_in - LEFT_IN)
    footer_in = BOTTOM_IN + (len(legend) + len(note)) * LINE_IN + MARGIN_IN
    return replace(grid, footer_in=footer_in), legend


def _note(limits: tuple[float, float]) -> Text:
    """Return what stands below all."""
    words = f"{BAND}; {BROKEN}" if any(_ends_cut(limits)) else BAND
    return Text(words, lines=NOTE_LINES, color=GREY)


def _most_per_band(width_in: float) -> int:
    return max(1, int((width_in - LEFT_IN) / PANEL_LEAST_IN))


def _limits(classes: Sequence[ClassCurves]) -> tuple[float, float]:
    """Return what the vertical axis spans: [0, 1] and all of the bands, or a part where both fit.

    The part is all that is shown, rounded outwards to twentieths: where it is narrow, curves would
    be flat lines on the whole axis.
    """
    bands = [curve.band for shown in classes for curve in shown.curves if curve is not None]
    low = math.floor(round(STEPS * min(float(band.min()) for band in bands), 6)) / STEPS
    high = math.ceil(round(STEPS * max(float(band.max()) for band in bands), 6)) / STEPS
    if high - low > NARROW:
        return min(low, 0.0), max(high, 1.0)
    return (low, high) if high > low else (low - 1 / STEPS, high + 1 / STEPS)


def _ticks(low: float, high: float) -> list[float]:
    """Return what the vertical axis names: its ends, and the middle if that is whole percents."""
    if high - low > NARROW:
        return [0.0, 0.5, 1.0]
    middle = round(50 * (low + high), 6)
    return [low, middle / 100, high] if middle.is_integer() else [low, high]


def _ends_cut(limits: tuple[float, float]) -> tuple[bool, bool]:
    """Return whether the vertical axis leaves out a part of [0, 1] at its foot, and at its top."""
    return limits[0] > 0, limits[1] < 1


def _mark_breaks(axes: Axes, limits: tuple[float, float]) -> None:
    """Draw two strokes across the vertical axis at each end beyond which attention may lie."""
    beyond = [end for end, is_cut in zip((0.0, 1.0), _ends_cut(limits), strict=True) if is_cut]
    look: dict[str, Any] = {"color": "black", "linewidth": 0.6, "clip_on": False, "zorder": 4}
    for end in beyond:
        for aside in (0.07, 0.12):
            middle = abs(end - aside)
            heights = [middle - 0.02, middle + 0.02]
            axes.plot([-0.018, 0.018], heights, transform=axes.transAxes, **look)


def _look(run: int) -> tuple[str, str]:
    """Return colour and line style of a run."""
    return COLORS[run % len(COLORS)], STYLES[run // len(COLORS) % len(STYLES)]


def _title(shown: ClassCurves, panel_in: float) -> tuple[list[Text], Text]:
    """Return the lines of a panel's title, and the number of clips to stand right of the last."""
    counts = dict.fromkeys(curve.clips for curve in shown.curves if curve is not None)
    clips = Text("n = " + ", ".join(map(str, counts)), color=GREY)
    return Text(shown.label, lines=TITLE_LINES).fit(panel_in - clips.width_in - PANEL_GAP_IN), clips


def _write_title(page: Page, shown: ClassCurves, box: Box) -> None:
    """Write the class and its number of clips, right above the panel."""
    lines, clips = _title(shown, box.width_in)
    foot_in = box.top_in - 0.1 * LINE_IN
    page.write_lines(box.left_in, foot_in, lines, at="bottom")
    page.write_lines(box.right_in, foot_in, [clips], at="bottom", ha="right")


def _draw_panel(axes: Axes, shown: ClassCurves, limits: tuple[float, float]) -> None:
    for run, curve in enumerate(shown.curves):
        if curve is not None:
            color, style = _look(run)
            low, high = curve.band
            axes.fill_between(curve.time, low, high, color=color, alpha=0.18, linewidth=0)
            axes.plot(curve.time, curve.mean, color=color, linestyle=style, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=limits, xticks=[0, 0.5, 1], yticks=_ticks(*limits))
    _mark_breaks(axes, limits)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:.3g}")
    axes.tick_params(labelsize=SIZE_PT * text_scale(), length=2, pad=1.5, width=0.5)
    axes.grid(axis="y", color="0.9", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_linewidth(0.5)


def _write_axis_names(page: Page, grid: Grid) -> None:
    middle_in = (LEFT_IN + grid.width_in - PANEL_GAP_IN) / 2
    time_in = grid.bottom_in + BOTTOM_IN - 0.7 * LINE_IN
    page.write(middle_in, time_in, Text("time in the clip", color=GREY), ha="center")
    attention = Text("temporal attention", color=GREY)
    page.write(0.08, grid.bottom_in / 2, attention, rotation=90, ha="center")


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


def _draw_legend(page: Page, entries: Sequence[tuple[int, str, float]], middle_in: float) -> None:
    for run, name, left_in in entries:
        color, style = _look(run)
        ends = [left_in, left_in + SAMPLE_IN]
        page.axes.plot(ends, [middle_in] * 2, color=color, linestyle=style, linewidth=1.2)
        page.write(left_in + SAMPLE_IN * 1.3, middle_in, Text(name))

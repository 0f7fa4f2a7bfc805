"""Accuracies by two kinds of names as a heat map: layers and sources, or layers of two sources."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.figure import Figure

from attncli.visualization.page.matrix import FULL_SPAN, Matrix, draw_matrix

COLORMAP = "viridis"
"""As dark as bright, so that differences show; numbers on it are white or black."""
QUARTERS = 4
"""Parts of a colour bar between its numbers."""


@dataclass(frozen=True)
class Accuracies:
    """Which percent of the images are right, by two kinds of names."""

    percent: Float64[np.ndarray, "r c"]
    """Accuracy, the mean over splits where there are several; NaN where there is none."""
    std: Float64[np.ndarray, "r c"]
    """Standard deviation over splits; NaN where there is one split."""
    rows: tuple[str, ...]
    """Names of the rows."""
    columns: tuple[str, ...]
    """Names of the columns."""
    row_axis: str
    """What the names of the rows are."""
    column_axis: str
    """What the names of the columns are."""

    @property
    def best(self) -> Bool[np.ndarray, "r c"]:
        """Whether an accuracy is the highest of its column, or as high as that."""
        known = np.where(np.isnan(self.percent), -math.inf, self.percent)
        # Means of the same numbers in another order differ by a rounding error.
        return np.isfinite(known) & (known >= known.max(axis=0) - 1e-9)


def draw_accuracies(
    shown: Accuracies, title: str, facts: tuple[str, ...], *, width_in: float = 7.0, dpi: int = 300
) -> Figure:
    """Return the figure: a cell a pair of names, with the accuracy and ± its standard deviation.

    The highest accuracy of each column is bold. Colours span what there is to see.

    Args:
        shown: The accuracies.
        title: What stands above them.
        facts: Wordings of what stands below the title, the first of which that fits is written.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    axis = shown.column_axis
    matrix = Matrix(
        percent=shown.percent,
        rows=shown.rows,
        columns=shown.columns,
        title=title,
        subtitles=facts,
        row_axis=shown.row_axis,
        column_axes=(
            f"{axis} (percent of images right; bold: best of a column)",
            f"{axis} (percent right; bold: best)",
            axis,
        ),
        colormap=COLORMAP,
        spread=shown.std,
        best=shown.best,
        span=color_span(shown.percent),
    )
    return draw_matrix(matrix, width_in=width_in, dpi=dpi)


def color_span(percent: Float64[np.ndarray, "r c"]) -> tuple[float, float]:
    """Return what the colours span: all accuracies, in four steps of whole percents, up to 100.

    >>> color_span(np.array([[84.3, 91.9]]))
    (84.0, 92.0)
    """
    known = percent[~np.isnan(percent)]
    if not known.size:
        return FULL_SPAN
    low = math.floor(known.min())
    step = max(1, math.ceil((known.max() - low) / QUARTERS))
    low = max(0, min(low, 100 - QUARTERS * step))
    return float(low), float(min(low + QUARTERS * step, 100))

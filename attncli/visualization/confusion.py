"""Which classes are taken for which: a cell a pair of classes."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure

from attncli.metrics.confusion import row_percent
from attncli.visualization.page.matrix import Matrix, draw_matrix

N = "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
"""Stands before a number of samples, and beside it whatever lines a name is broken into."""
COLORMAP = "Blues"
"""One hue from light to dark, told apart in grey too."""


def draw_confusion(
    counts: Int[np.ndarray, "k k"],
    name: str,
    classes: Sequence[str],
    *,
    width_in: float = 7.0,
    dpi: int = 300,
) -> Figure:
    """Return of the samples of each class (row) what percent went where (column), and how many.

    This is figure 3 of the paper on RAM, with counts. Beside the name of a class stands how many
    samples it has; one without samples has dashes.

    Args:
        counts: How many samples of each class (rows) were taken for each class (columns).
        name: How the run is called.
        classes: Names of the classes.
        width_in: Greatest width in inches.
        dpi: Pixels an inch.
    """
    total = int(counts.sum())
    accuracy = f"{100 * np.trace(counts) / total:.2f} %" if total else "-"
    axis = "predicted class"
    matrix = Matrix(
        percent=row_percent(counts),
        rows=tuple(f"{name} ({N}{n})" for name, n in zip(classes, counts.sum(axis=1), strict=True)),
        columns=classes,
        title=name,
        subtitles=(f"accuracy {accuracy} (n = {total})", f"accuracy {accuracy}", accuracy),
        row_axis="true class",
        column_axes=(
            f"{axis} (percent of each true class; below it the number of samples)",
            f"{axis} (percent of true class, count)",
            axis,
            "predicted",
        ),
        colormap=COLORMAP,
        counts=counts,
    )
    return draw_matrix(matrix, width_in=width_in, dpi=dpi)

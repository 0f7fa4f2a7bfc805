"""Draw when in a clip runs attend, class by class."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError
from attncli.metrics.value_range import stretched
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.class_curves import (
    ClassCurves,
    Curve,
    draw_class_curves,
    panels_on_a_page,
)
from attncli.visualization.selection import known_name
from attncli.workflows.visualize.attention import NamedAttention, open_runs
from attncli.workflows.visualize.picture import figure_of


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw the temporal attention of runs over the time of a clip: mean and spread by class.

    The table beside the figure has the curves of all classes, drawn or not.

    Args:
        config: What is to be drawn, and where: its classes in this order, or, without any, those
            with most clips that fit a page.
        runs: Run directories with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a class and run: its clips, its mean attention, and when in a clip, from 0 to 1,
        its mean curve is highest.

    Raises:
        UsageError: No run has a clip of a class asked for, or no figure has such a suffix.
        AttncliError: A run has no temporal attention, or no clip of it has a class.
    """
    picture = figure_of(config, overwrite=overwrite)
    opened = open_runs(runs, config.names, config.split, needs="temporal")
    found = _by_class(opened)
    chosen = _choose(found, config)
    rows = [row for shown in chosen for row in _rows(opened, shown)]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    names = [run.name for run in opened]
    figure = draw_class_curves(chosen, names, width_in=config.layout_in, dpi=config.dpi)
    if len(chosen) < len(found) and not config.classes:
        reporter.note(f"drew {len(chosen)} of {len(found)} classes; --class draws others")
    table = pd.concat([_table(opened, shown) for shown in found])
    picture.save(figure, table, [*names, *(shown.label for shown in chosen)], reporter)
    return Outcome(rows=rows)


def _by_class(runs: Sequence[NamedAttention]) -> list[ClassCurves]:
    """Return the curves of every class that a run has a clip of, in order of their names."""
    curves = [_curves(run) for run in runs]
    labels = sorted({label for of_run in curves for label in of_run})
    if not labels:
        raise AttncliError("no clip of these runs has a class", where=runs[0].path)
    return [ClassCurves(label, tuple(of_run.get(label) for of_run in curves)) for label in labels]


def _curves(run: NamedAttention) -> dict[str, Curve]:
    values = cast(np.ndarray, run.attention.temporal)
    where = str(run.path)
    values = stretched(values[:, :, None, None], "none", where=where)[:, :, 0, 0].astype(np.float64)
    groups = run.attention.clips.groupby("label").indices
    return {
        str(label): Curve(
            clips=len(rows),
            mean=values[rows].mean(axis=0),
            std=values[rows].std(axis=0, ddof=1)
            if len(rows) > 1
            else np.full(values.shape[1], np.nan),
        )
        for label, rows in groups.items()
        if label
    }


def _choose(found: Sequence[ClassCurves], config: VisualizeConfig) -> list[ClassCurves]:
    """Return the classes asked for, or those with most clips, in order of their names."""
    by_label = {shown.label: shown for shown in found}
    if config.classes:
        return [by_label[known_name(n, list(by_label), "--class")] for n in config.classes]
    most = sorted(found, key=lambda shown: -_clips(shown))[: panels_on_a_page(config.layout_in)]
    kept = {shown.label for shown in most}
    return [shown for shown in found if shown.label in kept]


def _clips(shown: ClassCurves) -> int:
    return max(curve.clips for curve in shown.curves if curve is not None)


def _rows(runs: Sequence[NamedAttention], shown: ClassCurves) -> list[Row]:
    return [
        {
            "class": shown.label,
            "run": str(run.path),
            "clips": curve.clips,
            "mean": float(curve.mean.mean()),
            "peak_time": float(curve.time[curve.mean.argmax()]),
        }
        for run, curve in zip(runs, shown.curves, strict=True)
        if curve is not None
    ]


def _table(runs: Sequence[NamedAttention], shown: ClassCurves) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "class": shown.label,
                "run": str(run.path),
                "clips": curve.clips,
                "frame": np.arange(len(curve.mean)),
                "time": curve.time,
                "mean": curve.mean,
                "std": curve.std,
            }
        )
        for run, curve in zip(runs, shown.curves, strict=True)
        if curve is not None
    ]
    return pd.concat(tables)

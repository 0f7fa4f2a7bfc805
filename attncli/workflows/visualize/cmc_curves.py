"""Draw how many people are found again within each rank, a curve a feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.rankings import CURVES
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.cmc_curves import TOLD, CmcCurve, draw_cmc_curves
from attncli.workflows.visualize.picture import figure_of
from attncli.workflows.visualize.rankings import Identified, Key, open_identified

LAST_RANK = 20
"""Curves are drawn up to this rank."""


@dataclass(frozen=True)
class _Shown:
    """One curve, and what it is of."""

    of: Identified
    key: Key
    curve: CmcCurve


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw the curves of all runs, layers and sources, with their first percents in the legend.

    Args:
        config: Which layers are drawn, and where.
        runs: Runs or feature directories of people, with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Told of the files.

    Returns:
        One row a curve, with the percents at ranks 1, 5 and 10.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: A run has no curves.
    """
    _refuse_what_is_about_queries(config)
    picture = figure_of(config, overwrite=overwrite)
    shown = _open(open_identified(runs, config), config.layers)
    rows = [_row(one) for one in shown]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    curves = [one.curve for one in shown]
    figure = draw_cmc_curves(curves, width_in=config.layout_in, dpi=config.dpi)
    table = pd.concat([_table(one) for one in shown])
    picture.save(figure, table, [curve.name for curve in curves], reporter)
    return Outcome(rows=rows)


def _refuse_what_is_about_queries(config: VisualizeConfig) -> None:
    """Refuse options about single queries, where curves are of all.

    Raises:
        UsageError: One is given.
    """
    given = {"--clips": config.clips, "--id": config.ids, "--class": config.classes}
    for flag in (flag for flag, value in given.items() if value):
        remedy = "leave it out, or choose --show ranked-lists"
        raise UsageError("is about single queries", where=flag, remedy=remedy)


def _open(opened: Sequence[Identified], layers: Sequence[str]) -> list[_Shown]:
    keys = [(one, key) for one in opened for key in one.chosen(layers, one.keys)]
    return [_Shown(one, key, _curve(one, key, names_of(keys, one, key))) for one, key in keys]


def names_of(keys: Sequence[tuple[Identified, Key]], one: Identified, key: Key) -> str:
    """Return what a feature is called: its run, layer and source, as far as `keys` differ in them.

    All that is drawn of one feature alone is called by its run.
    """
    parts = (one.name, *key)
    kinds = [{(other.name, *its)[place] for other, its in keys} for place in range(len(parts))]
    words = [part for part, known in zip(parts, kinds, strict=True) if len(known) > 1]
    return " ".join(words) or one.name


def _curve(one: Identified, key: Key, name: str) -> CmcCurve:
    lines = one.curve(key)
    ranks = np.array(lines["rank"], dtype=np.int64)
    percent = np.array(lines["percent"], dtype=np.float64)
    # Written so that NaN is refused.
    rises = bool((np.diff(ranks) > 0).all() and (np.diff(percent) > -1e-9).all())
    if not rises or ranks[0] < 1 or not (percent.min() >= 0 and percent.max() <= 100):
        what = f"the curve of {key[0]} of {key[1]} does not rise from 0 towards 100 percent"
        raise AttncliError(what, where=one.directory / CURVES, remedy=one.remedy)
    is_drawn = (ranks <= LAST_RANK) | (ranks == ranks[0])
    return CmcCurve(name, ranks[is_drawn], percent[is_drawn])


def _row(shown: _Shown) -> Row:
    layer, source = shown.key
    told: Row = {f"rank{rank}": shown.curve.at(rank) for rank in TOLD}
    return {"run": str(shown.of.path), "layer": layer, "source": source, **told}


def _table(shown: _Shown) -> pd.DataFrame:
    layer, source = shown.key
    about = {"run": str(shown.of.path), "layer": layer, "source": source}
    return pd.DataFrame({**about, "rank": shown.curve.ranks, "percent": shown.curve.percent})

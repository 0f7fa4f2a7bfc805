"""Draw the accuracies of runs fitted to features: layers by sources, or pairs of layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import JOINT
from attncli.files.runs import load
from attncli.files.tables import read_cells
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.accuracies import Accuracies, draw_accuracies
from attncli.workflows.visualize.attention import names_of
from attncli.workflows.visualize.picture import figure_of

RESULTS = "results.csv"
"""In the evaluation of a split: a line a layer and source."""
COLUMNS = ("layer", "pooling", "source", "images", "accuracy", "accuracy_std", "splits")
"""Those of its columns that are drawn, or stand in the table beside the figure."""
NUMBERS = ("accuracy", "accuracy_std")
"""Those of them that hold a number, or nothing."""
PAIR = 2
"""Sources in a grid of combinations, and layers."""
UNKNOWN = (np.nan, np.nan)
"""Accuracy and standard deviation where there are none."""

Drawn = tuple[Accuracies, str, tuple[str, ...]]
"""Accuracies, what stands above them, and wordings of the facts about them."""


@dataclass(frozen=True)
class _Results:
    """What a run came to."""

    path: Path
    name: str
    lines: pd.DataFrame

    @property
    def values(self) -> list[tuple[float, float]]:
        """Accuracy and standard deviation of each line."""
        return list(zip(self.lines["accuracy"], self.lines["accuracy_std"], strict=True))


def draw_table(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw a table of accuracies: a row a layer, a column a source, and a group of them a run.

    Args:
        config: What is to be drawn, and where.
        runs: Run directories with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a run, layer and source.

    Raises:
        UsageError: There is not one name a run, or no figure has such a suffix.
        AttncliError: A run has no accuracies.
    """
    opened = [_without_pairs(one) for one in _open(runs, config)]
    if dry_run:
        return figure_of(config, overwrite=overwrite).planned(_rows(opened))
    _write(config, _table(opened), _rows(opened), reporter, overwrite=overwrite)
    return Outcome(rows=_rows(opened))


def draw_combinations(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw the accuracies of pairs of layers: a row a layer of one source, a column of another.

    This is figure 1 of the report on SVD-FC, as a grid.

    Args:
        config: What is to be drawn, and where.
        runs: One run directory, with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a pair.

    Raises:
        UsageError: There are several runs, or no figure has such a suffix.
        AttncliError: The run has no accuracies of pairs of layers.
    """
    if len(runs) > 1:
        raise UsageError("shows one run", where="--show combinations", remedy="name one")
    (opened,) = _open(runs, config)
    pairs = _pairs(opened)
    if dry_run:
        return figure_of(config, overwrite=overwrite).planned(_rows([pairs]))
    _write(config, _grid(pairs), _rows([pairs]), reporter, overwrite=overwrite)
    return Outcome(rows=_rows([pairs]))


def _write(
    config: VisualizeConfig,
    drawn: Drawn,
    rows: Sequence[Row],
    reporter: Reporter,
    *,
    overwrite: bool,
) -> None:
    picture, (shown, title, facts) = figure_of(config, overwrite=overwrite), drawn
    picture.claim()
    figure = draw_accuracies(shown, title, facts, width_in=config.layout_in, dpi=config.dpi)
    picture.save(figure, pd.DataFrame(rows), [title, *shown.rows, *shown.columns], reporter)


def _open(runs: Sequence[Path], config: VisualizeConfig) -> list[_Results]:
    return [
        _Results(path, name, _read(path, config.split))
        for path, name in zip(runs, names_of(runs, config.names), strict=True)
    ]


def _read(run: Path, split: str) -> pd.DataFrame:
    """Return the lines of a run's results.

    Raises:
        AttncliError: There are none, or they are no such table.
    """
    path = load(run).directory.evaluation_path(split) / RESULTS
    remedy = f"make them: attncli eval {run} --split {split}"
    if not path.is_file():
        what = f"holds no accuracies of split {split!r}"
        raise AttncliError(what, where=run, remedy=remedy)
    cells = read_cells(path, remedy=remedy)
    header = cells.iloc[0].tolist() if len(cells) else []
    for name in COLUMNS:
        if header.count(name) != 1:
            raise AttncliError(f"has no column {name!r}", where=path, remedy=remedy)
    lines = cells.iloc[1:].set_axis(header, axis="columns")[list(COLUMNS)]
    if lines.empty:
        raise AttncliError("has no accuracy", where=path, remedy=remedy)
    for name in NUMBERS:  # nothing stands where there is none
        lines[name] = [_number(cell, f"{path}, line {line}") for line, cell in lines[name].items()]
    return lines


def _number(cell: str, where: str) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        remedy = "evaluate the run again"
        raise AttncliError(f"{cell!r} is not a number", where=where, remedy=remedy) from None


def _without_pairs(results: _Results) -> _Results:
    """Return the results of one layer each: those of pairs have a figure of their own."""
    lines = results.lines[~results.lines["layer"].str.contains(JOINT, regex=False)]
    if lines.empty:
        remedy = "choose --show combinations"
        raise AttncliError("has pairs of layers alone", where=results.path, remedy=remedy)
    return replace(results, lines=lines)


def _pairs(results: _Results) -> _Results:
    """Return the results of pairs of layers, such as conv4+fc of I+P, or fc of I+P for fc+fc.

    Raises:
        AttncliError: There are none.
    """
    lines = results.lines
    is_pair = lines["layer"].str.contains(JOINT, regex=False)
    if not is_pair.any():
        remedy = "train it with --combinations, and two layers or more"
        raise AttncliError("has no pairs of layers", where=results.path, remedy=remedy)
    sources = lines["source"][is_pair].iloc[0]
    return replace(results, lines=lines[lines["source"] == sources])


def _table(opened: Sequence[_Results]) -> Drawn:
    """Return layers by sources, of one run after the other."""
    cells = {
        (str(layer), number, str(source)): value
        for number, one in enumerate(opened)
        for layer, source, value in zip(
            one.lines["layer"], one.lines["source"], one.values, strict=True
        )
    }
    layers = list(dict.fromkeys(layer for layer, _, _ in cells))
    sources = list(dict.fromkeys((number, source) for _, number, source in cells))
    values = [[cells.get((layer, *source), UNKNOWN) for source in sources] for layer in layers]
    single = len(opened) == 1
    columns = [source if single else f"{opened[n].name} {source}" for n, source in sources]
    shown = _accuracies(values, layers, columns, ("layer", "source"))
    return shown, opened[0].name if single else "accuracy", _facts(opened)


def _grid(results: _Results) -> Drawn:
    """Return layers of the first source by layers of the second."""
    lines = results.lines
    pairs = [tuple(layer.split(JOINT)) * PAIR for layer in lines["layer"]]
    cells = {pair[:PAIR]: value for pair, value in zip(pairs, results.values, strict=True)}
    rows, columns = (list(dict.fromkeys(pair[place] for pair in cells)) for place in (0, 1))
    values = [[cells.get((row, column), UNKNOWN) for column in columns] for row in rows]
    first, second = lines["source"].iloc[0].split(JOINT)
    shown = _accuracies(values, rows, columns, (f"layer of {first}", f"layer of {second}"))
    return shown, results.name, _facts([results])


def _accuracies(
    values: Sequence[Sequence[tuple[float, float]]],
    rows: Sequence[str],
    columns: Sequence[str],
    axes: tuple[str, str],
) -> Accuracies:
    both = np.array(values, dtype=np.float64)
    return Accuracies(both[..., 0], both[..., 1], tuple(rows), tuple(columns), *axes)


def _facts(opened: Sequence[_Results]) -> tuple[str, ...]:
    """Return wordings of how many images and splits there are, the longest first."""
    images, splits = (
        "/".join(dict.fromkeys(str(n) for one in opened for n in one.lines[name]))
        for name in ("images", "splits")
    )
    if all(one.lines["accuracy_std"].isna().all() for one in opened):
        return (f"of {images} images", f"n = {images}")
    return (
        f"mean ± standard deviation over {splits} splits, each of {images} images",
        f"over {splits} splits of {images} images",
        f"{splits} splits",
    )


def _rows(opened: Sequence[_Results]) -> list[Row]:
    return [
        {
            "run": str(one.path),
            **{name: str(line[name]) for name in ("layer", "pooling", "source")},
            **{name: None if np.isnan(line[name]) else line[name] for name in NUMBERS},
            **{name: int(line[name]) for name in ("images", "splits")},
        }
        for one in opened
        for line in one.lines.to_dict("records")
    ]

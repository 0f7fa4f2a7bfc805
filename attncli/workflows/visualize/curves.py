"""Draw how runs were trained: their losses and figures against epochs, as their logs have them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.runs import RunDirectory, load
from attncli.files.tables import read_cells
from attncli.reporting import Outcome, Reporter, Row, counted
from attncli.training.epoch_line import figure_name
from attncli.visualization.curves import Course, Entry, Panel, Part, draw_curves
from attncli.workflows.evaluate.folds import fold_path
from attncli.workflows.runs.several import runs_of, training_seeds
from attncli.workflows.visualize.attention import names_of
from attncli.workflows.visualize.picture import figure_of

PARTS: tuple[Part, ...] = ("train", "val")
REMEDY = "name a run that `attncli train` trains by steps"


@dataclass(frozen=True)
class _Trained:
    """What the logs of a run say: of itself, or of its folds, or of runs with several seeds."""

    path: Path
    """The run, as it was named on the command line."""
    name: str
    """What it is called."""
    members: str
    """What it is of, such as `10 folds`; empty where it is one training."""
    courses: Mapping[str, Course]
    """Each quantity, by its column in the logs."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw losses, and figures of training and validation, a panel each and a curve a run.

    The table beside the figure has mean and standard deviation of all that is drawn.

    Args:
        config: Where it is drawn, and how the runs are called.
        runs: Run directories; their trainings may still go on.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Told of the files.

    Returns:
        One row a run, with its epochs and the last value of each quantity.

    Raises:
        UsageError: A wish is not about curves, or no figure has such a suffix.
        AttncliError: A run has no log, or its log is damaged.
    """
    _refuse_others(config)
    picture = figure_of(config, overwrite=overwrite)
    names = _names(runs, config.names)
    opened = [_open(run, name) for run, name in zip(runs, names, strict=True)]
    rows = [_row(one) for one in opened]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    panels, entries = _panels(opened), [Entry(one.name, _facts(one)) for one in opened]
    figure = draw_curves(panels, entries, _notes(opened), width_in=config.layout_in, dpi=config.dpi)
    table = pd.concat([_table(one) for one in opened])
    picture.save(figure, table, [*names, *(panel.title for panel in panels)], reporter)
    return Outcome(rows=rows)


def _refuse_others(config: VisualizeConfig) -> None:
    """Refuse what is about other kinds of figures.

    Raises:
        UsageError: One is given.
    """
    given = {
        "--by-class": config.by_class,
        "--apex": config.apex,
        "--errors": config.errors,
        "--contact-sheet": config.contact_sheet,
        "--show": config.show,
        "--class": config.classes,
        "--layer": config.layers,
        "--source-class": config.source_classes,
        "--data": config.data,
        **dict.fromkeys(config.about_clips, True),
    }
    for flag in (flag for flag, value in given.items() if value):
        raise UsageError("exclude each other", where=f"--curves and {flag}")


def _names(runs: Sequence[Path], names: Sequence[str]) -> Sequence[str]:
    """Return what runs are called: what their paths differ in, unless `names` says so."""
    paths = [run.resolve() for run in runs]
    has_twins = len({path.name for path in paths}) < len(set(paths))
    if names or not has_twins:
        return names_of(runs, names)
    common = Path(os.path.commonpath(paths))
    return [str(path.relative_to(common)) for path in paths]


def _open(run: Path, name: str) -> _Trained:
    seeds = training_seeds(run)
    folds = [fold for path in runs_of(run) for fold in _folds_of(path)]
    kinds = [counted(len(seeds), "seeds")] if seeds else []
    n_folds = len(folds) // max(1, len(seeds))
    kinds += [counted(n_folds, "folds")] if n_folds > 1 else []
    logs = [_read(RunDirectory(path).log_path, run) for path in folds]
    return _Trained(run, name, " of ".join(reversed(kinds)), _together(logs))


def _folds_of(run: Path) -> list[Path]:
    """Return the folds of a run whose training has begun; the run itself where it has none."""
    parts = getattr(load(run).config, "parts", ())
    folds = [fold_path(run, part.fold) for part in parts]
    return [path for path in folds if RunDirectory(path).log_path.is_file()] if folds else [run]


def _read(path: Path, run: Path) -> pd.DataFrame:
    """Return the columns of a log that are drawn, by epoch; NaN where a cell is empty.

    Raises:
        AttncliError: There is no log, it has no epoch yet, or it is damaged.
    """
    if not path.is_file():
        raise AttncliError("has no log of epochs", where=run, remedy=REMEDY)
    if not path.stat().st_size:
        raise AttncliError("no epoch is complete yet", where=run, remedy="wait for the first one")
    cells = read_cells(path, remedy="train the run anew")
    table = cells.iloc[1:].set_axis(cells.iloc[0].tolist(), axis="columns")
    drawn = [name for name in map(str, table) if name.startswith(("loss", "train_", "val_"))]
    try:
        epochs = pd.Index(table["epoch"].astype(int), name="epoch")
        values = table[drawn].replace("", "nan").astype(float).set_axis(epochs, axis="index")
    except (KeyError, ValueError) as error:
        what = f"is not a log of epochs ({' '.join(str(error).split())})"
        raise AttncliError(what, where=path, remedy="train the run anew") from error
    return values


def _together(logs: Sequence[pd.DataFrame]) -> dict[str, Course]:
    """Return each quantity of all logs, over the epochs that any of them has."""
    columns = dict.fromkeys(column for log in logs for column in map(str, log))
    epochs = np.unique(np.concatenate([log.index.to_numpy(np.int64) for log in logs]))
    return {
        column: Course(epochs, np.stack([_values(log, column, epochs) for log in logs]))
        for column in columns
    }


def _values(log: pd.DataFrame, column: str, epochs: np.ndarray) -> np.ndarray:
    values = log[column] if column in log else pd.Series(np.nan, index=log.index)
    return values.reindex(epochs).to_numpy(np.float64)


def _panels(opened: Sequence[_Trained]) -> list[Panel]:
    """Return a panel for each quantity of which some run knows a value."""
    columns = [column for one in opened for column in one.courses]
    losses = [column for column in columns if column.startswith("loss")]
    figures = [column.partition("_")[2] for column in columns if column not in losses]
    panels = [
        Panel(_loss_title(column), tuple(_courses(one, {"train": column}) for one in opened))
        for column in _without_repeats(losses, opened)
    ]
    panels += [
        Panel(
            f"{figure_name(name)} (%)",
            tuple(_courses(one, {part: f"{part}_{name}" for part in PARTS}) for one in opened),
            is_percent=True,
        )
        for name in dict.fromkeys(figures)
    ]
    return [panel for panel in panels if any(panel.courses)]


def _courses(one: _Trained, columns: Mapping[Part, str]) -> dict[Part, Course]:
    found = {part: one.courses[c] for part, c in columns.items() if c in one.courses}
    return {part: course for part, course in found.items() if len(course.known.epochs)}


def _without_repeats(losses: Sequence[str], opened: Sequence[_Trained]) -> list[str]:
    """Return losses without a part that is the whole loss of every run."""
    return [column for column in dict.fromkeys(losses) if not _is_whole(column, opened)]


def _is_whole(column: str, opened: Sequence[_Trained]) -> bool:
    pairs = [(one.courses[column], one.courses["loss"]) for one in opened if column in one.courses]
    is_same = (np.allclose(a.values, b.values, rtol=1e-6, equal_nan=True) for a, b in pairs)
    return column != "loss" and all(is_same)


def _loss_title(column: str) -> str:
    """Return what a loss is called.

    >>> _loss_title("loss"), _loss_title("loss_att")
    ('loss', 'loss: att')
    """
    return ": ".join(filter(None, column.split("_", 1)))


def _facts(one: _Trained) -> tuple[str, ...]:
    """Return wordings of how a run came out, the longest first."""
    validated = next((c for c in one.courses if c.startswith("val_")), None)
    epochs = counted(_last(one), "epochs")
    head = ", ".join(filter(None, (one.members, epochs)))
    known = one.courses[validated].known if validated else None
    if known is None or validated is None or not len(known.epochs):
        return (head, epochs)
    name = validated.removeprefix("val_")
    best = int(known.mean.argmax())
    peak = f"best {figure_name(name)} {known.mean[best]:.1f} %"
    last = f"last {known.mean[-1]:.1f} %"
    full = f"{peak} in epoch {known.epochs[best]}, {last}"
    return (f"{head}; {full}", full, peak, epochs)


def _last(one: _Trained) -> int:
    return max(int(course.epochs[-1]) for course in one.courses.values())


def _notes(opened: Sequence[_Trained]) -> list[str]:
    """Return what bands are, where there are some."""
    members = dict.fromkeys(one.members for one in opened if one.members)
    if not members:
        return []
    return [f"mean over {' and '.join(members)}, in a band of ± one standard deviation"]


def _row(one: _Trained) -> Row:
    values: Row = {}
    for column, course in one.courses.items():
        known = course.known
        values[column] = float(known.mean[-1]) if len(known.epochs) else None
    return {"run": str(one.path), "epochs": _last(one), **values}


def _table(one: _Trained) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "run": str(one.path),
                "quantity": column,
                "epoch": course.epochs,
                "mean": course.mean,
                "std": course.std,
                "n": np.isfinite(course.values).sum(axis=0),
            }
        )
        for column, course in ((c, of.known) for c, of in one.courses.items())
    ]
    return pd.concat(tables)

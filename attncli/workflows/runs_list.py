"""Lists runs with their stored figures; reads small files alone, and computes nothing."""

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from attncli.config.runs_list import RunsListCall
from attncli.config.toml import SEVERAL, read
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.metrics import read_metrics
from attncli.files.runs import Run, RunDirectory, load
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.runs.progress import progress_of

Value = str | int | float | None


def list_runs(call: RunsListCall, *, reporter: Reporter) -> Outcome:
    """Return a row for each run and split it was evaluated on; one without for a run that was not.

    Args:
        call: Where the runs are, which split counts, and what to sort by.
        reporter: Told where there is no run.

    Returns:
        The rows, and what of the runs is damaged.

    Raises:
        AttncliError: A directory is not there.
        UsageError: No row has the key to sort by.
    """
    rows: list[Row] = []
    failures: list[Failure] = []
    seen: set[Path] = set()
    paths = [path for top in call.directories for path in _runs_below(top, seen)]
    for path in paths:
        try:
            found, damaged = _rows(load(path), call.split)
        except AttncliError as error:
            found, damaged = [], [_failure(path, error)]
        rows += found
        failures += damaged
    if not paths:
        reporter.note(f"no run in {', '.join(map(str, call.directories))}")
    sorted_rows = rows if call.sort is None else _sorted(rows, call.sort)
    return Outcome(rows=sorted_rows, failures=failures, inputs=len(paths))


def _runs_below(top: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield directories of runs in the order of their paths; what lies in a run is its own.

    Args:
        top: Directory that is looked into.
        seen: Where somebody has been, by whatever link; added to.
    """
    if not top.is_dir():
        raise AttncliError("no such directory", where=top, remedy="name one with runs in it")
    waiting = [top]
    while waiting:
        path = waiting.pop()
        real = path.resolve()
        if real in seen:
            continue
        seen.add(real)
        if _is_run(path):
            yield path
        else:
            waiting += sorted(_folders(path), reverse=True)


def _folders(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return [path / e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    except PermissionError:  # whatever it is, it is no run of this user
        return []


def _is_run(path: Path) -> bool:
    """Return whether a directory is a run, or was one before its settings were damaged."""
    settings = RunDirectory(path).config_path
    if not settings.is_file():
        return False
    try:
        written = read(settings)
    except UsageError:
        return any(own.exists() for own in _own_files(path))
    return "method" in written and SEVERAL not in written


def _own_files(path: Path) -> Sequence[Path]:
    run = RunDirectory(path)
    return run.classes_path, run.log_path, run.weights_path, run.environment_path


def _rows(run: Run, split: str | None) -> tuple[list[Row], list[Failure]]:
    failures: list[Failure] = []
    row: Row = {"run": str(run.directory.path), "method": run.method}
    try:
        row |= _facts(run)
    except AttncliError as error:
        failures.append(_failure(run.directory.path, error))
    rows: list[Row] = []
    for path in _evaluations(run, split):
        try:
            figures = read_metrics(path)
        except AttncliError as error:
            failures.append(_failure(path, error))
        else:
            rows.append({**row, "split": path.parent.name, **_own(figures)})
    return rows or [row], failures


def _own(figures: Row) -> Row:
    """Return figures without what is known of the run itself."""
    return {name: value for name, value in figures.items() if name not in ("run", "method")}


def _facts(run: Run) -> Row:
    parts = [
        RunDirectory(run.directory.path / f"fold{part.fold:02d}")
        for part in getattr(run.config, "parts", ())
    ]
    asked = getattr(run.config, "epochs", None)
    trained = [progress_of(part, asked) for part in parts or [run.directory]]
    done = [one.epochs for one in trained if one.epochs is not None]
    is_complete = all(one.is_complete for one in trained)
    row: Row = {"state": "complete" if is_complete else "unfinished"}
    row |= {} if asked is None else {"epochs_done": min(done), "epochs": asked}
    row |= {"folds_done": sum(one.is_complete for one in trained)} if parts else {}
    row |= {"folds": len(parts)} if parts else {}
    return row | {"date": _date([run.directory, *parts])}


def _evaluations(run: Run, split: str | None) -> list[Path]:
    found = sorted((run.directory.path / "eval").glob("*/metrics.json"))
    return [path for path in found if split in (None, path.parent.name)]


def _date(runs: Iterable[RunDirectory]) -> str:
    """Return when the last file was written that tells of a training, in local time."""
    files = (path for run in runs for path in (run.config_path, run.log_path, run.weights_path))
    newest = max(path.stat().st_mtime for path in files if path.exists())
    return datetime.fromtimestamp(newest).astimezone().strftime("%Y-%m-%d %H:%M")


def _sorted(rows: Sequence[Row], key: str) -> list[Row]:
    """Return rows by a key, those without it last.

    Raises:
        UsageError: None has it.
    """
    known = list(dict.fromkeys(name for row in rows for name in row))
    if rows and key not in known:
        raise UsageError(
            f"no such key: {key!r}", where="--sort", remedy=f"keys: {', '.join(known)}"
        )
    having = [row for row in rows if row.get(key) is not None]
    are_numbers = all(isinstance(row[key], int | float) for row in having)
    texts = sorted(having, key=lambda row: _ordered(row[key], are_numbers=are_numbers))
    ordered = texts[::-1] if are_numbers or key == "date" else texts
    return ordered + [row for row in rows if row.get(key) is None]


def _ordered(value: Value, *, are_numbers: bool) -> tuple[float, str]:
    return (float(str(value)), "") if are_numbers else (0.0, str(value))


def _failure(path: Path, error: AttncliError) -> Failure:
    return Failure(path.name, str(path), str(error))

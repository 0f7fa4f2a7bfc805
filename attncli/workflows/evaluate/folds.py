"""Score a run of all folds: every sequence is answered by the network that has not seen its person.

`eval/val/` of such a run holds what its folds' hold, joined, and besides:

=================  ===========================================================================
fold_accuracy.csv  sequences, those that could not be read, and accuracy of each fold
confusion.csv      sequences of each class (rows) taken for each class (columns)
confusion.png      the same in percent of each row
recall.csv         sequences and recall of each class
=================  ===========================================================================
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np

from attncli import catalog
from attncli.config.evaluate import AskCall
from attncli.data.faces.people import FOLDS
from attncli.data.samples import Split
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.answers import accuracy_percent, is_right
from attncli.evaluation.attention import sharpness
from attncli.evaluation.class_scores import ATTENTION, PERCEPTION, branches
from attncli.files.atomic import replacing_directory
from attncli.files.attention import AttentionWriter, open_attention
from attncli.files.checkpoints import read_metadata
from attncli.files.failures import read_failures, write_failures
from attncli.files.folds import read_fold_rows
from attncli.files.metrics import read_metrics, write_metrics
from attncli.files.predictions import (
    Predictions,
    join_predictions,
    read_predictions,
    write_predictions,
)
from attncli.files.runs import Run, RunDirectory, load
from attncli.files.tables import write_table
from attncli.files.text import read_text
from attncli.metrics.comparison import mcnemar
from attncli.metrics.confusion import confusion, row_percent
from attncli.metrics.spread import mean_and_std
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.visualization.confusion import draw_confusion
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.visualization.saving import save_figure
from attncli.workflows.evaluate.trial import Trial, plan
from attncli.workflows.runs.settings import require_same_settings
from attncli.workflows.runs.source import require_samples

LARGEST_FIGURE = 1e12
"""Beyond it no count of clips is, nor a percentage."""
OF_ALL_FOLDS = ("limit", "only_classes", "checkpoint", "frames")
"""Keys of a fold's row that those of all folds have alike."""
SPLIT: Split = "val"
"""The part of its people that a fold is tested on."""


def fold_path(run: Path, fold: int) -> Path:
    """Return the directory of one fold of a run, counted from 1."""
    return run / f"fold{fold:02d}"


def folds_of(run: Run) -> list[Path]:
    """Return the directories of a run's folds; none where it is a single network's.

    Raises:
        AttncliError: A fold has not been trained to its end.
        UsageError: A fold was trained with other settings than the run has, or the run was fitted
            to features.
    """
    require_samples(run.method, run.directory.path)
    path = run.directory.path
    paths = [fold_path(path, part.fold) for part in run.config.parts]
    if not paths:
        return []
    missing = [one.name for one in paths if not RunDirectory(one).weights_path.is_file()]
    if missing:
        raise AttncliError(
            f"{len(missing)} of {len(paths)} folds are not trained, such as {missing[0]}",
            where=path,
            remedy=f"go on: attncli train {run.method} --resume -o {path}",
        )
    for own, one in zip(run.config.parts, paths, strict=True):
        require_same_settings(load(one), Run(RunDirectory(one), run.method, own, run.classes))
    lengths = [read_metadata(RunDirectory(one).weights_path).get("epochs") for one in paths]
    if len(set(lengths)) > 1:
        raise AttncliError(
            f"folds were trained for {lengths[0]} and other numbers of epochs",
            where=path,
            remedy=f"go on: attncli train {run.method} --resume -o {path}",
        )
    return paths


@dataclass(frozen=True)
class Opened:
    """A run, and what its networks are to be asked."""

    run: Run
    """What was trained."""
    folds: Sequence[Path]
    """Directories of its folds; none where it is a single network's."""
    trials: Sequence[Trial] = ()
    """One, or one a fold."""

    @property
    def paths(self) -> Sequence[Path]:
        """Return the directories of its networks."""
        return self.folds or [self.run.directory.path]


def open_runs(call: AskCall, reporter: Reporter) -> list[Opened]:
    """Return runs with what is to be asked of each, of runs of folds of every fold.

    Args:
        call: Which runs, and what of them; people no fold was trained on are `val`.
        reporter: Told what there is to know about the datasets.

    Raises:
        AttncliError: A run, its weights or the data cannot be used, or a fold of it has not been
            trained to its end.
        UsageError: All folds together have no such split or weights, or a network takes clips of
            another number of frames only.
    """
    opened = [Opened(run, folds_of(run)) for run in map(load, call.runs)]
    if any(one.folds for one in opened):
        remedy = "name the directory of one fold"
        if call.split != SPLIT:
            raise UsageError("a run of folds has only `val`", where="--split", remedy=remedy)
        if call.checkpoint not in ("last", "best"):
            problem = "is of one network, not of all folds"
            raise UsageError(problem, where="--checkpoint", remedy=remedy)
    paths = [path for one in opened for path in one.paths]
    trials = iter(plan(paths, call, reporter))
    return [replace(one, trials=[next(trials) for _ in one.paths]) for one in opened]


@dataclass(frozen=True)
class FoldsJob:
    """The evaluation of all folds of a run, and of the run as their sum."""

    run: Run
    """The run of all folds."""
    jobs: Sequence[Callable[[World], Outcome]]
    """The evaluations of its folds."""
    reporter: Reporter

    def __call__(self, world: World) -> Outcome:
        """Do the jobs, then add them up on the first process."""
        for job in self.jobs:
            job(world)
        return pool_folds(self.run, self.reporter) if world.leads else Outcome()


def pool_folds(run: Run, reporter: Reporter) -> Outcome:
    """Write `eval/val` of a run of all folds from those of its folds, and return its row.

    Its accuracy is over the sequences of all folds together, as in the paper on RAM.

    Raises:
        AttncliError: A fold is missing, or was tested on other people than the run says.
    """
    parts = [RunDirectory(path).evaluation_path(SPLIT) for path in folds_of(run)]
    rows = [read_metrics(part / "metrics.json") for part in parts]
    failures = [*chain.from_iterable(read_failures(part / "failures.jsonl") for part in parts)]
    for fold, part in enumerate(parts, start=1):
        _require_own_people(run, fold, part)
    with replacing_directory(run.directory.evaluation_path(SPLIT)) as out:
        pooled = {branch: _pooled(parts, branch) for branch in _branches(run)}
        for branch, made in pooled.items():
            write_predictions(out / f"{branch}predictions.csv", made)
        if ATTENTION in pooled:
            _join_attention(parts, out / "attention")
        write_failures(out / "failures.jsonl", failures)
        _write_fold_accuracy(out / "fold_accuracy.csv", rows)
        _write_confusion(out, pooled[PERCEPTION], run, reporter)
        row = {**_figures(run, rows, pooled), **sharpness(out / "attention")}
        write_metrics(out / "metrics.json", row)
    reporter.note(f"wrote {run.directory.evaluation_path(SPLIT)}")
    inputs = len(pooled[PERCEPTION].ids) + len({failure.id for failure in failures})
    return Outcome([row], failures, inputs)


def compare_with_first(rows: Sequence[Row], reporter: Reporter) -> None:
    """Add `mcnemar_p` to the row of each run of folds but the first: is it better or worse?

    Runs whose sequences or folds are others cannot be compared, which is noted.

    Args:
        rows: Rows of `pool_folds`, among others; changed in place.
        reporter: Told which runs could not be compared.
    """
    runs = [row for row in rows if "folds" in row]
    if len(runs) < 2:
        return
    first = Path(str(runs[0]["run"]))
    right = _right_by_id(first)
    for row in runs[1:]:
        other = Path(str(row["run"]))
        answers = _right_by_id(other)
        if answers.keys() != right.keys() or _folds_table(other) != _folds_table(first):
            reporter.note(
                f"{other}: has other folds or sequences than {first}; the two are not compared"
            )
            continue
        pairs = np.array([(right[id_], answers[id_]) for id_ in right])
        row["mcnemar_p"] = mcnemar(pairs[:, 0], pairs[:, 1]).p


def _branches(run: Run) -> tuple[str, ...]:
    return branches(catalog.method(run.method).attention)


def _require_own_people(run: Run, fold: int, part: Path) -> None:
    """Make sure that a fold was tested on all sequences it is to be tested on, and no others."""
    table = run.directory.path / FOLDS
    own = {row.id for row in read_fold_rows(table) if row.fold == fold}
    failed = {failure.id for failure in read_failures(part / "failures.jsonl")}
    tested = [*read_predictions(part / "predictions.csv").ids, *failed]
    if sorted(tested) != sorted(own):
        raise AttncliError(
            f"was tested on other sequences than those of fold {fold} in {table}",
            where=part,
            remedy=f"evaluate it again: attncli eval {run.directory.path}",
        )


def _pooled(parts: Sequence[Path], branch: str) -> Predictions:
    return join_predictions([read_predictions(part / f"{branch}predictions.csv") for part in parts])


def _join_attention(parts: Sequence[Path], directory: Path) -> None:
    with AttentionWriter(directory) as writer:
        row = 0
        for part in parts:
            attention = open_attention(part / "attention")
            records = [attention.record(number) for number in range(len(attention.clips))]
            numbered = [replace(record, row=row + i) for i, record in enumerate(records)]
            writer.append(numbered, spatial=attention.spatial)
            row += len(records)


def _write_fold_accuracy(path: Path, rows: Sequence[Row]) -> None:
    columns = ("fold", "sequences", "failed", "accuracy")
    lines = [[fold, *(row.get(name) for name in columns[1:])] for fold, row in enumerate(rows, 1)]
    write_table(path, columns, lines)


def _write_confusion(out: Path, made: Predictions, run: Run, reporter: Reporter) -> None:
    numbers = {name: number for number, name in enumerate(run.classes)}
    labels, predicted = (
        np.array([numbers[name] for name in names], dtype=np.int64)
        for names in (made.labels, made.predicted)
    )
    counts = confusion(labels, predicted, n_classes=len(run.classes))
    lines = zip(run.classes, counts.tolist(), strict=True)
    write_table(out / "confusion.csv", ("class", *run.classes), ([n, *row] for n, row in lines))
    recalls = zip(run.classes, counts.sum(axis=1), row_percent(counts).diagonal(), strict=True)
    write_table(
        out / "recall.csv",
        ("class", "sequences", "recall"),
        ([name, n, "" if np.isnan(recall) else recall] for name, n, recall in recalls),
    )
    name = run.directory.path.name
    warn_of_missing_letters([name, *run.classes], reporter)
    save_figure(draw_confusion(counts, name, run.classes), out / "confusion.png")


def _figures(run: Run, rows: Sequence[Row], pooled: Mapping[str, Predictions]) -> Row:
    """Return the figures of a run of all folds; the spread is a sample standard deviation."""
    answered = [row for row in rows if row.get("accuracy") is not None]
    by_fold = [_number(row, "accuracy") for row in answered]
    mean, std = mean_and_std(by_fold)
    clips = sum(_number(row, "clips") for row in answered)
    right = sum(_number(row, "clips") * _number(row, "clip_accuracy") for row in answered)
    return {
        "run": str(run.directory.path),
        "method": run.method,
        "split": SPLIT,
        **{name: rows[0][name] for name in OF_ALL_FOLDS if name in rows[0]},
        "folds": len(rows),
        "sequences": len(pooled[PERCEPTION].ids),
        "clips": int(clips),
        "failed": int(sum(_number(row, "failed") for row in rows)),
        "accuracy": accuracy_percent(pooled[PERCEPTION]),
        "accuracy_fold_mean": mean,
        "accuracy_fold_std": std,
        **{f"{b}accuracy": accuracy_percent(made) for b, made in pooled.items() if b != PERCEPTION},
        "clip_accuracy": right / clips if clips else None,
    }


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    if not isinstance(value, int | float) or not 0 <= value <= LARGEST_FIGURE:
        raise AttncliError(
            f"{name} of a fold cannot be {value!r}",
            where=cast(str, row.get("run")),
            remedy="evaluate the run again",
        )
    return float(value)


def _right_by_id(run: Path) -> Mapping[str, bool]:
    return is_right(read_predictions(RunDirectory(run).evaluation_path(SPLIT) / "predictions.csv"))


def _folds_table(run: Path) -> str:
    return read_text(run / FOLDS)

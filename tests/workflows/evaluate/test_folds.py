"""What folds are worth together, on evaluations written by hand."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.checkpoints import write_weights
from attncli.files.failures import read_failures, write_failures
from attncli.files.folds import FoldRow, write_fold_rows
from attncli.files.metrics import read_metrics, write_metrics
from attncli.files.predictions import Predictions, read_predictions, write_predictions
from attncli.files.runs import Run, load
from attncli.reporting import Silent
from attncli.workflows.evaluate.folds import compare_with_first, folds_of, pool_folds
from tests.support.runs import begin_run

CLASSES = ("anger", "happy", "fear")
Answer = tuple[str, str, str]
"""Sequence, its class, and what it is taken for."""

FOLDS: Mapping[int, Sequence[Answer]] = {
    1: [("a", "anger", "anger"), ("b", "anger", "happy"), ("c", "happy", "happy")],
    2: [("d", "anger", "happy")],
}
Evaluated = Callable[..., Run]


@pytest.fixture
def evaluated(tmp_path: Path) -> Evaluated:
    """Return a function that writes a run whose folds were evaluated."""

    def make(name: str, folds: Mapping[int, Sequence[Answer]] = FOLDS, **more: str) -> Run:
        run = begin_run(tmp_path / name, "convlstm", tmp_path, CLASSES, folds=len(folds))
        rows = []
        for number, lines in folds.items():
            fold = run / f"fold{number:02d}"
            settings = {"folds": len(folds), "fold": number}
            begin_run(fold, "convlstm", tmp_path, CLASSES, **settings)
            write_fold(fold, lines, more)
            rows += [FoldRow(id_, f"person {id_}", label, number) for id_, label, _ in lines]
            rows.append(FoldRow(f"lost in {fold.name}", fold.name, "fear", number))
        write_fold_rows(run / "folds.csv", rows)
        return load(run)

    return make


def write_fold(fold: Path, lines: Sequence[Answer], more: Mapping[str, str]) -> None:
    ids, labels, predicted = map(list, zip(*lines, strict=True))
    probabilities = np.eye(3, dtype=np.float32)[[CLASSES.index(name) for name in predicted]]
    out = fold / "eval" / "val"
    made = Predictions(ids, labels, predicted, CLASSES, probabilities)
    write_predictions(out / "predictions.csv", made)
    right = [label == answer for label, answer in zip(labels, predicted, strict=True)]
    figures = {
        "sequences": len(ids),
        "clips": 10 * len(ids),
        "failed": 1,
        "accuracy": 100 * float(np.mean(right)),
        "clip_accuracy": 30.0 * len(ids),
    }
    write_metrics(out / "metrics.json", {**more, **figures})
    write_failures(out / "failures.jsonl", [Failure(f"lost in {fold.name}", "x", "damaged")])
    write_weights(fold / "model.safetensors", nn.Linear(1, 1), {"epochs": 40})


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_accuracy_is_over_all_sequences_and_the_spread_over_folds(evaluated):
    run = evaluated("run")
    (row,) = pool_folds(run, Silent()).rows
    assert row == {
        "run": str(run.directory.path),
        "method": "convlstm",
        "split": "val",
        "folds": 2,
        "sequences": 4,
        "clips": 40,
        "failed": 2,
        "accuracy": 50.0,
        "accuracy_fold_mean": pytest.approx((200 / 3 + 0) / 2),
        "accuracy_fold_std": pytest.approx(200 / 3 / 2**0.5),
        "clip_accuracy": pytest.approx((30 * 90 + 10 * 30) / 40),
    }
    out = run.directory.evaluation_path("val")
    assert read_metrics(out / "metrics.json") == row
    assert read_predictions(out / "predictions.csv").ids == ["a", "b", "c", "d"]
    lost = [failure.id for failure in read_failures(out / "failures.jsonl")]
    assert lost == ["lost in fold01", "lost in fold02"]


def test_tables_of_classes_and_folds(evaluated):
    run = evaluated("run")
    pool_folds(run, Silent())
    out = run.directory.evaluation_path("val")
    assert table(out / "confusion.csv") == [
        {"class": "anger", "anger": "1", "happy": "2", "fear": "0"},
        {"class": "happy", "anger": "0", "happy": "1", "fear": "0"},
        {"class": "fear", "anger": "0", "happy": "0", "fear": "0"},
    ]
    lines = table(out / "recall.csv")
    recalls = {line["class"]: (line["sequences"], line["recall"]) for line in lines}
    assert recalls["happy"] == ("1", "100.0")
    assert recalls["fear"] == ("0", "")
    assert float(recalls["anger"][1]) == pytest.approx(100 / 3)
    folds = [(line["fold"], line["sequences"]) for line in table(out / "fold_accuracy.csv")]
    assert folds == [("1", "3"), ("2", "1")]


def test_other_weights_than_the_last_are_told(evaluated):
    (row,) = pool_folds(evaluated("run", checkpoint="best"), Silent()).rows
    assert row["checkpoint"] == "best"


def test_runs_are_compared_with_the_first(evaluated):
    better = {1: [(i, label, label) for i, label, _ in FOLDS[1]], 2: FOLDS[2]}
    rows = [
        pool_folds(evaluated(name, folds), Silent()).rows[0]
        for name, folds in (("first", FOLDS), ("second", better), ("third", FOLDS))
    ]
    compare_with_first(rows, Silent())
    # The second alone is right on b: 1 against 0.
    assert "mcnemar_p" not in rows[0]
    assert (rows[1]["mcnemar_p"], rows[2]["mcnemar_p"]) == (1.0, 1.0)
    six = {1: [(str(i), "anger", "anger") for i in range(6)], 2: FOLDS[2]}
    none = {1: [(str(i), "anger", "fear") for i in range(6)], 2: FOLDS[2]}
    rows = [pool_folds(evaluated(n, f), Silent()).rows[0] for n, f in (("4", six), ("5", none))]
    compare_with_first(rows, Silent())
    assert rows[1]["mcnemar_p"] == pytest.approx(2 / 2**6)


def test_runs_of_other_folds_or_sequences_are_not_compared(evaluated):
    fewer = {1: FOLDS[1][:2], 2: FOLDS[2]}
    rows = [
        pool_folds(evaluated(name, folds), Silent()).rows[0]
        for name, folds in (("first", FOLDS), ("second", fewer))
    ]
    compare_with_first(rows, Silent())
    assert "mcnemar_p" not in rows[1]


def test_folds_that_are_missing_are_named(evaluated):
    run = evaluated("run")
    (run.directory.path / "fold02" / "model.safetensors").unlink()
    with pytest.raises(AttncliError, match="1 of 2 folds are not trained, such as fold02"):
        folds_of(load(run.directory.path))


def test_folds_of_other_settings_are_refused(evaluated):
    run = evaluated("run")
    fold, settings = run.directory.path / "fold02", {"folds": 2, "fold": 2, "frames": 5}
    begin_run(fold, "convlstm", run.config.data, CLASSES, **settings)
    with pytest.raises(UsageError, match="other settings: --frames"):
        pool_folds(run, Silent())


def test_folds_of_other_lengths_are_refused(evaluated):
    run = evaluated("run")
    write_weights(run.directory.path / "fold02/model.safetensors", nn.Linear(1, 1), {"epochs": 9})
    with pytest.raises(AttncliError, match="trained for 40 and other numbers of epochs"):
        pool_folds(run, Silent())


def test_folds_tested_on_other_people_than_the_run_says_are_refused(evaluated):
    run = evaluated("run")
    table = run.directory.path / "folds.csv"
    table.write_text(table.read_text().replace("person a,anger,1", "person a,anger,2"))
    with pytest.raises(AttncliError, match="other sequences than those of fold 1"):
        pool_folds(run, Silent())


def test_nothing_that_could_be_read_is_no_internal_error(evaluated, tmp_path):
    run = evaluated("run", {1: FOLDS[1], 2: FOLDS[2]})
    for number in (1, 2):
        out = tmp_path / "run" / f"fold{number:02d}" / "eval" / "val"
        ids = [id_ for id_, *_ in FOLDS[number]] + [f"lost in fold{number:02d}"]
        nothing = Predictions([], [], [], CLASSES, np.empty((0, 3), dtype=np.float32))
        write_predictions(out / "predictions.csv", nothing)
        write_failures(out / "failures.jsonl", [Failure(id_, "x", "damaged") for id_ in ids])
        empty = {"sequences": 0, "clips": 0, "accuracy": None, "clip_accuracy": None}
        write_metrics(out / "metrics.json", {**empty, "failed": len(ids)})
    (row,) = pool_folds(run, Silent()).rows
    assert (row["sequences"], row["failed"], row["accuracy"]) == (0, 6, None)

import csv
import statistics

import numpy as np
import pytest

from attncli.config.evaluate import EvaluateCall
from attncli.config.linear_svm import LinearSvmConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.metrics import read_metrics
from attncli.files.predictions import read_answers
from attncli.reporting import Silent
from attncli.workflows.evaluate.directories import evaluate
from attncli.workflows.train.estimator import train
from tests.support.features import make_features

WAYS = {"resume": False, "overwrite": False, "dry_run": False, "reporter": Silent()}


@pytest.fixture
def features(tmp_path):
    return make_features(tmp_path / "f", sources=("I", "P"), n_train=30, n_val=15, noise=2.0)


def fitted(features, out, **settings):
    config = LinearSvmConfig(data=features, c=1.0, workers=0, **settings)
    train("linear-svm", config, out=out, **WAYS)
    return out


def ask(*runs, **settings):
    return evaluate(EvaluateCall(runs=runs, **settings), reporter=Silent()).rows


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_each_feature_has_a_row_a_table_of_answers_and_differences(features, tmp_path):
    run = fitted(features, tmp_path / "r")
    rows, out = ask(run), run / "eval" / "val"
    assert list(rows[0]) == [
        *("run", "method", "split", "layer", "pooling", "source", "dims", "images", "failed"),
        *("accuracy", "accuracy_std", "splits", "c"),
    ]
    for row in rows:
        made = read_answers(out / "predictions" / row["source"] / f"{row['layer']}.csv")
        assert len(made) == row["images"] == 15
        right = 100 * float((made["label"] == made["predicted"]).mean())
        assert row["accuracy"] == pytest.approx(right)
        assert (row["accuracy_std"], row["splits"], row["c"]) == (None, 1, 1.0)
    written = [float(row["accuracy"]) for row in rows_of(out / "results.csv")]
    assert written == [row["accuracy"] for row in rows]
    metrics = read_metrics(out / "metrics.json")
    assert (metrics["features"], metrics["scaling"], metrics["unconverged"]) == (6, "mean-norm", 0)
    assert metrics["c_grid"] == "0.01,0.1,1,10,100,1000"


def test_differences_are_within_random_divisions(features, tmp_path):
    run = fitted(features, tmp_path / "r", splits=4, train_per_class=5)
    out = run / "eval" / "val"
    found = {(row["layer"], row["source"]): [] for row in rows_of(out / "accuracies.csv")}
    for row in rows_of(out / "accuracies.csv"):
        found[row["layer"], row["source"]].append(float(row["accuracy"]))
    for row in ask(run):
        accuracies = found[row["layer"], row["source"]]
        assert row["accuracy"] == pytest.approx(statistics.fmean(accuracies))
        assert row["accuracy_std"] == pytest.approx(statistics.stdev(accuracies))
        assert (row["images"], row["splits"]) == (45 - 15, 4)
    lines = rows_of(out / "differences.csv")
    pairs = {tuple(list(line.values())[:4]) for line in lines}
    assert ("svd-fc", "I", "fc", "I") in pairs
    assert ("fc", "I+P", "fc", "P") in pairs
    assert len(pairs) == 3 + 4
    for line in lines:
        mine, other = (found[line[f"{of}layer"], line[f"{of}source"]] for of in ("", "other_"))
        apart = np.subtract(mine, other)
        assert float(line["mean"]) == pytest.approx(apart.mean())
        assert float(line["std"]) == pytest.approx(apart.std(ddof=1))
        assert (int(line["splits"]), int(line["wins"])) == (4, (apart > 0).sum())
        assert int(line["losses"]) == (apart < 0).sum()


def test_training_images_and_other_features_are_asked_about_too(features, tmp_path):
    run = fitted(features, tmp_path / "r")
    other = make_features(tmp_path / "g", sources=("I", "P"), n_val=9, seed=1)
    assert {row["images"] for row in ask(run, split="train")} == {30}
    rows = ask(run, data=other)
    assert {(row["images"], row["data"]) for row in rows} == {(9, str(other))}


def test_a_dry_run_says_what_would_be_asked(features, tmp_path):
    run = fitted(features, tmp_path / "r")
    (row,) = evaluate(EvaluateCall(runs=(run,)), dry_run=True, reporter=Silent()).rows
    assert (row["features"], row["images"]) == (6, 15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "test"}, "--split test: is about networks"),
        ({"frames": 3}, "--frames: is about networks"),
        ({"checkpoint": "best"}, "--checkpoint: is about networks"),
        ({"background_oracle": True}, "fitted to features: it has no network and no samples"),
    ],
)
def test_what_is_about_networks_is_refused(features, tmp_path, settings, message):
    run = fitted(features, tmp_path / "r", layers=("fc",))
    with pytest.raises(UsageError, match=message):
        ask(run, **settings)


def test_features_that_changed_or_lack_a_layer_are_refused(features, tmp_path):
    run = fitted(features, tmp_path / "r")
    less = make_features(tmp_path / "g", sources=("I",))
    with pytest.raises(AttncliError, match="has no fc of P"):
        ask(run, data=less)
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="holds other features than it was fitted to"):
        ask(run)


def test_random_divisions_are_of_the_runs_own_features(features, tmp_path):
    run = fitted(features, tmp_path / "r", splits=2, layers=("fc",))
    with pytest.raises(UsageError, match="--data: a run of random splits has its own"):
        ask(run, data=features)

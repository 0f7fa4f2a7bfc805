import csv
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from attncli import catalog, papers
from attncli.config.evaluate import EvaluateCall
from attncli.config.reid_metrics import XqdaConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import open_features
from attncli.files.metrics import read_metrics
from attncli.files.runs import Run, RunDirectory
from attncli.reporting import Silent
from attncli.workflows.evaluate import identities
from attncli.workflows.evaluate.directories import evaluate
from attncli.workflows.train.metric import train
from tests.support.features import make_features, make_people

FIGURES = ("rank1", "rank5", "rank10", "rank20", "map", "map_official")


@pytest.fixture
def features(tmp_path):
    return make_people(tmp_path / "f", n_people=12, sources=("I", "P"), noise=1.0)


def learnt(features, out, **settings):
    ways = {"resume": False, "overwrite": False, "dry_run": False, "reporter": Silent()}
    train("xqda", XqdaConfig(data=features, **settings), out=out, **ways)
    return out


def ask(*runs, **settings):
    return evaluate(EvaluateCall(runs=runs, **settings), reporter=Silent()).rows


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_features_as_they_are_are_ranked_by_cosines(features):
    rows, out = ask(features), features / "eval" / "val"
    assert list(rows[0]) == [
        *("run", "method", "split", "layer", "source", "dims", *FIGURES),
        *("queries", "queries_without_match", "failed", "splits"),
    ]
    directory = open_features(features)
    for row in rows:
        array = np.load(directory.array_path(row["source"], row["layer"])).astype(np.float64)
        array /= np.linalg.norm(array, axis=1)[:, None]
        lines = table(out / "rankings" / row["source"] / "fc.csv")
        firsts = [line for line in lines if line["rank"] == "1"]
        right = [line["right"] == "1" for line in firsts]
        assert row["rank1"] == pytest.approx(100 * np.mean(right))
        for line in firsts:
            query, found = (directory.ids.index(line[name]) for name in ("query", "id"))
            others = [
                n
                for n, role in enumerate(directory.roles)
                if role == "gallery"
                and (directory.subjects[n], directory.cameras[n])
                != (directory.subjects[query], directory.cameras[query])
            ]
            assert array[query] @ array[found] == pytest.approx(
                (array[others] @ array[query]).max()
            )
        assert (row["method"], row["queries"], row["splits"]) == ("features", 12, 1)
    assert [float(line["map"]) for line in table(out / "results.csv")] == [r["map"] for r in rows]
    curve = [one for one in table(out / "cmc.csv") if one["source"] == "P"]
    assert float(curve[4]["percent"]) == rows[1]["rank5"]
    metrics = read_metrics(out / "metrics.json")
    assert (metrics["features"], metrics["unmatched"]) == (2, "skip")


def test_random_divisions_have_a_mean_and_a_spread(features, tmp_path):
    run = learnt(features, tmp_path / "r", splits=3, sources=("I",))
    singles = []
    for number in (1, 2, 3):
        lines = (run / "splits.csv").read_text().splitlines()
        other = tmp_path / f"s{number}"
        learnt(features, other, splits=3, sources=("I",))
        keep = [lines[0], *(line for line in lines if line.startswith(f"{number},"))]
        (other / "splits.csv").write_text("\n".join(keep) + "\n")
        singles.append(ask(other)[0])
    (row,) = ask(run)
    for name in FIGURES:
        values = [single[name] for single in singles]
        assert row[name] == pytest.approx(statistics.fmean(values))
        assert row[f"{name}_std"] == pytest.approx(statistics.stdev(values))
    assert row["queries"] == sum(single["queries"] for single in singles)
    queries = {line["query"] for line in table(run / "eval" / "val" / "rankings" / "I" / "fc.csv")}
    assert len(queries) == singles[0]["queries"]
    assert ask(run, split="train")[0]["queries"] == 3 * 24


def test_training_people_are_looked_for_among_each_other(features, tmp_path):
    run = learnt(features, tmp_path / "r")
    (mine, _), (plain, _) = ask(run, split="train"), ask(features, split="train")
    assert mine["queries"] == plain["queries"] == 24
    assert mine["map"] > plain["map"]


def test_other_features_may_be_asked_about(features, tmp_path):
    run = learnt(features, tmp_path / "r")
    other = make_people(tmp_path / "g", sources=("I", "P"), cameras=("a", "b", "c"), seed=1)
    rows = ask(run, data=other)
    assert {(row["queries"], row["data"]) for row in rows} == {(12, str(other))}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"layers": ("q",), "sources": ("I", "P")}, r"g: has no layer fc, which .*r was fitted to"),
        ({"sources": ("I",)}, r"g: has no source P, which .*r was fitted to"),
    ],
)
def test_other_features_have_to_be_of_the_same_layers_and_sources(
    features, tmp_path, other, message
):
    run = learnt(features, tmp_path / "r")
    with pytest.raises(AttncliError, match=message):
        ask(run, data=make_people(tmp_path / "g", **other))


def test_a_run_that_pooled_maps_is_ranked_by_its_own_features(features, tmp_path, monkeypatch):
    run = tmp_path / "dpcf"
    run.mkdir()
    features.rename(run / "features")
    pooled = Run(RunDirectory(run), "c-dpcf", None, ())
    monkeypatch.setattr(identities, "load", lambda path: pooled)
    rows = identities.evaluate_identities(EvaluateCall(runs=(run,)), reporter=Silent()).rows
    assert {(row["run"], row["method"]) for row in rows} == {(str(run), "c-dpcf")}
    assert (run / "eval" / "val" / "cmc.csv").is_file()


def test_several_images_may_be_one_query(tmp_path):
    path = make_people(tmp_path / "f", per_camera=4, noise=1.0)
    index = (path / "index.csv").read_text().replace("_1,,val", "_1,,val#")
    lines = [
        line.replace("gallery", "query") if "#" in line else line for line in index.splitlines()
    ]
    (path / "index.csv").write_text("\n".join(lines).replace("#", "") + "\n")
    (single,), (several,) = ask(path), ask(path, multi_query=True)
    assert (single["queries"], several["queries"]) == (16, 8)
    assert several["map"] != single["map"]


def test_several_images_are_refused_before_anything_is_written(features):
    with pytest.raises(UsageError, match=r"^--multi-query: .* has only one image of each query"):
        ask(features, multi_query=True)
    assert not (features / "eval").exists()


def test_images_of_that_role_make_one_query(tmp_path):
    path = make_people(tmp_path / "f", per_camera=4, noise=1.0)
    lines = (path / "index.csv").read_text().splitlines()
    more = [line.replace("gallery", "multi-query") if "_1," in line else line for line in lines]
    (path / "index.csv").write_text("\n".join(more) + "\n")
    (single,), (several,) = ask(path), ask(path, multi_query=True)
    assert single["queries"] == several["queries"] == 8
    assert several["map"] != single["map"]
    firsts = table(path / "eval" / "val" / "rankings" / "I" / "fc.csv")
    assert {line["query"][-2:] for line in firsts} == {"_0"}


def test_queries_without_a_match_are_counted_and_may_count_for_0(features):
    lines = (features / "index.csv").read_text().splitlines()
    gone = [line.replace(",0012,2,gallery", ",,2,gallery") for line in lines]
    (features / "index.csv").write_text("\n".join(gone) + "\n")
    skip, zero = ask(features)[0], ask(features, unmatched="zero")[0]
    assert skip["queries_without_match"] == zero["queries_without_match"] == 1
    assert zero["map"] == pytest.approx(skip["map"] * 11 / 12)


def test_a_dry_run_says_what_would_be_ranked(features):
    call = EvaluateCall(runs=(features,))
    (row,) = evaluate(call, dry_run=True, reporter=Silent()).rows
    assert (row["features"], row["queries"], row["gallery"]) == (2, 12, 13)
    assert not (features / "eval").exists()


@dataclass(frozen=True)
class Bad:
    """A change of `index.csv`, and what is said of it."""

    old: str
    new: str
    message: str


@pytest.mark.parametrize(
    "bad",
    [
        Bad(",query", ",gallery", "holds no query"),
        Bad(",gallery", ",query", "holds no gallery image"),
        Bad(",2,", ",1,", "all images are of one camera, so that no query has a match"),
        Bad(",1,query", ",,query", "does not say which camera took 0007_c1_0"),
    ],
)
def test_features_of_no_search_are_refused(features, bad):
    index = features / "index.csv"
    index.write_text(index.read_text().replace(bad.old, bad.new))
    with pytest.raises(AttncliError, match=bad.message):
        ask(features)
    assert not (features / "eval" / "val").exists()


def test_features_of_no_people_and_other_features_are_refused(features, tmp_path):
    with pytest.raises(AttncliError, match="does not say which camera took each image"):
        ask(make_features(tmp_path / "g"))
    run = learnt(features, tmp_path / "r")
    longer = make_people(tmp_path / "h", sources=("I", "P"), dim=9)
    with pytest.raises(AttncliError, match="fc of I has 9 numbers an image, not 8"):
        ask(run, data=longer)
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="holds other features than it was fitted to"):
        ask(run)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "test"}, "--split test: is about networks"),
        ({"multi_query": True}, r"--multi-query: .* has only one image of each query"),
        ({"data": Path("x")}, "--data: .* has features of its own"),
    ],
)
def test_what_cannot_be_answered_is_refused(features, settings, message):
    with pytest.raises(UsageError, match=message):
        ask(features, **settings)


def test_random_divisions_are_of_the_runs_own_features(features, tmp_path):
    run = learnt(features, tmp_path / "r", splits=2)
    with pytest.raises(UsageError, match="--data: a run of random splits has its own"):
        ask(run, data=features)


def test_both_tasks_of_people_are_evaluated_here():
    for task in (papers.METRICS, papers.POOLED):
        assert catalog.load(task.evaluate) is identities.evaluate_identities

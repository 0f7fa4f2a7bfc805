import json
import statistics
from itertools import chain

import pytest

from attncli.workflows.demo import svd_fc
from attncli.workflows.demo.svd_fc import LAYERS, PRETRAINED, PUBLISHED, SvdFcDemo


def planned(demo: SvdFcDemo) -> list[list[str]]:
    return list(chain.from_iterable(demo.stages()))


def given(command: list[str], option: str) -> list[str]:
    places = [place for place, word in enumerate(command) if word == option]
    return [command[place + 1] for place in places]


def test_the_plan_is_the_papers_pipeline_in_order(run_cli, tmp_path):
    answer = run_cli("demo", "svd-fc", "-o", tmp_path / "d", "--dry-run", "--json")
    assert answer.exit_code == 0
    assert not (tmp_path / "d").exists()
    commands = [row["command"].split()[1:3] for row in json.loads(answer.stdout)]
    named = [" ".join(words) if words[0] == "train" else words[0] for words in commands]
    assert named == [
        *("toy-data", "toy-data", "toy-data", "train cam", "train cam"),
        *("svd-fc", "svd-fc", "svd-fc", *["train linear-svm"] * 3, "eval"),
        *["visualize"] * 6,
    ]


def test_pretrained_networks_need_no_training_and_no_images_of_sources(tmp_path):
    calls = planned(SvdFcDemo(out=tmp_path, offline_weights=True))
    assert not [call for call in calls if call[:2] == ["train", "cam"]]
    assert [call[2] for call in calls if call[0] == "toy-data"] == [str(tmp_path / "target")]
    extraction = next(call for call in calls if call[0] == "svd-fc")
    assert given(extraction, "--weights") == [f"{name}={net}" for name, net in PRETRAINED.items()]


def test_networks_see_other_images_than_the_task_and_more_of_them(tmp_path):
    data = [call for call in planned(SvdFcDemo(out=tmp_path)) if call[0] == "toy-data"]
    seeds = [given(call, "--seed") for call in data]
    assert len({tuple(seed) for seed in seeds}) == 3
    assert [given(call, "--size") for call in data] == [["144"], ["144"], ["36"]]


def test_the_control_stands_beside_svd_fc_in_every_table():
    for layers in LAYERS.values():
        assert ("svd-fc" in layers) == ("random-fc" in layers)
        assert ("svd-cam" in layers) == ("random-cam" in layers)


def test_published_figures_are_those_of_the_report():
    # Means over its six data sets, by hand from its tables 1 and 2.
    assert statistics.fmean(PUBLISHED["gap", "svd-fc"]["I+P"]) == pytest.approx(429.9 / 6)
    assert statistics.fmean(PUBLISHED["mpn-cbp", "svd-cam"]["I+P"]) == pytest.approx(442.9 / 6)
    for (pooling, layer), by_source in PUBLISHED.items():
        assert list(by_source) == ["I", "P", "I+P"]
        assert all(len(figures) == 6 for figures in by_source.values())
        assert layer in LAYERS[pooling]
    # SVD-FC is above FC in each of the 18 columns of table 1.
    fc, svd_fc = PUBLISHED["gap", "fc"], PUBLISHED["gap", "svd-fc"]
    assert all(s > f for name in fc for f, s in zip(fc[name], svd_fc[name], strict=True))


def test_a_line_of_the_table_is_a_mean_over_seeds_or_has_the_spread_over_splits(tmp_path):
    def row(accuracy: float, layer: str = "svd-fc") -> dict[str, object]:
        return {
            "run": "r",
            "layer": layer,
            "pooling": "gap",
            "source": "I",
            "splits": 5,
            "accuracy": accuracy,
            "accuracy_std": 1.5,
        }

    one, _ = SvdFcDemo(out=tmp_path).table([row(70.0), row(60.0, "fc")])
    assert (one["accuracy"], one["accuracy_std"], one["seeds"]) == (70.0, 1.5, 1)
    (two,) = SvdFcDemo(out=tmp_path, seeds=2).table([row(70.0), row(74.0)])
    assert (two["accuracy"], two["seeds"], two["splits"]) == (72.0, 2, 5)
    assert two["accuracy_std"] == pytest.approx(8**0.5)
    assert two["published_accuracy"] == pytest.approx(413.7 / 6)


TINY = (
    *("--backbone", "shufflenet_v2_x0_5", "--output-stride", "32", "--weights", "none"),
    *("--no-freeze-norms", "--freeze-stages", "0", "--crop-px", "64"),
    *("--resize", "none", "--dropout", "0", "--workers", "0", "--device", "cpu"),
)


def test_the_whole_pipeline_runs_and_ends_with_the_reports_tables(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr(svd_fc, "NETWORK", TINY)
    monkeypatch.setattr(svd_fc, "SPLITS", 2)
    monkeypatch.setattr(svd_fc, "SOURCE_TIMES", 1)
    layers = {"gap": ("conv5", "svd-fc", "random-fc"), "mpn-cbp": ("svd-cam", "svd-fc")}
    monkeypatch.setattr(svd_fc, "LAYERS", layers)
    monkeypatch.setattr(svd_fc, "STAGES", ("conv5", "svd-fc"))
    demo = SvdFcDemo(out=tmp_path, size=6, epochs=1)
    scores = []
    for command in planned(demo):
        is_told = command[0] in ("svd-fc", "eval") or command[1] == "linear-svm"
        in_process = ["--workers", "0"] if is_told else []
        answer = run_cli(*command, *in_process, "--json")
        assert answer.exit_code == 0, answer.stderr
        if demo.scores(command):
            scores += json.loads(answer.stdout)
    rows = demo.table(scores)
    found = {(row["pooling"], row["layer"], row["source"]): row for row in rows}
    assert set(found) == {
        (pooling, layer, source)
        for pooling, own in layers.items()
        for layer in own
        for source in ("I", "P", "I+P")
    }
    assert all(0 <= row["accuracy"] <= 100 and row["splits"] == 2 for row in rows)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        *("fig1.png", "fig2.png", "fig3.png", "singular_values.png", "table1.png", "table2.png"),
    ]

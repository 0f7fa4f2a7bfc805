import json
from itertools import chain

import pytest

from attncli.workflows.demo import re_id
from attncli.workflows.demo.re_id import FIGURES, POOLINGS, ReIdDemo


def planned(demo: ReIdDemo) -> list[list[str]]:
    return list(chain.from_iterable(demo.stages()))


def given(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_the_plan_is_the_reports_pipeline_in_order(run_cli, tmp_path):
    answer = run_cli("demo", "re-id", "-o", tmp_path / "d", "--dry-run", "--json")
    assert answer.exit_code == 0
    assert not (tmp_path / "d").exists()
    commands = [row["command"].split()[1:3] for row in json.loads(answer.stdout)]
    named = [" ".join(words) if words[0] == "train" else words[0] for words in commands]
    assert named == [
        *("toy-data", "toy-data", "train pcb", "train pcb", "svd-fc"),
        *["train c-dpcf"] * 4,
        *["train xqda"] * 4,
        *("eval", "visualize", "visualize", "visualize"),
    ]


def test_all_poolings_are_of_the_same_maps_and_fine_tuning_of_the_same_network(tmp_path):
    demo = ReIdDemo(out=tmp_path)
    calls = planned(demo)
    poolings = [call for call in calls if call[:2] == ["train", "c-dpcf"]]
    assert {given(call, "--data") for call in poolings} == {str(tmp_path / "feats" / "seed0")}
    assert [given(call, "--pooling") for call in poolings] == list(POOLINGS.values())
    (maps,) = (call for call in calls if call[0] == "svd-fc")
    _, tuning = (call for call in calls if call[:2] == ["train", "pcb"])
    assert given(maps, "--weights") == f"I={given(tuning, '--weights')}"


def test_the_network_knew_other_and_more_people(tmp_path):
    data = [call for call in planned(ReIdDemo(out=tmp_path)) if call[0] == "toy-data"]
    assert [(given(call, "--seed"), given(call, "--size")) for call in data] == [
        ("1", "180"),
        ("0", "60"),
    ]


TINY = (
    *("--backbone", "shufflenet_v2_x0_5", "--size-hw", "64,32", "--stripes", "2", "--width", "8"),
    *("--freeze-stages", "0", "--no-freeze-norms", "--workers", "0", "--device", "cpu"),
)


def test_the_whole_pipeline_runs_and_ends_with_a_row_a_system(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr(re_id, "NETWORK", TINY)
    monkeypatch.setattr(re_id, "SIZE_HW", "64,32")
    monkeypatch.setattr(re_id, "PRETRAINING_TIMES", 1)
    demo = ReIdDemo(out=tmp_path, size=8, pretraining_epochs=1, epochs=1)
    scores = []
    for command in planned(demo):
        told = ["--workers", "0"] if command[0] in ("svd-fc", "eval") else []
        answer = run_cli(*command, *told, "--json")
        assert answer.exit_code == 0, answer.stderr
        scores += json.loads(answer.stdout) if demo.scores(command) else []
    rows = {row["system"]: row for row in demo.table(scores)}
    assert list(rows) == ["gap", "stripes", "shared-maps", "c-dpcf", "fine-tuned"]
    for row in rows.values():
        assert all(0 <= row[figure] <= 100 for figure in FIGURES if figure != "train_sec")
    assert rows["fine-tuned"]["train_sec"] > 0
    assert {path.name for path in tmp_path.glob("*.png")} == {"cmc.png", "ranked.png", "maps.png"}


def test_a_row_is_a_mean_over_seeds(tmp_path):
    demo = ReIdDemo(out=tmp_path, seeds=2)
    scores = []
    for seed, rank1 in ((0, 40.0), (1, 44.0)):
        scores.append({"run": str(demo._pooled("gap", seed)), "train_sec": 1.0 + seed})
        scores.append({"run": str(demo.run("gap", seed)), "rank1": rank1, "map": None})
    row = demo._summary("gap", scores)
    assert (row["rank1"], row["train_sec"], row["map"]) == (42.0, 1.5, None)
    assert row["rank1_std"] == pytest.approx(8**0.5)

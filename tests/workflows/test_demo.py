import json

import pytest

from attncli.errors import AttncliError
from attncli.reporting import Silent
from attncli.workflows import demo as module
from attncli.workflows.demo import SYSTEMS, Demo, run_demo


def test_the_plan_is_the_papers_pipeline_in_order(run_cli, tmp_path):
    code, stdout, _ = run_cli("demo", "-o", tmp_path / "d", "--seeds", "2", "--dry-run", "--json")
    commands = [row["command"] for row in json.loads(stdout)]
    names = [command.split()[1] for command in commands]
    assert code == 0
    assert not (tmp_path / "d").exists()
    assert names[:4] == ["toy-data", "toy-data", "train", "segment"]
    assert names[4:] == [*["train"] * 6, "eval", "entropy", "visualize"]


def test_all_systems_are_trained_alike_but_for_the_masks(tmp_path):
    runs = [
        command
        for stage in Demo(out=tmp_path, seeds=2).stages()
        for command in stage
        if command[0] == "train" and "--seed" in command
    ]
    masks = ["--masks", str(tmp_path / "masks")]
    options = {
        tuple(word for word in run[2 : run.index("-o")] if word not in masks) for run in runs
    }
    assert [run[1] for run in runs] == [*SYSTEMS, *SYSTEMS]
    assert len(options) == 2  # one a seed
    assert [run[1] for run in runs if "--masks" in run] == ["object-abn"] * 2


def test_a_row_is_the_mean_and_spread_over_seeds_beside_the_paper(tmp_path):
    demo = Demo(out=tmp_path, seeds=2)
    scores = [
        {"run": str(demo.run("abn", 0)), "top1": 90.0, "entropy": 3.0},
        {"run": str(demo.run("abn", 1)), "top1": 94.0, "entropy": 2.0},
        {"run": str(demo.run("x3d", 0)), "top1": 10.0, "entropy": None},
    ]
    row = module._summary(demo, "abn", scores)
    assert (row["top1"], row["entropy"]) == (92.0, 2.5)
    assert row["top1_std"] == pytest.approx(8**0.5)  # ((90-92)^2 + (94-92)^2) / (2-1)
    assert row["published_entropy"] == 3.064
    assert module._summary(demo, "x3d", scores)["entropy"] is None


def test_a_command_that_fails_stops_the_demo_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Demo, "stages", lambda _: [[["toy-data", "ucf101", "/dev/null/x"]]])
    with pytest.raises(AttncliError, match="toy-data ucf101 /dev/null/x` ended with exit code 1"):
        run_demo(Demo(out=tmp_path / "d"), overwrite=False, dry_run=False, reporter=Silent())
    assert "error" in next((tmp_path / "d" / "logs").iterdir()).read_text()


@pytest.mark.slow
def test_the_whole_pipeline_runs_and_ends_with_the_papers_table(run_cli, tmp_path):
    sizes = ("--size", "3", "--pretraining-epochs", "1", "--epochs", "1")
    code, stdout, stderr = run_cli("demo", "-o", tmp_path / "d", *sizes, "--json")
    assert code == 0, stderr
    rows = {row["system"]: row for row in json.loads(stdout)}
    assert list(rows) == list(SYSTEMS)
    assert {"top1", "top5", "entropy", "mask_iou"} <= rows["abn"].keys()
    assert rows["x3d"]["entropy"] is None
    assert 0 <= rows["object-abn"]["entropy"] <= 3.33
    assert (tmp_path / "d" / "fig2.png").exists()
    assert stderr.count("$ attncli") == 10

import json

import pytest

from attncli.workflows.demo.object_abn import ObjectAbnDemo

TINY = (
    *("--width-factor", "0.5", "--depth-factor", "0.3", "--frames", "4", "--frame-stride", "4"),
    *("--crop-px", "64", "--short-side-min-px", "64", "--short-side-max-px", "64"),
    *("--short-side-val-px", "64", "--workers", "0", "--device", "cpu"),
)


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
        for stage in ObjectAbnDemo(out=tmp_path, seeds=2).stages()
        for command in stage
        if command[0] == "train" and "--seed" in command
    ]
    masks = ["--masks", str(tmp_path / "masks")]
    options = {
        tuple(word for word in run[2 : run.index("-o")] if word not in masks) for run in runs
    }
    assert [run[1] for run in runs] == ["x3d", "abn", "object-abn"] * 2
    assert len(options) == 2  # one a seed
    assert [run[1] for run in runs if "--masks" in run] == ["object-abn"] * 2


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_the_whole_pipeline_runs_and_ends_with_the_papers_table(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("attncli.workflows.demo.object_abn.SMALL_X3D", TINY)
    sizes = ("--size", "3", "--pretraining-epochs", "1", "--epochs", "1")
    code, stdout, stderr = run_cli("demo", "-o", tmp_path / "d", *sizes, "--json")
    assert code == 0, stderr
    rows = {row["system"]: row for row in json.loads(stdout)}
    assert list(rows) == ["x3d", "abn", "object-abn"]
    assert {"top1", "top5", "entropy", "mask_iou"} <= rows["abn"].keys()
    assert rows["x3d"]["entropy"] is None
    assert 0 <= rows["object-abn"]["entropy"] <= 3.33
    assert (tmp_path / "d" / "fig2.png").exists()
    assert stderr.count("$ attncli") == 10

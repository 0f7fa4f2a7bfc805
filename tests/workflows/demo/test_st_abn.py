import json
from itertools import chain

import pytest

from attncli.workflows.demo.st_abn import StAbnDemo

TINY = (
    *("--depth", "18", "--width-factor", "0.125", "--frames", "8", "--crop", "short-side"),
    *("--crop-px", "32", "--short-side-min-px", "32", "--short-side-max-px", "36"),
    *("--short-side-val-px", "32", "--flip", "swap-labels", "--workers", "0", "--device", "cpu"),
)


def planned(demo: StAbnDemo) -> list[list[str]]:
    return list(chain.from_iterable(demo.stages()))


def options(command: list[str]) -> list[str]:
    """What a training is told besides where to write."""
    return command[2 : command.index("-o")]


def test_the_plan_is_the_papers_pipeline_in_order(run_cli, tmp_path):
    code, stdout, _ = run_cli("demo", "st-abn", "-o", tmp_path / "d", "--dry-run", "--json")
    commands = [row["command"].split()[1:3] for row in json.loads(stdout)]
    assert code == 0
    assert not (tmp_path / "d").exists()
    assert commands[2:] == [
        *(["train", "resnet3d"], ["train", "resnet3d"], ["train", "st-abn"]),
        *(["edit-temporal", "select"], ["edit-temporal", "oracle"]),
        *(["train", "st-abn"], ["train", "st-abn"]),
        *commands[9:],
    ]
    assert [command[0] for command in commands[9:]] == [
        *("eval", "invert-spatial", "edit-temporal", "visualize")
    ]


def test_baseline_and_st_abn_are_trained_alike(tmp_path):
    demo = StAbnDemo(out=tmp_path, seeds=2)
    first = [c for c in planned(demo) if c[0] == "train" and "--weights" in c and "--seed" in c]
    resnets, st_abns = (
        [options(c) for c in first if c[1] == method and "--init" not in c]
        for method in ("resnet3d", "st-abn")
    )
    assert resnets == st_abns
    assert len(resnets) == 2


def test_tuning_with_and_without_edits_differs_in_the_loss_of_edits_alone(tmp_path):
    without, with_edits = (c for c in planned(StAbnDemo(out=tmp_path)) if "--init" in c)
    weight = without.index("--gamma-t")
    assert without[weight + 1] == "0"
    assert options(without[:weight] + without[weight + 2 :]) == options(with_edits)


def test_pretraining_sees_other_videos_in_which_less_misleads(tmp_path):
    data, (pretraining,), *_ = StAbnDemo(out=tmp_path).stages()
    seeds = {command[2]: command[command.index("--seed") + 1] for command in data}
    assert seeds == {str(tmp_path / "pretraining"): "1", str(tmp_path / "ssv2"): "0"}
    assert [command[-2:] == ["--others", "4"] for command in data] == [False, True]
    assert pretraining[pretraining.index("--data") + 1] == str(tmp_path / "pretraining")


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_the_whole_pipeline_runs_and_ends_with_the_papers_tables(run_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("attncli.workflows.demo.st_abn.SMALL_RESNET3D", TINY)
    sizes = ("--size", "3", "--pretraining-epochs", "1", "--epochs", "1", "--tuning-epochs", "1")
    code, stdout, stderr = run_cli("demo", "st-abn", "-o", tmp_path / "d", *sizes, "--json")
    assert code == 0, stderr
    rows = {row["system"]: row for row in json.loads(stdout)}
    assert list(rows) == ["resnet3d", "st-abn", "st-abn+epochs", "st-abn+edits"]
    figures = {"top1", "top5", "top1_edited_classes", "top1_other_classes"}
    for row in rows.values():
        assert all(0 <= row[figure] <= 100 for figure in figures)
    assert rows["resnet3d"]["top1_inverted"] is None
    tuned = rows["st-abn+edits"]
    assert all(0 <= tuned[figure] <= 100 for figure in ("top1_inverted", "top5_inverted"))
    assert all(0 <= tuned[figure] <= 1 for figure in ("inside", "outside"))
    assert (tuned["published_top1"], tuned["published_top1_inverted"]) == (60.65, 20.09)
    assert (tmp_path / "d" / "fig5.png").exists()

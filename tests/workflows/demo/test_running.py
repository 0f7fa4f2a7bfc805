from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.reporting import Silent
from attncli.workflows.demo.object_abn import ObjectAbnDemo
from attncli.workflows.demo.running import run_demo, summary


def test_a_row_is_the_mean_and_spread_over_seeds_beside_the_paper(tmp_path):
    demo = ObjectAbnDemo(out=tmp_path, seeds=2)
    scores = [
        {"run": str(demo.run("abn", 0)), "top1": 90.0},
        {"run": str(demo.run("abn", 1)), "top1": 94.0},
        {"run": str(demo.run("abn", 0)), "entropy": 3.0},
        {"run": str(demo.run("abn", 1)), "entropy": 2.0},
        {"run": str(demo.run("x3d", 0)), "top1": 10.0, "entropy": None},
    ]
    row = summary(demo, "abn", scores)
    assert (row["top1"], row["entropy"]) == (92.0, 2.5)
    assert row["top1_std"] == pytest.approx(8**0.5)  # ((90-92)^2 + (94-92)^2) / (2-1)
    assert row["published_entropy"] == 3.064
    assert "published_mask_iou" not in row  # the paper has none
    without = summary(demo, "x3d", scores)
    assert (without["entropy"], without["published_top1"]) == (None, None)


def test_a_command_that_fails_stops_the_demo_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(
        ObjectAbnDemo, "stages", lambda _: [[["toy-data", "ucf101", "/dev/null/x"]]]
    )
    demo = ObjectAbnDemo(out=tmp_path / "d")
    with pytest.raises(AttncliError, match="toy-data ucf101 /dev/null/x` ended with exit code 1"):
        run_demo(demo, overwrite=False, dry_run=False, reporter=Silent())
    assert "error" in next((tmp_path / "d" / "logs").iterdir()).read_text()


def test_a_demo_that_goes_on_makes_no_data_anew(tmp_path):
    (tmp_path / "there").mkdir()
    for resume, calls in ((True, 0), (False, 1)):
        demo = ObjectAbnDemo(out=tmp_path, resume=resume)
        assert len(demo.toy_data("ucf101", tmp_path / "there", 0)) == calls
        assert len(demo.toy_data("ucf101", Path("/nowhere"), 0)) == 1


def test_options_of_one_paper_are_wrong_usage_for_another(run_cli, tmp_path):
    answer = run_cli("demo", "object-abn", "-o", tmp_path / "d", "--tuning-epochs", "1")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--tuning-epochs: does not apply to object-abn" in answer.stderr

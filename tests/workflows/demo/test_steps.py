import json
import subprocess

import pytest

from attncli.errors import AttncliError
from attncli.workflows.demo.steps import Step, output_of


@pytest.fixture
def step(tmp_path):
    return Step(["train", "x3d", "-o", str(tmp_path / "run")], tmp_path / "1-1-train.txt")


def ended(code):
    process = subprocess.Popen(["sh", "-c", f"exit {code}"])
    process.wait()
    return process


def finish(step, rows):
    step.log.with_suffix(".part").write_text(json.dumps(rows))
    (step.log.parent / "run").mkdir(exist_ok=True)
    return step.finish(ended(0))


def test_what_a_step_answered_is_kept_with_its_command(step, tmp_path):
    assert step.earlier_rows() is None
    assert finish(step, [{"top1": 1.0}]) == [{"top1": 1.0}]
    assert step.earlier_rows() == [{"top1": 1.0}]
    assert not step.log.with_suffix(".part").exists()


def test_that_it_goes_on_makes_it_no_other_step(step):
    finish(step, [])
    assert Step([*step.command, "--resume"], step.log).earlier_rows() == []


def test_another_command_or_a_missing_output_is_to_be_run(step, tmp_path):
    finish(step, [])
    assert Step([*step.command, "--epochs", "2"], step.log).earlier_rows() is None
    (tmp_path / "run").rmdir()
    assert step.earlier_rows() is None


def test_toy_data_are_whole_where_they_are_at_all(tmp_path):
    step = Step(["toy-data", "ckplus", str(tmp_path / "toy")], tmp_path / "1-1-toy-data.txt")
    assert step.earlier_rows() is None
    (tmp_path / "toy").mkdir()
    assert step.earlier_rows() == []


def test_a_step_that_failed_is_named_and_not_kept(step):
    step.log.with_suffix(".part").write_text("")
    with pytest.raises(AttncliError, match=r"attncli train x3d .*` ended with exit code 3"):
        step.finish(ended(3))
    assert step.earlier_rows() is None


def test_a_damaged_record_is_named(step, tmp_path):
    finish(step, [])
    step.log.with_suffix(".json").write_text("{")
    with pytest.raises(AttncliError, match=r"1-1-train\.json"):
        step.earlier_rows()


def test_scores_have_no_output_of_their_own():
    assert output_of(["eval", "runs/x3d"]) is None

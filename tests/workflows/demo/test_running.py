import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attncli.errors import AttncliError
from attncli.machine import usable_cores
from attncli.reporting import Silent
from attncli.workflows.demo.object_abn import ObjectAbnDemo
from attncli.workflows.demo.running import Demo, run_demo, summary
from tests.support.reporters import Told


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
    assert "error" in next((tmp_path / "d" / "logs").glob("*.txt")).read_text()


@dataclass(frozen=True)
class Faces(Demo):
    """A demo of toy data alone, whose table counts what was written."""

    seeds: int = 1
    size: int = 3
    epochs: int = 1

    systems = ("a", "b")
    figures = ("sequences",)

    def stages(self):
        made = [self.toy_data("ckplus", self.out / name, 0, "--frames", "6") for name in "ab"]
        return [[call] for call in made]

    def scores(self, command):
        return True

    def table(self, scores):
        return [{"system": Path(str(row["data"])).name, "n": len(scores)} for row in scores]


@pytest.fixture
def told():
    return Told()


def commands(told):
    return [line for line in told.notes if line.startswith("$ ")]


def test_it_ends_with_its_table_in_files_and_says_where(tmp_path, in_this_process, told):
    outcome = run_demo(Faces(out=tmp_path / "d"), overwrite=False, dry_run=False, reporter=told)
    assert outcome.rows == [{"system": "a", "n": 2}, {"system": "b", "n": 2}]
    assert json.loads((tmp_path / "d" / "table.json").read_text()) == outcome.rows
    assert (tmp_path / "d" / "table.csv").read_text() == "system,n\na,2\nb,2\n"
    assert told.notes[-1] == f"table: {tmp_path}/d/table.csv; no figure"


def test_a_complete_demo_that_goes_on_runs_nothing_and_keeps_its_logs(
    tmp_path, in_this_process, told
):
    demo = Faces(out=tmp_path / "d")
    first = run_demo(demo, overwrite=False, dry_run=False, reporter=told)
    logs = {path: path.read_bytes() for path in (tmp_path / "d" / "logs").iterdir()}
    ran = commands(told)
    again = run_demo(replace(demo, resume=True), overwrite=False, dry_run=False, reporter=told)
    assert len(ran) == 2
    assert commands(told) == ran
    assert again.rows == first.rows
    assert {path: path.read_bytes() for path in (tmp_path / "d" / "logs").iterdir()} == logs


def test_after_something_that_is_missing_all_is_made_anew(tmp_path, in_this_process, told):
    demo = Faces(out=tmp_path / "d")
    run_demo(demo, overwrite=False, dry_run=False, reporter=told)
    for name in "ab":
        shutil.rmtree(tmp_path / "d" / name)
    left = run_demo(replace(demo, resume=True), overwrite=False, dry_run=True, reporter=told)
    assert len(left.rows) == 2
    run_demo(replace(demo, resume=True), overwrite=False, dry_run=False, reporter=told)
    assert len(commands(told)) == 4


def test_a_plan_is_refused_where_the_demo_would_be(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.txt").touch()
    with pytest.raises(AttncliError, match="exists already"):
        run_demo(Faces(out=tmp_path / "d"), overwrite=False, dry_run=True, reporter=Silent())


def test_options_of_one_paper_are_wrong_usage_for_another(run_cli, tmp_path):
    answer = run_cli("demo", "object-abn", "-o", tmp_path / "d", "--tuning-epochs", "1")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "--tuning-epochs: does not apply to object-abn" in answer.stderr


ENDLESS = """
import sys
from attncli.__main__ import main
from attncli.workflows.demo.ram import RamDemo

def stages(demo):
    places = [str(demo.out / f"toy{number}") for number in range(100)]
    return [[["toy-data", "ckplus", place, "--size", "100000"] for place in places]]

RamDemo.stages = stages
main()
"""
"""A demo of many commands without an end."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_what_it_runs_and_starts_nothing_more(
    tmp_path, trainings, wait_until, number
):
    out = tmp_path / "demo"
    call = [sys.executable, "-c", ENDLESS, "demo", "ram", "-o", str(out)]
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: len(trainings(out)) > 1 or process.poll() is not None)
            process.send_signal(number)
            _, messages = process.communicate(timeout=900)
            assert process.returncode == 130, messages
            assert "--resume" in messages
            assert trainings(out) == []
            assert len(list(out.glob("logs/*.txt"))) <= usable_cores()
        finally:
            for left in trainings(out):
                os.kill(left, signal.SIGKILL)


def test_a_command_that_fails_stops_those_beside_it(tmp_path, monkeypatch, trainings):
    data = str(tmp_path / "toy")
    endless = ["toy-data", "ckplus", data, "--size", "100000"]
    monkeypatch.setattr("attncli.workflows.demo.running.usable_cores", lambda: 2)
    monkeypatch.setattr(
        ObjectAbnDemo, "stages", lambda _: [[endless, ["toy-data", "ucf101", "/dev/null/x"]]]
    )
    with pytest.raises(AttncliError, match="/dev/null/x` ended with exit code 1"):
        run_demo(
            ObjectAbnDemo(out=tmp_path / "d"), overwrite=False, dry_run=False, reporter=Silent()
        )
    assert trainings(Path(data)) == []

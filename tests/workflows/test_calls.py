import subprocess
import sys

import pytest
import torch

from attncli.reporting import Silent
from attncli.workflows import calls
from attncli.workflows.calls import gpus, run_beside, start_attncli

SLEEP = "import time; time.sleep(600)"
A_WHILE = "import time; time.sleep(2)"  # far longer than the others


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch):
    monkeypatch.setattr(calls, "POLL_SEC", 0.01)


def python(code):
    return subprocess.Popen([sys.executable, "-S", "-c", code])


def beside(jobs, places, finish=lambda job, process: None):
    """Run jobs, each a piece of Python; return them as they were started, with their places."""
    started = []

    def start(job, place):
        started.append((job, place, python(job)))
        return started[-1][2]

    try:
        run_beside(
            jobs, places, start=start, finish=finish, label="jobs", unit="jobs", reporter=Silent()
        )
    finally:
        beside.started = started
    return started


def test_jobs_are_begun_in_their_order_each_in_a_place_of_its_own():
    started = beside(["1", "2", "3"], ["left", "right"])
    assert [job for job, _, _ in started] == ["1", "2", "3"]
    assert {place for _, place, _ in started[:2]} == {"left", "right"}
    assert all(process.returncode == 0 for _, _, process in started)


def test_the_next_job_takes_the_place_that_is_free():
    ended = []
    started = beside(
        [A_WHILE, "", "0"],
        ["slow", "fast"],
        lambda job, process: ended.append(job),
    )
    assert [place for _, place, _ in started] == ["slow", "fast", "fast"]
    assert sorted(ended) == sorted(job for job, _, _ in started)


def test_an_error_of_one_stops_the_others_and_begins_no_more():
    def finish(job, process):
        raise ValueError(process.returncode)

    with pytest.raises(ValueError, match="3"):
        beside([SLEEP, "raise SystemExit(3)", "never"], [1, 2], finish)
    assert [job for job, _, _ in beside.started] == [SLEEP, "raise SystemExit(3)"]
    assert all(process.returncode is not None for _, _, process in beside.started)


def test_a_job_that_was_interrupted_interrupts_the_whole():
    with pytest.raises(KeyboardInterrupt):
        beside([SLEEP, "raise SystemExit(130)"], [1, 2])
    assert all(process.returncode is not None for _, _, process in beside.started)


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Start a call whose command is a piece of Python, and return what it said and answered."""

    def call(code, **options):
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{code}\n")
        script.chmod(0o755)
        messages = tmp_path / "messages.txt"
        assert start_attncli(["doctor"], messages=messages, **options).wait() == 0
        return messages.read_text()

    return call


def test_a_call_is_of_this_python_and_gets_its_share_of_the_cores(told, monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    answer = tmp_path / "answer.json"
    said = told('echo "$@" "$OMP_NUM_THREADS" >&2; echo 7', threads=3, answer=answer)
    assert said == "-m attncli doctor 3\n"
    assert answer.read_text() == "7\n"


def test_threads_that_the_user_asked_for_stay(told, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert told('echo "$OMP_NUM_THREADS" >&2', threads=3) == "5\n"


def test_messages_are_added_to_those_before_and_an_answer_nobody_wants_is_dropped(told, tmp_path):
    (tmp_path / "messages.txt").write_text("before\n")
    assert told("echo now >&2; echo answer", threads=1) == "before\nnow\n"


def test_a_call_hears_no_settings_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTNCLI_EPOCHS", "x")  # which any command would refuse
    words = ["train", "x3d", "--data", "d", "--print-config"]
    answer = tmp_path / "answer.toml"
    process = start_attncli(words, messages=tmp_path / "log.txt", threads=1, answer=answer)
    assert process.wait() == 0, (tmp_path / "log.txt").read_text()
    assert "epochs = 50" in answer.read_text()


def test_calls_are_spread_over_gpus_where_none_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert gpus("auto") == gpus("cuda") == ["cuda:0", "cuda:1"]
    assert gpus("cpu") == gpus("cuda:1") == []

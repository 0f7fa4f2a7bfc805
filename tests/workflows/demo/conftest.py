"""The commands of a demo, run without a start of Python for each."""

import subprocess
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from attncli.cli import run

SMALL = {"ucf101": "16", "ssv2": "16", "ckplus": "6"}
"""Frames of toy videos, by their layout."""


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs what a demo calls here, one after the other: its processes have tests of their own.

    Toy videos are short and small.
    """

    def start(
        arguments: Sequence[str], *, messages: Path, threads: int, answer: Path
    ) -> subprocess.Popen[bytes]:
        with (
            messages.open("a") as told,
            answer.open("w") as answered,
            redirect_stderr(told),
            redirect_stdout(answered),
        ):
            code = run([*arguments, *small(*arguments[:2])])
        return subprocess.Popen(["sh", "-c", f"exit {int(code)}"])  # ends as the command did

    monkeypatch.setattr("attncli.workflows.demo.steps.start_attncli", start)
    monkeypatch.setattr("attncli.workflows.calls.POLL_SEC", 0.001)


def small(command: str, layout: str) -> list[str]:
    """Return the options that make toy videos small."""
    is_video = command == "toy-data" and layout in SMALL
    return ["--frames", SMALL[layout], "--frame-hw", "64,80"] if is_video else []

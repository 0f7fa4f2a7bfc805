"""What every test starts from: a plain terminal, no display, and the command line in-process."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import hypothesis
import pytest

# A busy machine is no failure.
hypothesis.settings.register_profile("without a deadline", deadline=None)
hypothesis.settings.load_profile("without a deadline")

# Before typer and torch are imported: they look at the environment once.
os.environ |= {"TERM": "dumb", "COLUMNS": "200", "MPLBACKEND": "Agg"}
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers share the cores already
for variable in ("RANK", "FORCE_COLOR", "_ATTNCLI_COMPLETE"):
    os.environ.pop(variable, None)


class Answer(NamedTuple):
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Return a function that runs `attncli` with the given words in this process."""
    from attncli.cli import run

    def run_words(*words: object, stdin: str = "") -> Answer:
        stdout, stderr = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with redirect_stdout(stdout), redirect_stderr(stderr):
            exit_code = run([str(word) for word in words])
        return Answer(int(exit_code), stdout.getvalue(), stderr.getvalue())

    return run_words

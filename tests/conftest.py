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

MOST_WORKERS = 8
"""Each takes a gigabyte of memory, and the seconds to import torch."""
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this process runs a share of the tests for another one."""

# Before typer and torch are imported: they look at the environment once.
os.environ |= {"TERM": "dumb", "COLUMNS": "200", "MPLBACKEND": "Agg"}
if IS_WORKER:
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers share the cores already
for variable in ("RANK", "FORCE_COLOR", "_ATTNCLI_COMPLETE"):
    os.environ.pop(variable, None)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share all tests among the cores, unless some are named or `-n` says otherwise."""
    is_all = config.args_source != pytest.Config.ArgsSource.ARGS
    can_share = getattr(config.option, "dist", None) == "no" and not config.option.usepdb
    if can_share and is_all and config.option.numprocesses is None and not IS_WORKER:
        config.option.numprocesses = "logical"
        config.option.maxprocesses = config.option.maxprocesses or MOST_WORKERS
    if can_share and config.option.numprocesses:
        # What trains for a whole file is set up by one worker, as those beside it stay together.
        config.option.dist = "worksteal"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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

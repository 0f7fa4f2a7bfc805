"""Trainings in processes of their own, which cost no import of torch each."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

HOUR_SEC = 3600


class Launcher:
    """Runs `attncli` in forks of a process that has imported everything.

    Args:
        process: The launcher.
        answers: Directory for what they write to their standard outputs.
    """

    def __init__(self, process: subprocess.Popen[str], answers: Path) -> None:
        self._process = process
        self._answers = answers
        self._numbers = count()

    def __call__(self, *words: object, seconds: float = HOUR_SEC) -> int:
        """Run `attncli WORDS`, killed after so many seconds, and return its exit code."""
        ((code, _),) = self._run(words, [{}], seconds)
        return code

    def together(self, *words: object, processes: int = 2) -> list[tuple[int, str]]:
        """Run `attncli WORDS` as `torchrun` does; return each one's exit code and its answer."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
        ranks = [{**world, "RANK": str(rank)} for rank in range(processes)]
        return self._run(words, ranks, HOUR_SEC)

    def _run(
        self, words: tuple[object, ...], environments: list[dict[str, str]], seconds: float
    ) -> list[tuple[int, str]]:
        calls = [
            {
                "words": [str(word) for word in words],
                "environment": environment,
                "answer": str(self._answers / str(next(self._numbers))),
            }
            for environment in environments
        ]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"calls": calls, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        codes = json.loads(self._process.stdout.readline())
        return [
            (code, Path(call["answer"]).read_text())
            for code, call in zip(codes, calls, strict=True)
        ]


@pytest.fixture(scope="session")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """What runs `attncli` in processes of their own."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("launcher.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        yield Launcher(process, tmp_path_factory.mktemp("answers"))

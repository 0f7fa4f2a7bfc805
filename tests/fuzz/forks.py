"""Runs the command line in forks of one process that has imported everything already.

Importing torch takes longer than most cases do. A fork has it for nothing, as long as no thread
was started before: libraries are told to use one thread, and `warm` makes sure that it worked.
"""

import faulthandler
import importlib
import os
import pkgutil
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Variables by which libraries are told to start no threads."""
os.environ |= dict.fromkeys(SINGLE, "1")  # before numpy or torch is imported, which look once

LEARN = "ATTNCLI_TESTS_LEARN"
"""Variable that names a file for the modules that a fork imported."""
LARGEST_BYTES = 8 << 30
"""Address space of a fork: a header that asks for more must not take the machine down."""


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    """Exit code; the negative number of the signal that ended it."""
    stdout: str
    stderr: str
    seconds: float
    is_late: bool
    """Whether it had to be killed, since it did not end in time."""


def warm() -> None:
    """Import all of attncli and what it imports only when it is used."""
    os.environ |= {"TERM": "dumb", "COLUMNS": "200", "MPLBACKEND": "Agg"}
    for name in ("RANK", "FORCE_COLOR", "_ATTNCLI_COMPLETE"):
        os.environ.pop(name, None)
    import attncli

    for module in pkgutil.walk_packages(attncli.__path__, "attncli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("matplotlib.pyplot", "pandas", "PIL.Image", "safetensors.torch", "torchvision"):
        importlib.import_module(name)
    importlib.import_module("PIL.Image").init()
    _require_one_thread()


def _require_one_thread() -> None:
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"{threads} threads run, so that forks could hang")


class Fork:
    """A command that runs in a process group of its own."""

    def __init__(self, words: Sequence[object], folder: Path, limit_sec: float = 60) -> None:
        """Begin `attncli WORDS` in `folder`; what it writes to its streams is kept."""
        self._limit_sec = limit_sec
        self._streams = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115
        self._begun = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _become([str(word) for word in words], folder, self._streams, limit_sec)
        with suppress(OSError):  # the fork does the same; whoever comes first
            os.setpgid(self.pid, self.pid)
        self._ended = os.pidfd_open(self.pid)

    def runs(self, seconds: float = 0) -> bool:
        """Return whether it still runs after waiting so long."""
        return not select.select([self._ended], [], [], max(seconds, 0))[0]

    def kill(self, *, alone: bool = False) -> None:
        """Kill it and every process it started, or it alone."""
        with suppress(ProcessLookupError):
            (os.kill if alone else os.killpg)(self.pid, signal.SIGKILL)

    def wait(self, *, others_live: bool = False) -> Answer:
        """Return how it ended; it is killed where that takes longer than it may.

        Args:
            others_live: Leave processes that it started running.
        """
        is_late = self.runs(self._limit_sec + 2 - (time.monotonic() - self._begun))
        self.kill(alone=others_live)
        _, status = os.waitpid(self.pid, 0)
        os.close(self._ended)
        stdout, stderr = (_text(stream) for stream in self._streams)
        seconds = time.monotonic() - self._begun
        return Answer(os.waitstatus_to_exitcode(status), stdout, stderr, seconds, is_late)


def run(words: Sequence[object], folder: Path, limit_sec: float = 60) -> Answer:
    """Run `attncli WORDS` in `folder` and return how it ended."""
    return Fork(words, folder, limit_sec).wait()


def run_and_learn(words: Sequence[object], folder: Path) -> Answer:
    """Run `attncli WORDS`, then import what only now turned out to be imported late.

    Libraries import parts of themselves when they are first used: a third of a second that every
    later fork would spend anew.
    """
    with tempfile.NamedTemporaryFile("r") as names:
        os.environ[LEARN] = names.name
        answer = run(words, folder)
        del os.environ[LEARN]
        for name in names.read().split():
            with suppress(Exception):  # such as parts that can be imported from within alone
                importlib.import_module(name)
    _require_one_thread()
    return answer


def _become(words: list[str], folder: Path, streams: Sequence[IO[bytes]], limit_sec: float) -> None:
    """Turn this fork into the command; never returns."""
    code = 70
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream.fileno(), number)
        faulthandler.enable()
        faulthandler.dump_traceback_later(limit_sec)  # says where it hangs
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BYTES, LARGEST_BYTES))
        os.chdir(folder)
        import torch

        from attncli.cli import run

        torch.set_num_threads(1)
        known = set(sys.modules)
        code = int(run(words))
        if LEARN in os.environ:
            new = [name for name in sys.modules if name not in known]
            Path(os.environ[LEARN]).write_text("\n".join(new))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    text = stream.read().decode("utf-8", "backslashreplace")
    stream.close()
    return text

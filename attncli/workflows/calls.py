"""Calls of `attncli` that run side by side, each in a process of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import torch

from attncli.config.environment import without_settings
from attncli.errors import ExitCode
from attncli.reporting import Reporter
from attncli.training.interruption import Interruption

Job = TypeVar("Job")
Place = TypeVar("Place")
Process = subprocess.Popen[bytes]

POLL_SEC = 0.2
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def run_beside(
    jobs: Collection[Job],
    places: Iterable[Place],
    *,
    start: Callable[[Job, Place], Process],
    finish: Callable[[Job, Process], None],
    label: str,
    unit: str,
    reporter: Reporter,
) -> None:
    """Run all jobs in their order, at most one in each place at a time.

    Args:
        jobs: What there is to do, no two alike.
        places: Where, such as GPUs; a place may come several times.
        start: Starts a job in a place that is free.
        finish: Told of each job that ended by itself, and may raise an error.
        label: What is done, for the progress.
        unit: What jobs are called there.
        reporter: Told how many are done.

    Raises:
        KeyboardInterrupt: The user or the system asked us, or a job, to stop. As after an error of
            `finish`, what still ran was told to stop, and has ended.
    """
    waiting, free = deque(jobs), deque(places)
    running: dict[Job, tuple[Process, Place]] = {}
    with Interruption() as interruption:
        try:
            for _ in reporter.track(range(len(jobs)), label=label, unit=unit):
                while not (ended := [job for job, (p, _) in running.items() if _has_ended(p)]):
                    if interruption.requested:
                        raise KeyboardInterrupt
                    while waiting and free:
                        job, place = waiting.popleft(), free.popleft()
                        running[job] = start(job, place), place
                    time.sleep(POLL_SEC)
                process, place = running.pop(ended[0])
                free.append(place)
                if process.returncode == ExitCode.INTERRUPTED:
                    raise KeyboardInterrupt
                finish(ended[0], process)
        finally:
            _stop([process for process, _ in running.values()])


def start_attncli(
    arguments: Sequence[str], *, messages: Path, threads: int, answer: Path | None = None
) -> Process:
    """Start a call of `attncli`, which ends when this process does.

    It is told all its settings: what the environment says of them has been heard already.

    Args:
        arguments: What follows `attncli`.
        messages: File that what it says is added to.
        threads: Threads it may compute with, unless the user has said so.
        answer: File that its standard output goes to; None throws it away.
    """
    environment = {"OMP_NUM_THREADS": str(threads), **without_settings(os.environ)}
    with messages.open("ab") as told, (answer or Path(os.devnull)).open("wb") as answered:
        # Ctrl-C reaches only us, who then ask each call once to write its checkpoint.
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "attncli", *arguments],
            stdout=answered,
            stderr=told,
            env=environment,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def gpus(device: str) -> list[str]:
    """Return the GPUs that calls can be spread over where `--device` names none; none without any.

    Args:
        device: What `--device` says.
    """
    if device not in ("auto", "cuda"):
        return []
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def _end_with_parent() -> None:
    """Have Linux send this process SIGTERM when the one that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _has_ended(process: Process) -> bool:
    return process.poll() is not None


def _stop(processes: Iterable[Process]) -> None:
    """Let what still runs write its checkpoint and end."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()

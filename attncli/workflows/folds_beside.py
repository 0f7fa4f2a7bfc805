"""Folds that are trained side by side, each by a call of `attncli` in a process of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import torch

from attncli.config.ram import SequenceConfig
from attncli.errors import AttncliError, ExitCode
from attncli.files.runs import RunDirectory
from attncli.machine import usable_cores
from attncli.reporting import Reporter
from attncli.training.interruption import Interruption

POLL_SEC = 0.2
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
_DONE = (ExitCode.DONE, ExitCode.PARTIAL)


@dataclass(frozen=True)
class _Training:
    """A fold that is being trained."""

    process: subprocess.Popen[bytes]
    device: str


def processes_for(config: SequenceConfig) -> int:
    """Return how many folds are trained at a time; one where `torchrun` started several processes.

    That is what the settings say, or else one a GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return 1
    wanted = config.parallel_folds or max(1, len(_gpus(config)))
    return min(wanted, config.folds)


def train_beside(
    method: str, config: SequenceConfig, out: Path, processes: int, reporter: Reporter
) -> None:
    """Train all folds that are not complete yet; what each says goes to `logs/` of the run.

    Args:
        method: Name of the method in the catalog.
        config: Its settings.
        out: Directory of the run, which has been begun.
        processes: Most folds at a time; they share the cores and the GPUs.
        reporter: Told how many folds are done.

    Raises:
        AttncliError: A fold failed; the others were stopped and can be resumed.
        KeyboardInterrupt: The user or the system asked to stop; folds can be resumed.
    """
    logs = out / "logs"
    logs.mkdir(exist_ok=True)
    free = deque(islice(cycle(_gpus(config) or [config.device]), processes))
    waiting = deque(range(1, config.folds + 1))
    running: dict[int, _Training] = {}
    threads = max(1, usable_cores() // processes)
    done = reporter.track(range(config.folds), label="training folds", unit="folds")
    with Interruption() as interruption:
        try:
            for _ in done:
                while not (ended := _ended(running)):
                    if interruption.requested:
                        raise KeyboardInterrupt
                    while waiting and free:
                        fold, device = waiting.popleft(), free.popleft()
                        call = _call(method, out, fold, device)
                        process = _start(call, logs / f"fold{fold:02d}.txt", threads)
                        running[fold] = _Training(process, device)
                    time.sleep(POLL_SEC)
                over = running.pop(ended)
                free.append(over.device)
                _require_success(ended, over.process, logs / f"fold{ended:02d}.txt")
        finally:
            _stop(running.values())


def _gpus(config: SequenceConfig) -> list[str]:
    if config.device not in ("auto", "cuda"):
        return []
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def _call(method: str, out: Path, fold: int, device: str) -> list[str]:
    settings = ["--config", str(RunDirectory(out).config_path), "--fold", str(fold)]
    options = ["--device", device, "-o", str(out), "--resume", "--json"]
    return [sys.executable, "-m", "attncli", "train", method, *settings, *options]


def _start(call: list[str], log: Path, threads: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with log.open("ab") as messages:
        # Ctrl-C reaches only us, who then ask each fold once to write its checkpoint.
        return subprocess.Popen(  # noqa: S603 - our own program
            call,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            env=environment,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    """Have Linux send this process SIGTERM when the one that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _ended(running: Mapping[int, _Training]) -> int | None:
    ended = (fold for fold, one in running.items() if one.process.poll() is not None)
    return next(ended, None)


def _require_success(fold: int, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.returncode == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if process.returncode not in _DONE:
        raise AttncliError(
            f"fold {fold} ended with exit code {process.returncode}",
            where=log,
            remedy="see its last line; what is done stays, go on with --resume",
        )


def _stop(running: Iterable[_Training]) -> None:
    """Let what still runs write its checkpoint and end."""
    for one in running:
        one.process.terminate()
    for one in running:
        one.process.wait()

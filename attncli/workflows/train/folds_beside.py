"""Folds that are trained side by side, each by a call of `attncli` in a process of its own."""

import os
from itertools import cycle, islice
from pathlib import Path

from attncli.config.ram import SequenceConfig
from attncli.errors import AttncliError, ExitCode
from attncli.files.runs import RunDirectory
from attncli.machine import usable_cores
from attncli.reporting import Reporter
from attncli.workflows.calls import Process, gpus, run_beside, start_attncli
from attncli.workflows.train.following import followed

_DONE = (ExitCode.DONE, ExitCode.PARTIAL)


def processes_for(config: SequenceConfig) -> int:
    """Return how many folds are trained at a time; one where `torchrun` started several processes.

    That is what the settings say, or else one a GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        return 1
    wanted = config.parallel_folds or max(1, len(gpus(config.device)))
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
        reporter: Told how many folds are done, and of each one's epochs.

    Raises:
        AttncliError: A fold failed; the others were stopped and can be resumed.
        KeyboardInterrupt: The user or the system asked to stop; folds can be resumed.
    """
    logs = out / "logs"
    logs.mkdir(exist_ok=True)
    threads = max(1, usable_cores() // processes)

    def log(fold: int) -> Path:
        return logs / f"fold{fold:02d}.txt"

    def start(fold: int, device: str) -> Process:
        call = _call(method, out, fold, device)
        return start_attncli(call, messages=log(fold), threads=threads)

    folds = range(1, config.folds + 1)
    with followed(map(log, folds), reporter):
        run_beside(
            folds,
            islice(cycle(gpus(config.device) or [config.device]), processes),
            start=start,
            finish=lambda fold, process: _require_success(fold, process, log(fold)),
            label="training folds",
            unit="folds",
            reporter=reporter,
        )


def _call(method: str, out: Path, fold: int, device: str) -> list[str]:
    settings = ["--config", str(RunDirectory(out).config_path), "--fold", str(fold)]
    options = ["--device", device, "-o", str(out), "--resume", "--json"]
    return ["train", method, *settings, *options]


def _require_success(fold: int, process: Process, log: Path) -> None:
    if process.returncode not in _DONE:
        raise AttncliError(
            f"fold {fold} ended with exit code {process.returncode}",
            where=log,
            remedy="see its last line; what is done stays, go on with --resume",
        )

"""The whole of a paper on toy data: makes it, runs the paper's pipeline, compares with the paper.

There is no code path of its own here: every step is an `attncli` command in a process of its own.
"""

import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from attncli.config.toml import dump
from attncli.errors import AttncliError, ExitCode
from attncli.files.atomic import write_text
from attncli.files.outputs import SETTINGS, claim
from attncli.machine import usable_cores
from attncli.reporting import Reporter
from attncli.workflows.outcome import Outcome, Row

SYSTEMS = ("x3d", "abn", "object-abn")
FIGURES = ("top1", "top5", "entropy", "mask_iou")
PUBLISHED: dict[str, Row] = {  # table 1, UCF101; the paper gives no X3D without attention
    "x3d": {},
    "abn": {"top1": 93.96, "top5": 99.15, "entropy": 3.064},
    "object-abn": {"top1": 93.62, "top5": 99.26, "entropy": 2.026},
}
SMALL_X3D = (
    *("--width-factor", "0.67", "--depth-factor", "1.0"),
    *("--frames", "8", "--frame-stride", "4", "--crop-px", "112"),
    *("--short-side-min-px", "112", "--short-side-max-px", "128", "--short-side-val-px", "112"),
)
OPTIMIZATION = (
    *("--batch-size", "8", "--schedule", "cosine", "--warmup-epochs", "1"),
    *("--clip-grad-norm", "5"),
)
PRETRAINING_SEED = 1
"""Seed of the toy videos that stand in for Kinetics; those of the pipeline have seed 0."""


@dataclass(frozen=True)
class Demo:
    """Object-ABN's pipeline on toy videos, as in the paper from pretrained weights."""

    out: Path
    """Directory of everything the demo writes."""
    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 32
    """Toy videos of each class."""
    pretraining_epochs: int = 14
    """Epochs on other toy videos, before the three models part."""
    epochs: int = 18
    """Epochs each of the three models is then trained."""
    resume: bool = False
    """Go on with a demo that was interrupted."""

    def stages(self) -> list[list[list[str]]]:
        """Return the arguments of every call; those of a stage need only the stages before."""
        return [
            [*self._toy_data("pretraining", PRETRAINING_SEED), *self._toy_data("ucf101", 0)],
            [self._pretraining(), self._segmentation()],
            [self._training(system, seed) for seed in range(self.seeds) for system in SYSTEMS],
            *([command] for command in self._scoring()),
        ]

    def run(self, system: str, seed: int) -> Path:
        """Return the run directory of one system trained with one seed."""
        return self.out / "runs" / f"seed{seed}" / system.replace("-", "_")

    @property
    def _videos(self) -> Path:
        return self.out / "ucf101"

    @property
    def _masks(self) -> Path:
        return self.out / "masks"

    @property
    def _pretrained(self) -> Path:
        return self.out / "runs" / "pretrained"

    @property
    def _resumption(self) -> list[str]:
        return ["--resume"] if self.resume else []

    def _toy_data(self, name: str, seed: int) -> list[list[str]]:
        directory = self.out / name
        if self.resume and directory.exists():
            return []  # it appears whole or not at all
        size = ["--size", str(self.size), "--seed", str(seed)]
        return [["toy-data", "ucf101", str(directory), *size]]

    def _segmentation(self) -> list[str]:
        options = ["--backend", "motion", "-o", str(self._masks), *self._resumption]
        return ["segment", str(self._videos), *options]

    def _pretraining(self) -> list[str]:
        data = ["--data", str(self.out / "pretraining"), "--weights", "none", "--lr", "4e-3"]
        settings = [*SMALL_X3D, *OPTIMIZATION, *_epochs(self.pretraining_epochs)]
        out = ["-o", str(self._pretrained), *self._resumption]
        return ["train", "x3d", *data, *settings, *out]

    def _training(self, system: str, seed: int) -> list[str]:
        masks = ["--masks", str(self._masks)] if system == "object-abn" else []
        data = ["--data", str(self._videos), *masks]
        # The map's last normalisation moves by about lr a step: from its even start to a sharp map
        # it takes the many steps of the paper, or a higher rate.
        weights = ["--weights", str(self._pretrained / "model.safetensors"), "--lr", "6e-3"]
        settings = [*SMALL_X3D, *OPTIMIZATION, *_epochs(self.epochs), "--seed", str(seed)]
        out = ["-o", str(self.run(system, seed)), *self._resumption]
        return ["train", system, *data, *weights, *settings, *out]

    def _scoring(self) -> list[list[str]]:
        runs = [str(self.run(system, seed)) for seed in range(self.seeds) for system in SYSTEMS]
        branches = [run for run in runs if not run.endswith("x3d")]
        truth = str(self._videos / "masks")
        figure = ["--clips", "4", "--overwrite", "-o", str(self.out / "fig2.png")]
        return [
            ["eval", *runs],
            ["entropy", *branches, "--bins", "10", "--masks", truth],
            ["visualize", *branches[:2], *figure],
        ]


def run_demo(demo: Demo, *, overwrite: bool, dry_run: bool, reporter: Reporter) -> Outcome:
    """Make toy data, run Object-ABN's pipeline on it and return the paper's table 1.

    Raises:
        AttncliError: A command failed, or the directory cannot be used.
    """
    stages = demo.stages()
    if dry_run:
        return Outcome(rows=[{"command": _printed(c)} for stage in stages for c in stage])
    claim(demo.out, overwrite=overwrite, resume=demo.resume)
    write_text(demo.out / SETTINGS, dump(demo))
    logs = demo.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    answers: dict[str, list[Row]] = {}
    for number, stage in enumerate(stages, start=1):
        answers |= _run_stage(stage, logs / f"{number}", reporter)
    scores = [*answers["eval"], *answers["entropy"]]
    return Outcome(rows=[_summary(demo, system, scores) for system in SYSTEMS])


def _run_stage(
    stage: Sequence[Sequence[str]], log: Path, reporter: Reporter
) -> dict[str, list[Row]]:
    """Run independent commands side by side; return the rows the last of each name answered."""
    beside = max(1, min(len(stage), usable_cores()))
    threads = usable_cores() // beside
    for command in stage:
        reporter.note(f"$ {_printed(command)}")
    with ThreadPoolExecutor(beside) as pool:
        jobs = {}
        for number, command in enumerate(stage, start=1):
            messages = Path(f"{log}-{number}-{command[0]}.txt")
            jobs[pool.submit(_run, command, messages, threads)] = command[0]
        label = " and ".join(dict.fromkeys(jobs.values()))
        finished = reporter.track(as_completed(jobs), label=label, total=len(jobs), unit="commands")
        return {jobs[job]: job.result() for job in finished}


def _run(command: Sequence[str], log: Path, threads: int) -> list[Row]:
    """Run one command, its messages going to `log`, and return the rows it answers with."""
    argv = [sys.executable, "-m", "attncli", *command, "--json"]
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
    with log.open("w", encoding="utf-8") as messages:
        answer = subprocess.run(  # noqa: S603 - our own program
            argv, stdout=subprocess.PIPE, stderr=messages, env=environment, text=True, check=False
        )
    if answer.returncode != ExitCode.DONE:
        raise AttncliError(
            f"`{_printed(command)}` ended with exit code {answer.returncode}",
            where=log,
            remedy="see its last line",
        )
    rows: list[Row] = json.loads(answer.stdout)
    return rows


def _epochs(count: int) -> list[str]:
    return ["--epochs", str(count), "--eval-every", str(count)]


def _printed(command: Sequence[str]) -> str:
    return shlex.join(["attncli", *command])


def _summary(demo: Demo, system: str, scores: Sequence[Row]) -> Row:
    """Return one system's figures, averaged over its seeds, beside the published ones."""
    row: Row = {"system": system, "seeds": demo.seeds}
    runs = [str(demo.run(system, seed)) for seed in range(demo.seeds)]
    for figure in FIGURES:
        found = {score["run"]: score[figure] for score in scores if score.get(figure) is not None}
        values = [float(str(found[run])) for run in runs if run in found]
        row[figure] = statistics.fmean(values) if values else None
        if demo.seeds > 1:
            row[f"{figure}_std"] = statistics.stdev(values) if len(values) > 1 else None
        if figure in PUBLISHED["abn"]:
            row[f"published_{figure}"] = PUBLISHED[system].get(figure)
    return row

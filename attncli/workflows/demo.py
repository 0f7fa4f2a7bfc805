"""The whole of a paper on toy data: makes it, runs the paper's pipeline, compares with the paper.

There is no code path of its own here: every step is an `attncli` command in a process of its own.
"""

import json
import shlex
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.errors import AttncliError, ExitCode
from attncli.files.outputs import claim
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
    *("--width-factor", "1.0", "--depth-factor", "1.0"),
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
    pretraining_epochs: int = 20
    """Epochs on other toy videos, before the three models part."""
    epochs: int = 8
    """Epochs each of the three models is then trained."""
    resume: bool = False
    """Go on with a demo that was interrupted."""

    def commands(self) -> list[list[str]]:
        """Return the arguments of every `attncli` call, in order."""
        return [*self._pretraining(), *self._data(), *self._training(), *self._scoring()]

    def run(self, system: str, seed: int) -> Path:
        """Return the run directory of one system trained with one seed."""
        return self.out / "runs" / f"seed{seed}" / system.replace("-", "_")

    @property
    def _videos(self) -> Path:
        return self.out / "ucf101"

    @property
    def _pretrained(self) -> Path:
        return self.out / "runs" / "pretrained"

    def _toy_data(self, directory: Path, seed: int) -> list[list[str]]:
        if self.resume and directory.exists():
            return []  # it appears whole or not at all
        size = ["--size", str(self.size), "--seed", str(seed)]
        return [["toy-data", "ucf101", str(directory), *size]]

    def _train(self, method: str, data: Path, epochs: int, out: Path, *options: str) -> list[str]:
        settings = ["--epochs", str(epochs), "--eval-every", str(epochs), *SMALL_X3D, *OPTIMIZATION]
        resume = ["--resume"] if self.resume else []
        return ["train", method, "--data", str(data), *options, *settings, "-o", str(out), *resume]

    def _pretraining(self) -> list[list[str]]:
        videos = self.out / "pretraining"
        options = ("--weights", "none", "--lr", "2e-3")
        train = self._train("x3d", videos, self.pretraining_epochs, self._pretrained, *options)
        return [*self._toy_data(videos, PRETRAINING_SEED), train]

    def _data(self) -> list[list[str]]:
        masks = ["--backend", "motion", "-o", str(self.out / "masks")]
        resume = ["--resume"] if self.resume else []
        segment = ["segment", str(self._videos), *masks, *resume]
        return [*self._toy_data(self._videos, 0), segment]

    def _training(self) -> list[list[str]]:
        masks = {"object-abn": ("--masks", str(self.out / "masks"))}
        weights = ("--weights", str(self._pretrained / "model.safetensors"), "--lr", "1e-3")
        return [
            self._train(
                system,
                self._videos,
                self.epochs,
                self.run(system, seed),
                *(*weights, *masks.get(system, ()), "--seed", str(seed)),
            )
            for seed in range(self.seeds)
            for system in SYSTEMS
        ]

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
    commands = demo.commands()
    if dry_run:
        return Outcome(rows=[{"command": _printed(command)} for command in commands])
    claim(demo.out, overwrite=overwrite, resume=demo.resume)
    answers = {command[0]: _run(command, reporter) for command in commands}
    scores = [*answers["eval"], *answers["entropy"]]
    return Outcome(rows=[_summary(demo, system, scores) for system in SYSTEMS])


def _run(command: Sequence[str], reporter: Reporter) -> list[Row]:
    """Run one command, its messages passing through, and return the rows it answers with."""
    reporter.note(f"$ {_printed(command)}")
    argv = [sys.executable, "-m", "attncli", *command, "--json"]
    answer = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if answer.returncode != ExitCode.DONE:
        raise AttncliError(
            f"the command ended with exit code {answer.returncode}",
            where=_printed(command),
            remedy="see its message above",
        )
    rows: list[Row] = json.loads(answer.stdout)
    return rows


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
            row[f"{figure}_std"] = statistics.stdev(values) if values else None
        if figure in PUBLISHED["abn"]:
            row[f"published_{figure}"] = PUBLISHED[system].get(figure)
    return row

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
    *("--weights", "none", "--width-factor", "1.0", "--depth-factor", "1.0"),
    *("--frames", "8", "--frame-stride", "4", "--crop-px", "112"),
    *("--short-side-min-px", "112", "--short-side-max-px", "128", "--short-side-val-px", "112"),
    *("--batch-size", "8", "--lr", "2e-3", "--schedule", "cosine", "--warmup-epochs", "1"),
    *("--flip", "0"),  # the toy classes tell left from right
)


@dataclass(frozen=True)
class Demo:
    """What the demo is made of; paths are below its directory."""

    out: Path
    """Directory of everything the demo writes."""
    seeds: int = 1
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int = 24
    """Toy videos of each class."""
    epochs: int = 20
    """Training epochs of each model."""
    resume: bool = False
    """Go on with a demo that was interrupted."""

    @property
    def videos(self) -> Path:
        """Toy videos in UCF101's layout."""
        return self.out / "ucf101"

    @property
    def masks(self) -> Path:
        """Instance masks found by `segment`."""
        return self.out / "masks"

    def run(self, system: str, seed: int) -> Path:
        """Run directory of one system trained with one seed."""
        return self.out / "runs" / f"seed{seed}" / system.replace("-", "_")


def run_demo(demo: Demo, *, overwrite: bool, dry_run: bool, reporter: Reporter) -> Outcome:
    """Make toy data, run Object-ABN's pipeline on it and return the paper's table 1.

    Raises:
        AttncliError: A command failed, or the directory cannot be used.
    """
    if dry_run:
        commands = [*_preparation(demo), *_training(demo), *_scoring(demo), *_figures(demo)]
        return Outcome(rows=[{"command": _printed(command)} for command in commands])
    claim(demo.out, overwrite=overwrite, resume=demo.resume)
    for command in (*_preparation(demo), *_training(demo)):
        _run(command, reporter)
    scores = [row for command in _scoring(demo) for row in _run(command, reporter)]
    for command in _figures(demo):
        _run(command, reporter)
    return Outcome(rows=[_summary(demo, system, scores) for system in SYSTEMS])


def _preparation(demo: Demo) -> list[list[str]]:
    resume = ["--resume"] if demo.resume else []
    made = demo.resume and demo.videos.exists()
    toy = ["toy-data", "ucf101", str(demo.videos), "--size", str(demo.size)]
    segment = ["segment", str(demo.videos), "--backend", "motion", "-o", str(demo.masks), *resume]
    return [segment] if made else [toy, segment]


def _training(demo: Demo) -> list[list[str]]:
    resume = ["--resume"] if demo.resume else []
    common = ["--data", str(demo.videos), "--epochs", str(demo.epochs), *SMALL_X3D, *resume]
    masks = {"object-abn": ["--masks", str(demo.masks)]}
    return [
        ["train", system, *common, *masks.get(system, []), "--seed", str(seed)]
        + ["-o", str(demo.run(system, seed))]
        for seed in range(demo.seeds)
        for system in SYSTEMS
    ]


def _scoring(demo: Demo) -> list[list[str]]:
    seeds = range(demo.seeds)
    runs = [str(demo.run(system, seed)) for seed in seeds for system in SYSTEMS]
    branch = [str(demo.run(system, seed)) for seed in seeds for system in SYSTEMS[1:]]
    truth = str(demo.videos / "masks")
    return [["eval", *runs], ["entropy", *branch, "--bins", "10", "--masks", truth]]


def _figures(demo: Demo) -> list[list[str]]:
    runs = [str(demo.run(system, 0)) for system in SYSTEMS[1:]]
    options = ["--clips", "4", "--overwrite", "-o", str(demo.out / "fig2.png")]
    return [["visualize", *runs, *options]]


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
    runs = {str(demo.run(system, seed)) for seed in range(demo.seeds)}
    for figure in FIGURES:
        values = {str(s["run"]): float(s[figure]) for s in scores if s.get(figure) is not None}  # type: ignore[arg-type]
        mine = [value for run, value in values.items() if run in runs]
        row[figure] = statistics.fmean(mine) if mine else None
        if demo.seeds > 1:
            row[f"{figure}_std"] = statistics.stdev(mine) if len(mine) > 1 else None
        row[f"published_{figure}"] = PUBLISHED[system].get(figure)
    return row

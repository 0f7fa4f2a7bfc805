"""Runs a paper's pipeline on toy data and puts its figures beside the published ones.

There is no code path of its own here: every step is an `attncli` command in a process of its own.
"""

import json
import shlex
import statistics
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.catalog import load, paper
from attncli.config.demo import DemoConfig
from attncli.config.fields import flag_of
from attncli.config.toml import dump
from attncli.errors import AttncliError, ExitCode, UsageError
from attncli.files.atomic import write_text
from attncli.files.outputs import SETTINGS, claim
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.calls import Process, run_beside, start_attncli

Arguments = list[str]
"""What one call of `attncli` is told."""
OWN = ("size", "pretraining_epochs", "epochs", "tuning_epochs", "offline_weights")
"""Settings for which a paper has values of its own, or no use."""


@dataclass(frozen=True)
class Demo(ABC):
    """One paper's pipeline on toy data."""

    out: Path
    """Directory of everything the demo writes."""
    seeds: int
    """Training seeds 0, 1, … over which figures are averaged."""
    size: int
    """Toy videos of each class, or people."""
    epochs: int
    """Epochs each of the models is then trained."""
    resume: bool = False
    """Go on with a demo that was interrupted."""

    systems: ClassVar[tuple[str, ...]]
    """Rows of the table, each a trained network."""
    figures: ClassVar[tuple[str, ...]]
    """Columns of the table: keys of the rows that the scoring commands answer with."""
    published: ClassVar[Mapping[str, Row]] = {}
    """The paper's figures by system."""

    @abstractmethod
    def stages(self) -> list[list[Arguments]]:
        """Return every call; those of a stage need only the stages before."""

    @abstractmethod
    def scores(self, command: Sequence[str]) -> bool:
        """Return whether a call answers with figures of the table."""

    def figures_of(self, row: Row) -> Row:
        """Return a row that a scoring command answered with, its figures called as in the table."""
        return row

    def table(self, scores: Sequence[Row]) -> list[Row]:
        """Return the paper's table, of the rows that scoring commands answered with."""
        return [summary(self, system, scores) for system in self.systems]

    def run(self, system: str, seed: int) -> Path:
        """Return the run directory of one system trained with one seed."""
        return self.out / "runs" / f"seed{seed}" / system.replace("-", "_").replace("+", "_")

    @property
    def resumption(self) -> Arguments:
        """Options that let a command go on where it was interrupted."""
        return ["--resume"] if self.resume else []

    def toy_data(
        self, layout: str, directory: Path, seed: int, *options: str, times: int = 1
    ) -> list[Arguments]:
        """Return the call that writes a toy dataset, or none where it is there already.

        Args:
            layout: How it is laid out.
            directory: Where to.
            seed: Seed of every random draw.
            options: What else the call is told.
            times: How many times the demo's size it is.
        """
        if self.resume and directory.exists():
            return []  # it appears whole or not at all
        size = ["--size", str(times * self.size), "--seed", str(seed)]
        return [["toy-data", layout, str(directory), *size, *options]]


def demo_of(config: DemoConfig, *, resume: bool) -> Demo:
    """Return the demo of a paper, with its own settings but for those that were given.

    Raises:
        UsageError: It has no use for one that was given.
    """
    made: type[Demo] = load(str(paper(config.paper).demo))
    asked = {name: getattr(config, name) for name in OWN}
    given = {name: value for name, value in asked.items() if value not in (None, False)}
    for name in given.keys() - made.__dataclass_fields__.keys():
        raise UsageError(f"does not apply to {config.paper}", where=flag_of(name))
    return made(out=config.out, seeds=config.seeds, resume=resume, **given)


def run_demo(demo: Demo, *, overwrite: bool, dry_run: bool, reporter: Reporter) -> Outcome:
    """Make toy data, run a paper's pipeline on it and return the paper's table.

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
    scores: list[Row] = []
    for number, stage in enumerate(stages, start=1):
        for command, rows in _run_stage(stage, logs, number, reporter):
            scores += [demo.figures_of(row) for row in rows] if demo.scores(command) else []
    return Outcome(rows=demo.table(scores))


def summary(demo: Demo, system: str, scores: Iterable[Row]) -> Row:
    """Return one system's figures, averaged over its seeds, beside the published ones."""
    row: Row = {"system": system, "seeds": demo.seeds}
    runs = {str(demo.run(system, seed)) for seed in range(demo.seeds)}
    own = [score for score in scores if score["run"] in runs]
    for figure in demo.figures:
        found = {score["run"]: score[figure] for score in own if score.get(figure) is not None}
        values = [float(str(value)) for value in found.values()]
        row[figure] = statistics.fmean(values) if values else None
        if demo.seeds > 1:
            row[f"{figure}_std"] = statistics.stdev(values) if len(values) > 1 else None
        if any(figure in published for published in demo.published.values()):
            row[f"published_{figure}"] = demo.published.get(system, {}).get(figure)
    return row


def training_length(epochs: int) -> Arguments:
    """Return the options of a training that is validated at its end alone."""
    return ["--epochs", str(epochs), "--eval-every", str(epochs)]


def _run_stage(
    stage: Sequence[Arguments], logs: Path, number: int, reporter: Reporter
) -> list[tuple[Arguments, list[Row]]]:
    """Run independent commands side by side; return each with the rows it answered."""
    beside = max(1, min(len(stage), usable_cores()))
    answered: dict[int, list[Row]] = {}

    def log(place: int) -> Path:
        return logs / f"{number}-{place}-{stage[place - 1][0]}.txt"

    def start(place: int, _core: int) -> Process:
        log(place).unlink(missing_ok=True)
        return start_attncli(
            [*stage[place - 1], "--json"],
            messages=log(place),
            threads=usable_cores() // beside,
            answer=log(place).with_suffix(".json"),
        )

    def finish(place: int, process: Process) -> None:
        answered[place] = _rows(stage[place - 1], process, log(place))

    for command in stage:
        reporter.note(f"$ {_printed(command)}")
    run_beside(
        range(1, len(stage) + 1),
        range(beside),
        start=start,
        finish=finish,
        label=" and ".join(dict.fromkeys(command[0] for command in stage)),
        unit="commands",
        reporter=reporter,
    )
    return [(stage[place - 1], answered[place]) for place in sorted(answered)]


def _rows(command: Arguments, process: Process, log: Path) -> list[Row]:
    """Return the rows that a command answered with."""
    if process.returncode != ExitCode.DONE:
        raise AttncliError(
            f"`{_printed(command)}` ended with exit code {process.returncode}",
            where=log,
            remedy="see its last line",
        )
    rows: list[Row] = json.loads(log.with_suffix(".json").read_text(encoding="utf-8"))
    return rows


def _printed(command: Sequence[str]) -> str:
    return shlex.join(["attncli", *command])

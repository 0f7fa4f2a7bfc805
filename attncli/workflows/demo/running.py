"""Runs a paper's pipeline on toy data and puts its figures beside the published ones.

There is no code path of its own here: every step is an `attncli` command in a process of its own.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attncli.catalog import load, paper
from attncli.config.demo import DemoConfig
from attncli.config.fields import flag_of
from attncli.config.toml import dump
from attncli.errors import UsageError
from attncli.files.atomic import write_text
from attncli.files.outputs import SETTINGS, claim
from attncli.files.tables import write_table
from attncli.machine import usable_cores
from attncli.metrics.spread import mean_and_std
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.calls import Process, run_beside
from attncli.workflows.demo.steps import RESUME, TOY_DATA, Arguments, Step, output_of

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
        return [RESUME] if self.resume else []

    def toy_data(
        self, layout: str, directory: Path, seed: int, *options: str, times: int = 1
    ) -> Arguments:
        """Return the call that writes a toy dataset.

        Args:
            layout: How it is laid out.
            directory: Where to.
            seed: Seed of every random draw.
            options: What else the call is told.
            times: How many times the demo's size it is.
        """
        size = ["--size", str(times * self.size), "--seed", str(seed)]
        return [TOY_DATA, layout, str(directory), *size, *options]


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

    The table is kept as `table.csv` and `table.json`, what the commands say and answer in `logs/`.

    Raises:
        AttncliError: A command failed, or the directory cannot be used.
    """
    logs = demo.out / "logs"
    stages = [_steps(stage, logs, number) for number, stage in enumerate(demo.stages(), start=1)]
    claim(demo.out, overwrite=overwrite, resume=demo.resume, dry_run=dry_run)
    earlier = _earlier(stages) if demo.resume else {}
    if dry_run:
        waiting = [step for stage in stages for step in stage if step.log not in earlier]
        return Outcome(rows=[{"command": step.printed} for step in waiting])
    write_text(demo.out / SETTINGS, dump(demo))
    logs.mkdir(parents=True, exist_ok=True)
    scores: list[Row] = []
    for stage in stages:
        answered = earlier | _run_stage([s for s in stage if s.log not in earlier], reporter)
        for step in filter(lambda step: demo.scores(step.command), stage):
            scores += map(demo.figures_of, answered[step.log])
    rows = demo.table(scores)
    _keep_table(demo.out, rows)
    figures = [
        output_of(s.command) for stage in stages for s in stage if s.command[0] == "visualize"
    ]
    reporter.note(f"table: {demo.out / 'table.csv'}; {_named('figure', figures)}")
    return Outcome(rows=rows)


def summary(demo: Demo, system: str, scores: Iterable[Row]) -> Row:
    """Return one system's figures, averaged over its seeds, beside the published ones."""
    row: Row = {"system": system, "seeds": demo.seeds}
    runs = {str(demo.run(system, seed)) for seed in range(demo.seeds)}
    own = [score for score in scores if score["run"] in runs]
    for figure in demo.figures:
        found = {score["run"]: score[figure] for score in own if score.get(figure) is not None}
        values = [float(str(value)) for value in found.values()]
        row[figure], std = mean_and_std(values)
        if demo.seeds > 1:
            row[f"{figure}_std"] = std
        if any(figure in published for published in demo.published.values()):
            row[f"published_{figure}"] = demo.published.get(system, {}).get(figure)
    return row


def training_length(epochs: int) -> Arguments:
    """Return the options of a training that is validated at its end alone."""
    return ["--epochs", str(epochs), "--eval-every", str(epochs)]


def _steps(stage: Sequence[Arguments], logs: Path, number: int) -> list[Step]:
    return [
        Step(command, logs / f"{number}-{place}-{command[0]}.txt")
        for place, command in enumerate(stage, start=1)
    ]


def _earlier(stages: Sequence[Sequence[Step]]) -> dict[Path, list[Row]]:
    """Return the rows of steps that need not run again, by their logs.

    After a stage of which something is missing, everything is made anew: it may hang on that.
    """
    found: dict[Path, list[Row]] = {}
    for stage in stages:
        of_stage = {step.log: step.earlier_rows() for step in stage}
        found |= {log: rows for log, rows in of_stage.items() if rows is not None}
        if None in of_stage.values():
            break
    return found


def _run_stage(steps: Sequence[Step], reporter: Reporter) -> dict[Path, list[Row]]:
    """Run independent commands side by side; return the rows that each answered, by its log."""
    if not steps:
        return {}
    beside = max(1, min(len(steps), usable_cores()))
    answered: dict[Path, list[Row]] = {}

    def start(place: int, _core: int) -> Process:
        return steps[place].start(threads=usable_cores() // beside)

    def finish(place: int, process: Process) -> None:
        answered[steps[place].log] = steps[place].finish(process)

    for step in steps:
        reporter.note(f"$ {step.printed}")
    run_beside(
        range(len(steps)),
        range(beside),
        start=start,
        finish=finish,
        label=" and ".join(dict.fromkeys(step.command[0] for step in steps)),
        unit="commands",
        reporter=reporter,
    )
    return answered


def _keep_table(out: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    write_table(out / "table.csv", columns, ([row.get(key) for key in columns] for row in rows))
    write_text(out / "table.json", json.dumps(rows, indent=2, ensure_ascii=False) + "\n")


def _named(what: str, paths: Sequence[Path | None]) -> str:
    """Return in words which files there are.

    >>> _named("figure", [Path("fig2.png")]), _named("figure", [])
    ('figure: fig2.png', 'no figure')
    """
    if not paths:
        return f"no {what}"
    return f"{what}{'s' if len(paths) > 1 else ''}: {', '.join(map(str, paths))}"

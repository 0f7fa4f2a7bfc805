"""Train a method several times, with one seed after another, to tell chance from effect.

Each training is a run of its own, in its own directory (`workflows.runs.several`), that any command
takes; of methods with folds it is a run of all folds.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.config.toml import dump
from attncli.config.training import LARGEST_SEED
from attncli.errors import AttncliError, ExitCode, UsageError
from attncli.files.atomic import write_text
from attncli.files.locks import held
from attncli.files.outputs import claim
from attncli.files.runs import Run, RunDirectory, load, with_absolute_paths
from attncli.machine import usable_cores
from attncli.reporting import Outcome, Reporter, Silent
from attncli.workflows.calls import Process, gpus, run_beside, start_attncli
from attncli.workflows.runs.begin import claim_run
from attncli.workflows.runs.settings import require_same_settings
from attncli.workflows.runs.several import over_seeds, seed_path, training_seeds

_DONE = (ExitCode.DONE, ExitCode.PARTIAL)


@dataclass(frozen=True)
class SeveralTrainings:
    """Trainings of one method that differ in their seeds alone."""

    method: str
    """Name of the method in the catalog."""
    config: Any
    """Settings of the first one: an instance of the method's config class."""
    count: int
    """How many there are."""
    out: Path
    """Directory that each has its own directory in."""
    beside: int | None = None
    """How many run side by side, each in a process; one a GPU where None."""

    @property
    def seeds(self) -> Sequence[int]:
        """Seed of each training."""
        return range(self.config.seed, self.config.seed + self.count)

    def run(self, *, resume: bool, overwrite: bool, dry_run: bool, reporter: Reporter) -> Outcome:
        """Train with every seed that is not done yet.

        Args:
            resume: Go on with the runs that are there; more seeds may be asked for than before.
            overwrite: Replace what is at `out`.
            dry_run: Return the plans of all runs and touch nothing.
            reporter: Where progress is shown.

        Returns:
            The rows of all runs, then their means and standard deviations, and the samples that
            could not be read.

        Raises:
            UsageError: The method draws nothing, several processes were started, or the runs to go
                on with were begun with other settings.
            AttncliError: The data or the output cannot be used, or a training failed; the others
                stay, and can be resumed.
            KeyboardInterrupt: Training was asked to stop; it can be resumed.
        """
        self._require_seeds()
        claim(self.out, overwrite=overwrite, resume=resume, dry_run=True)
        self._require_same(resume=resume)
        ways = {"resume": resume, "overwrite": overwrite}
        if dry_run:
            plans = [self._train(seed, reporter, dry_run=True, **ways) for seed in self.seeds]
            return Outcome([row for plan in plans for row in plan.rows])
        # What the first training refuses is refused before something is written or removed.
        self._train(self.config.seed, Silent(), dry_run=True, **ways)
        claim(self.out, overwrite=overwrite and resume, resume=resume or overwrite)
        with held(self.out):
            self._begin(resume=resume, overwrite=overwrite)
            self._train_beside(reporter)
            return self._train_all(reporter)

    def _require_seeds(self) -> None:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            remedy = "start it without torchrun, with --parallel-seeds"
            raise UsageError("seeds are trained by processes of their own", remedy=remedy)
        if not hasattr(self.config, "seed"):
            what = f"{self.method} draws nothing at random"
            raise UsageError(what, where="--seeds", remedy="leave it out")
        if self.seeds[-1] > LARGEST_SEED:
            raise UsageError("with --seeds it must stay below 2**63", where="--seed")

    def _require_same(self, *, resume: bool) -> None:
        """Refuse to go on with runs that were begun otherwise."""
        path = RunDirectory(self.out).config_path
        if not resume or not path.is_file():
            return
        begun = training_seeds(self.out)
        if not begun:
            what = "holds one run, not one for each seed"
            raise UsageError(what, where=self.out, remedy="write elsewhere, or leave out --seeds")
        if begun[0] != self.config.seed or len(begun) > self.count:
            what = f"was begun with {len(begun)} seeds from {begun[0]}"
            remedy = f"pass --seed {begun[0]} and at least as many, or write elsewhere"
            raise UsageError(what, where=self.out, remedy=remedy)
        first = RunDirectory(seed_path(self.out, self.config.seed))
        if first.config_path.is_file():
            run = load(first.path)
            wanted = with_absolute_paths(self.config)
            require_same_settings(run, Run(first, self.method, wanted, run.classes))

    def _begin(self, *, resume: bool, overwrite: bool) -> None:
        config = with_absolute_paths(self.config)
        claim_run(self.out, config, resume=resume, overwrite=overwrite)
        text = dump(config, method=self.method, several=self.count)
        write_text(RunDirectory(self.out).config_path, text)

    def _train_all(self, reporter: Reporter) -> Outcome:
        outcomes = []
        for number, seed in enumerate(self.seeds, start=1):
            reporter.note(f"seed {seed}, {number} of {self.count}")
            outcomes.append(self._train(seed, reporter, resume=True, overwrite=False))
        rows = [row for one in outcomes for row in one.rows]
        failures = {failure.id: failure for one in outcomes for failure in one.failures}
        return Outcome(
            [*rows, *over_seeds(self.out, rows)],
            sorted(failures.values(), key=lambda failure: failure.id),
            inputs=outcomes[0].inputs,  # all read the same
        )

    def _train(
        self,
        seed: int,
        reporter: Reporter,
        *,
        resume: bool,
        overwrite: bool,
        dry_run: bool = False,
    ) -> Outcome:
        train: Callable[..., Outcome] = catalog.load(catalog.method(self.method).task.train)
        return train(
            self.method,
            replace(self.config, seed=seed),
            out=seed_path(self.out, seed),
            resume=resume,
            overwrite=overwrite,
            dry_run=dry_run,
            reporter=reporter,
        )

    def _train_beside(self, reporter: Reporter) -> None:
        """Train several at a time; what each says goes to `logs/`."""
        places = gpus(self.config.device) if hasattr(self.config, "device") else []
        beside = min(self.beside or max(1, len(places)), self.count)
        if beside < 2:
            return
        logs = self.out / "logs"
        logs.mkdir(exist_ok=True)
        threads = max(1, usable_cores() // beside)

        def log(seed: int) -> Path:
            return logs / f"seed{seed}.txt"

        def start(seed: int, device: str | None) -> Process:
            return start_attncli(self._call(seed, device), messages=log(seed), threads=threads)

        run_beside(
            self.seeds,
            islice(cycle(places or [None]), beside),
            start=start,
            finish=lambda seed, process: _require_success(seed, process, log(seed)),
            label="training seeds",
            unit="seeds",
            reporter=reporter,
        )

    def _call(self, seed: int, device: str | None) -> list[str]:
        settings = ["--config", str(RunDirectory(self.out).config_path), "--seed", str(seed)]
        settings += [] if device is None else ["--device", device]
        return [
            *("train", self.method, *settings),
            *("-o", str(seed_path(self.out, seed)), "--resume", "--json"),
        ]


def _require_success(seed: int, process: Process, log: Path) -> None:
    if process.returncode not in _DONE:
        raise AttncliError(
            f"seed {seed} ended with exit code {process.returncode}",
            where=log,
            remedy="see its last line; what is done stays, go on with --resume",
        )

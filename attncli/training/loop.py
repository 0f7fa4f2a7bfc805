"""The training loop: epochs of steps, validations and checkpoints, whatever the method.

It can be killed at any moment: what it does next depends on the last checkpoint, the settings and
the data alone, so a run that is taken up again ends with the weights of one never interrupted.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Generic, NoReturn

import torch

from attncli.batches import B
from attncli.errors import AttncliError, Failure, Remark, UsageError
from attncli.files.checkpoints import load_weights, read_checkpoint, write_checkpoint
from attncli.files.runs import RunDirectory
from attncli.reporting import Reporter
from attncli.training.batches import BatchOrder
from attncli.training.epoch_line import LogRow, epoch_line, live_line
from attncli.training.interruption import Interruption
from attncli.training.learner import Learner, StepSums
from attncli.training.log import Log
from attncli.training.optimization import learning_rate
from attncli.training.seeds import seed_step
from attncli.training.validation import Validation, validate

RENAMED_SUMS = {"clips": "samples", "hits": "hits_top1"}
"""Sums as checkpoints of earlier versions name them."""


@dataclass(frozen=True)
class TrainingSamples(Generic[B]):
    """The training split as the loop reads it."""

    order: BatchOrder
    """Which samples each step sees."""
    loader: Iterable[B]
    """Reads this process's samples, a batch for each list of `order`."""
    set_epoch: Callable[[int], None]
    """Tells the reader which epoch's samples and augmentation to draw."""
    nothing: B
    """A batch without samples, for a process that has none of a part; its shapes are theirs."""
    unit: str = "clips"
    """What samples are called."""


@dataclass
class Progress:
    """How far a training is; with the learner's state, all that a checkpoint holds."""

    epoch: int = 0
    """Epochs that are complete, validation included."""
    step: int = 0
    """Steps taken in the epoch after those."""
    sums: dict[str, float] = field(default_factory=dict)
    """Losses and hits of that epoch, summed over its samples."""
    seconds: float = 0.0
    """Time the steps of that epoch took."""
    waited: float = 0.0
    """Part of `seconds` in which there was no batch to work on."""
    best: float | None = None
    """Highest figure so far of those that choose the best epoch."""
    rows: list[LogRow] = field(default_factory=list)
    """The log, one row an epoch."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """Samples that could not be read so far."""


class Training(Generic[B]):
    """A training from where its last checkpoint left it to its last epoch.

    Args:
        learner: What is trained; its weights are overwritten where there is a checkpoint.
        samples: The training split.
        validation: The validation split, or None.
        directory: Run that checkpoints and logs are written to, by the first process.
        reporter: Where progress is shown.
        title: Which of several trainings it is, such as `fold 2`; empty where there is one.

    Raises:
        AttncliError: The run's checkpoint is damaged or of another model.
        UsageError: It has more epochs behind it than are asked for.
    """

    def __init__(
        self,
        learner: Learner[B],
        samples: TrainingSamples[B],
        validation: Validation[B] | None,
        *,
        directory: RunDirectory,
        reporter: Reporter,
        title: str = "",
    ) -> None:
        self.learner = learner
        self.config = learner.config
        self.world = learner.world
        self.samples = samples
        self.validation = validation
        self.directory = directory
        self.reporter = reporter
        self.title = f"{title}: " if title else ""
        self.interruption = Interruption()
        self.log: Log | None = None
        self.unread: tuple[int, StepSums] | None = None
        self.failures: set[Failure] = set()
        self.remarks: set[Remark] = set()
        """Training samples seen by this process that may not be what they should be."""
        self.progress = self._resume()
        self.began = 0.0, 0
        """When this process began to train, and after how many steps."""

    def run(self) -> list[Failure]:
        """Train to the end of the last epoch and return the samples that could not be read.

        Raises:
            AttncliError: The loss is no longer finite, no sample of an epoch could be read, memory
                does not suffice, or a checkpoint cannot be written. The last one stays.
            KeyboardInterrupt: The user or the system asked to stop; there is a checkpoint.
        """
        self.began = time.monotonic(), self._steps_taken()
        if self.world.leads:
            taken, logger = self._steps_taken(), self.config.logger
            self.log = Log(self.directory, self.progress.rows, taken, logger)
        try:
            with self.interruption:
                while self.progress.epoch < self.config.epochs:
                    self._train_epoch()
                    self._finish_epoch()
        except torch.OutOfMemoryError as error:
            raise AttncliError(
                "the memory of the device is too small",
                where=self.directory.path,
                remedy="raise --accumulate or lower --batch-size, and train anew",
            ) from error
        finally:
            if self.log is not None:
                self.log.close()
        return self._all_failures()

    def _train_epoch(self) -> None:
        progress, order = self.progress, self.samples.order
        order.begin(progress.epoch, progress.step)
        self.samples.set_epoch(progress.epoch)
        self.learner.learned.begin_epoch(progress.epoch)
        batches = iter(self.samples.loader)
        steps = range(progress.step, order.steps)
        label = f"{self.title}epoch {progress.epoch + 1}/{self.config.epochs}"
        live = partial(live_line, progress.sums)
        for step in self.reporter.track(steps, label=label, unit="steps", live=live):
            started = time.monotonic()
            parts = self._fetch(batches, order.parts_of(step))
            progress.waited += time.monotonic() - started
            self._step(parts, step)
            if self._is_checkpoint_due():
                self._save()
            progress.seconds += time.monotonic() - started
        started = time.monotonic()
        self._read_sums()
        progress.seconds += time.monotonic() - started
        if not progress.sums.get("samples"):
            first, what = self._all_failures()[0], self.samples.unit.removesuffix("s")
            raise AttncliError(
                f"no training {what} could be read, such as {first.error}", where=self.config.data
            )

    def _step(self, parts: list[B], step: int) -> None:
        """Train on one batch; the sums of the step before are read while a GPU is busy with it."""
        planned = self.samples.order.parts_of(step)
        local = [len(part.rows) for part in parts] or [0] * planned
        shared = self.world.add_up(torch.tensor([*local, int(self.interruption.requested)]))
        *counts, stop = shared.tolist()
        if stop:
            self._stop()
        if sum(counts):
            seed_step(self.config.seed, self.progress.epoch, step)
            lr = learning_rate(self.config, self._steps_taken(), self.samples.order.steps)
            sums = self.learner.step(parts, counts, lr)
            self._read_sums()
            self.unread = (self._steps_taken(), sums)
        self.progress.step = step + 1

    def _fetch(self, batches: Iterator[B], count: int) -> list[B]:
        """Return the next batch's parts; none when asked to stop, as readers may be dead."""
        if self.interruption.requested:
            return []
        try:
            parts = [next(batches) for _ in range(count)]
        except RuntimeError:
            if not self.interruption.requested:
                raise
            return []
        self.failures.update(failure for part in parts for failure in part.failures)
        self.remarks.update(remark for part in parts for remark in part.remarks)
        return [part if len(part.rows) else self.samples.nothing for part in parts]

    def _read_sums(self) -> None:
        """Add the last step's sums to the epoch's, unless they show that training has failed."""
        if self.unread is None:
            return
        step, sums = self.unread[0], self.unread[1].read()
        self.unread = None
        norm = sums.pop("gradient_norm")
        # A scaled fp16 gradient may overflow: its step is then left out and the scale lowered.
        is_finite = math.isfinite(norm) or self.config.precision == "fp16"
        if not (math.isfinite(sums["loss"]) and is_finite):
            epoch, number = divmod(step, self.samples.order.steps)
            raise AttncliError(
                f"the loss is no longer finite in epoch {epoch + 1}, step {number + 1}",
                where=self.directory.path,
                remedy="train anew with a lower --lr, --clip-grad-norm or --precision fp32",
            )
        for name, value in sums.items():
            self.progress.sums[name] = self.progress.sums.get(name, 0.0) + value
        if self.log is not None:
            means = {k: v / sums["samples"] for k, v in sums.items() if k.startswith("loss")}
            self.log.add_step(step, {**means, "gradient_norm": norm})

    def _finish_epoch(self) -> None:
        """Validate where it is due, and make a row of the log and a checkpoint."""
        progress = self.progress
        due = self.validation if self._is_validation_due() else None
        row = self._row({} if due is None else self._validate(due))
        figure = self._choosing(row)
        if figure is not None and (progress.best is None or figure > progress.best):
            progress.best = figure
            if self.world.leads:
                best = {"model": self.learner.model.state_dict(), "epoch": progress.epoch + 1}
                write_checkpoint(self.directory.best_checkpoint_path, best)
        progress.rows.append(row)
        progress.epoch, progress.step = progress.epoch + 1, 0
        progress.sums, progress.seconds, progress.waited = {}, 0.0, 0.0
        self._save()
        if self.log is not None:
            self.log.add_epoch(progress.rows, self._steps_taken())
        self._say()

    def _say(self) -> None:
        """Say how the last epoch came out, and how long the others will take."""
        best = None if self.validation is None else self.validation.best
        since, before = self.began
        sec_per_step = (time.monotonic() - since) / (self._steps_taken() - before)
        left = self.config.epochs * self.samples.order.steps - self._steps_taken()
        text = epoch_line(
            self.progress.rows,
            epochs=self.config.epochs,
            best=best,
            left_sec=sec_per_step * left,
        )
        self.reporter.note(f"{self.title}{text}")

    def _choosing(self, row: LogRow) -> float | None:
        """Return the figure of an epoch that says whether it is the best one."""
        best = None if self.validation is None else self.validation.best
        return None if best is None else row[f"val_{best}"]

    def _row(self, figures: Mapping[str, float]) -> LogRow:
        progress = self.progress
        n = progress.sums["samples"]
        losses = {k: v / n for k, v in progress.sums.items() if k.startswith("loss")}
        hits = {k.removeprefix("hits_"): v for k, v in progress.sums.items() if k[:5] == "hits_"}
        logged = () if self.validation is None else self.validation.logged
        return {
            "epoch": progress.epoch + 1,
            "step": self._steps_taken(),
            "lr": learning_rate(self.config, self._steps_taken() - 1, self.samples.order.steps),
            **losses,
            **{f"train_{name}": 100 * count / n for name, count in hits.items()},
            **{f"val_{name}": figures.get(name) for name in logged},
            f"{self.samples.unit}_per_sec": n / progress.seconds,
            "wait_percent": 100 * progress.waited / progress.seconds,
            "seconds": progress.seconds,
        }

    def _validate(self, validation: Validation[B]) -> Mapping[str, float]:
        label = f"{self.title}validation {self.progress.epoch + 1}/{self.config.epochs}"
        batches = self.reporter.track(validation.batches, label=label, unit="batches")
        try:
            return validate(
                self.learner.model,
                self._watched(batches),
                validation.begin(),
                precision=self.config.precision,
                world=self.world,
            )
        except RuntimeError:
            if not self.interruption.requested:
                raise
            self._stop()

    def _watched(self, batches: Iterable[B]) -> Iterator[B]:
        for batch in batches:
            # Several processes must stop at the same place: the next step.
            if self.interruption.requested and self.world.size == 1:
                self._stop()
            self.failures.update(batch.failures)
            yield batch

    def _stop(self) -> NoReturn:
        self._save()
        raise KeyboardInterrupt

    def _save(self) -> None:
        self._read_sums()
        failures = self._all_failures()
        self.progress.failures = [asdict(failure) for failure in failures]
        if self.world.leads:
            state = {**self.learner.state_dict(), "progress": asdict(self.progress)}
            write_checkpoint(self.directory.last_checkpoint_path, state)

    def _resume(self) -> Progress:
        path = self.directory.last_checkpoint_path
        if not path.exists():
            return Progress()
        state = read_checkpoint(path, holding=("optimizer", "scaler", "progress"))
        load_weights(self.learner.model, state["model"], where=path)
        try:
            self.learner.load_state_dict(state)
            progress = Progress(**state["progress"])
            progress.sums = {RENAMED_SUMS.get(k, k): v for k, v in progress.sums.items()}
            self.failures = {Failure(**failure) for failure in progress.failures}
        except Exception as error:  # what was put into it by others raises anything
            raise AttncliError(
                f"training cannot go on from it ({error})",
                where=path,
                remedy="put the run's own last.pt back, or begin a new run with --init",
            ) from error
        if progress.epoch > self.config.epochs:
            raise UsageError(
                f"{progress.epoch} epochs are done already", where=path, remedy="raise --epochs"
            )
        return progress

    def _all_failures(self) -> list[Failure]:
        everywhere = set().union(*self.world.gather(self.failures))
        return sorted(everywhere, key=lambda failure: failure.id)

    def _steps_taken(self) -> int:
        return self.progress.epoch * self.samples.order.steps + self.progress.step

    def _is_checkpoint_due(self) -> bool:
        every = self.config.checkpoint_every
        within_epoch = self.progress.step < self.samples.order.steps
        return every is not None and within_epoch and self._steps_taken() % every == 0

    def _is_validation_due(self) -> bool:
        done = self.progress.epoch + 1
        return done % self.config.eval_every == 0 or done == self.config.epochs

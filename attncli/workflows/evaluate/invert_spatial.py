"""Measure what spatial attention is worth: invert it, and see how much accuracy is lost.

Where attention M acts on the features, 1 - M acts instead (ST-ABN, equation 7). The more a network
owes to the places it attends to, the more it loses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from torch import Tensor

from attncli.config.ram import SequenceConfig
from attncli.config.training import Precision
from attncli.data.samples import Split
from attncli.files.atomic import replacing_directory
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.predictions import Predictions, join_predictions, write_predictions
from attncli.files.runs import Run
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.types import AttentionEdit, BranchNetwork, ClipBatch
from attncli.workflows.evaluate.answers import (
    RANKS,
    Answers,
    Task,
    accuracies,
    answer_clips,
    counts,
    do_together,
    joined,
    plan,
)
from attncli.workflows.evaluate.folds import open_folds
from attncli.workflows.evaluate.scoring import accuracy_percent, scoring
from attncli.workflows.runs.network import open_network, require_attention

OWN, INVERTED = "", "_inverted"
"""What the network answers with its own attention and with 1 - M, as their figures end."""


def invert_runs(
    runs: Sequence[Path],
    *,
    split: Split = "val",
    checkpoint: str = "last",
    data: Path | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    device: str = "auto",
    precision: Precision | None = None,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Score runs on every clip of a split with their own spatial attention, and with its inverse.

    Each run's `invert-spatial/SPLIT` is replaced as a whole; its `eval` stays as it is. Where clips
    vote on a sequence, it is sequences that are scored, in a run of folds those of all folds.

    Args:
        runs: Run directories.
        split: `val` or `train`; both are cut as validation clips are.
        checkpoint: `last` (`model.safetensors`), `best`, or a file with weights.
        data: Dataset to read instead of each run's own.
        batch_size: Clips in one pass over all processes; the run's own where None.
        workers: Processes that read clips; the run's own setting where None.
        device: Where to compute, unless `world` says so.
        precision: Arithmetic; the run's own where None.
        dry_run: Say what would be done, and touch nothing.
        world: Processes to share the clips among; those `torchrun` started where None.
        reporter: Shows progress.

    Returns:
        One row a run; on processes other than the first, nothing.

    Raises:
        AttncliError: A run has no spatial attention, or it, its weights or the data cannot be
            used; nothing was written for it.
    """
    opened = open_folds(runs, split=split, checkpoint=checkpoint)
    tasks = plan(
        [path for one in opened for path in one.paths],
        split=split,
        checkpoint=checkpoint,
        data=data,
        batch_size=batch_size,
        workers=workers,
        precision=precision,
        reporter=reporter,
    )
    for task in tasks:
        require_attention(task.run, "spatial")
    rest = iter(tasks)
    jobs = [_Job(one.run, [next(rest) for _ in one.paths], reporter) for one in opened]
    if dry_run:
        return Outcome(rows=[task.planned(job.out) for job in jobs for task in job.tasks])
    return do_together(jobs, device=device, world=world)


@dataclass(frozen=True)
class _Job:
    """The test of one run."""

    run: Run
    tasks: Sequence[Task]
    """One, or one a fold."""
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.run.directory.path / "invert-spatial" / self.tasks[0].split

    def __call__(self, world: World) -> Outcome:
        shares = [world.gather(self._answers(task, world)) for task in self.tasks]
        if not world.leads:
            return Outcome()
        outcome = self._write([joined(parts) for parts in shares])
        self.reporter.note(f"wrote {self.out}")
        return outcome

    def _answers(self, task: Task, world: World) -> Answers:
        """Answer this process's share of the clips; their features are computed once."""
        model = open_network(task.run, weights=task.weights, device=world.device)
        network = cast(BranchNetwork, model)

        def ask(batch: ClipBatch) -> dict[str, Tensor]:
            features = network.extract(batch.frames)
            inverted = network.answer(features, AttentionEdit(invert_spatial=True))
            return {OWN: network.answer(features).scores, INVERTED: inverted.scores}

        return answer_clips(
            task,
            ask,
            kinds=(OWN, INVERTED),
            label=f"invert {task.run.directory.path.name} on {task.split}",
            world=world,
            reporter=self.reporter,
        )

    def _write(self, answers: Sequence[Answers]) -> Outcome:
        own, inverted = (self._predictions(answers, kind) for kind in (OWN, INVERTED))
        failures = [*chain.from_iterable(part.failures for part in answers)]
        row = {**self.tasks[0].row, "run": str(self.run.directory.path)}
        if isinstance(self.run.config, SequenceConfig):
            unit, figure = "sequences", "accuracy"
            row |= {"folds": len(answers)} if len(answers) > 1 else {}
            row |= {unit: len(own.ids), "failed": len({failure.id for failure in failures})}
            row |= _with_drops({figure: (accuracy_percent(own), accuracy_percent(inverted))})
        else:
            unit, figure = "clips", "top1"
            row |= {**counts(self.tasks[0], answers[0]), **_ranks(self.tasks[0], answers[0])}
        with replacing_directory(self.out) as out:
            write_predictions(out / "predictions.csv", inverted)
            classes = _by_class(own, inverted, unit, figure)
            classes.to_csv(out / "classes.csv", index=False, lineterminator="\n")
            write_failures(out / "failures.jsonl", failures)
            write_metrics(out / "metrics.json", row)
        return Outcome(rows=[row], failures=failures)

    def _predictions(self, answers: Sequence[Answers], kind: str) -> Predictions:
        parts = zip(self.tasks, answers, strict=True)
        return join_predictions([scoring(task).predictions(task, own, kind) for task, own in parts])


def _ranks(task: Task, answers: Answers) -> Row:
    """Return top-1 and top-5 of clips."""
    own, inverted = (accuracies(task, answers, kind) for kind in (OWN, INVERTED))
    return _with_drops({f"top{rank}": (own[rank], inverted[rank]) for rank in RANKS})


def _with_drops(figures: Mapping[str, tuple[float | None, float | None]]) -> Row:
    """Return figures in percent, own and inverted, and what is lost in percentage points."""
    return {
        **{name: own for name, (own, _) in figures.items()},
        **{f"{name}{INVERTED}": inverted for name, (_, inverted) in figures.items()},
        **{f"{name}_drop": _drop(own, inverted) for name, (own, inverted) in figures.items()},
    }


def _by_class(own: Predictions, inverted: Predictions, unit: str, figure: str) -> pd.DataFrame:
    """Return a line for each class that the split has clips or sequences of."""
    labels = np.array(own.labels)
    hits = [labels == np.array(made.predicted) for made in (own, inverted)]
    lines = []
    for name in own.classes:
        members = labels == name
        if members.any():
            before, after = (100 * float(right[members].mean()) for right in hits)
            lines.append((name, int(members.sum()), before, after, before - after))
    return pd.DataFrame(lines, columns=["class", unit, figure, f"{figure}{INVERTED}", "drop"])


def _drop(own: float | None, inverted: float | None) -> float | None:
    return None if own is None or inverted is None else own - inverted

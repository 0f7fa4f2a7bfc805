"""Measure what spatial attention is worth: invert it, and see how much accuracy is lost.

Where attention M acts on the features, 1 - M acts instead (ST-ABN, equation 7). The more a network
owes to the places it attends to, the more it loses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd
from torch import Tensor

from attncli.config.training import Precision
from attncli.data.samples import Split
from attncli.files.atomic import replacing_directory
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.predictions import write_predictions
from attncli.metrics.accuracy import top_k_percent
from attncli.reporting import Reporter
from attncli.training.distributed import World
from attncli.types import AttentionEdit, BranchNetwork, ClipBatch
from attncli.workflows.answers import (
    RANKS,
    Answers,
    Task,
    accuracies,
    answer_clips,
    counts,
    do_together,
    joined,
    labels,
    plan,
    predictions,
)
from attncli.workflows.outcome import Outcome, Row
from attncli.workflows.trained import open_network, require_attention

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

    Each run's `invert-spatial/SPLIT` is replaced as a whole; its `eval` stays as it is.

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
    tasks = plan(
        runs,
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
    jobs = [_Job(task, reporter) for task in tasks]
    if dry_run:
        return Outcome(rows=[job.task.planned(job.out) for job in jobs])
    return do_together(jobs, device=device, world=world)


@dataclass(frozen=True)
class _Job:
    """The test of one run."""

    task: Task
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.task.run.directory.path / "invert-spatial" / self.task.split

    def __call__(self, world: World) -> Outcome:
        shares = world.gather(self._answers(world))
        if not world.leads:
            return Outcome()
        outcome = self._write(joined(shares))
        self.reporter.note(f"wrote {self.out}")
        return outcome

    def _answers(self, world: World) -> Answers:
        """Answer this process's share of the clips; their features are computed once."""
        task = self.task
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

    def _write(self, answers: Answers) -> Outcome:
        row = {**self.task.row, **counts(self.task, answers), **_figures(self.task, answers)}
        with replacing_directory(self.out) as out:
            write_predictions(out / "predictions.csv", predictions(self.task, answers, INVERTED))
            classes = _by_class(self.task, answers)
            classes.to_csv(out / "classes.csv", index=False, lineterminator="\n")
            write_failures(out / "failures.jsonl", answers.failures)
            write_metrics(out / "metrics.json", row)
        return Outcome(rows=[row], failures=list(answers.failures))


def _figures(task: Task, answers: Answers) -> Row:
    """Return the accuracies in percent, and what is lost in percentage points."""
    own, inverted = (accuracies(task, answers, kind) for kind in (OWN, INVERTED))
    return {
        **{f"top{rank}": own[rank] for rank in RANKS},
        **{f"top{rank}{INVERTED}": inverted[rank] for rank in RANKS},
        **{f"top{rank}_drop": _drop(own[rank], inverted[rank]) for rank in RANKS},
    }


def _by_class(task: Task, answers: Answers) -> pd.DataFrame:
    """Return a line for each class that the split has clips of."""
    own = labels(task, answers)
    lines = []
    for label in sorted(set(own[own >= 0].tolist())):
        clips = own == label
        top1, inverted = (
            top_k_percent(answers.scores[kind][clips], own[clips], 1) for kind in (OWN, INVERTED)
        )
        lines.append(
            (task.class_name(label), int(clips.sum()), top1, inverted, _drop(top1, inverted))
        )
    return pd.DataFrame(lines, columns=["class", "clips", "top1", f"top1{INVERTED}", "drop"])


def _drop(own: float | None, inverted: float | None) -> float | None:
    return None if own is None or inverted is None else own - inverted

"""Measure what spatial attention is worth: invert it, and see how much accuracy is lost.

Where attention M acts on the features, 1 - M acts instead (ST-ABN, equation 7). The more a network
owes to the places it attends to, the more it loses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from torch import Tensor

from attncli.batches import ClipBatch
from attncli.config.evaluate import AskCall
from attncli.errors import Failure
from attncli.evaluation.answers import Answers, accuracy_percent, joined
from attncli.evaluation.class_scores import ClassScores
from attncli.files.atomic import replacing_directory
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.predictions import Predictions, join_predictions, write_predictions
from attncli.files.runs import Run
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.types import AttentionEdit, BranchNetwork
from attncli.workflows.evaluate.folds import open_runs
from attncli.workflows.evaluate.trial import Trial, do_together
from attncli.workflows.runs.network import require_attention
from attncli.workflows.runs.several import runs_of, with_means

OWN, INVERTED = "", "_inverted"
"""What the network answers with its own attention and with 1 - M, as their figures end."""


def invert_runs(
    call: AskCall,
    *,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Score runs on every clip of a split with their own spatial attention, and with its inverse.

    Each run's `invert-spatial/SPLIT` is replaced as a whole; its `eval` stays as it is. Where clips
    vote on a sequence, it is sequences that are scored, in a run of folds those of all folds.

    Args:
        call: Which runs to ask, and what; of its device nothing counts where there is a `world`.
        dry_run: Say what would be done, and touch nothing.
        world: Processes to share the clips among; those `torchrun` started where None.
        reporter: Shows progress.

    Returns:
        One row a run, after those of several seeds their means and spreads; on processes other
        than the first, nothing.

    Raises:
        AttncliError: A run has no spatial attention, or it, its weights or the data cannot be
            used; nothing was written for it.
    """
    members = {path: runs_of(path) for path in call.runs}
    call = replace(call, runs=tuple(run for own in members.values() for run in own))
    opened = open_runs(call, reporter)
    for trial in (trial for one in opened for trial in one.trials):
        require_attention(trial.run, "spatial")
    jobs = [_Job(one.run, one.trials, reporter) for one in opened]
    if dry_run:
        return Outcome(rows=[trial.planned(job.out) for job in jobs for trial in job.trials])
    outcome = do_together(jobs, device=call.device, world=world)
    return Outcome(with_means(members, outcome.rows), outcome.failures, outcome.inputs)


def _ask(network: BranchNetwork, batch: ClipBatch) -> dict[str, Tensor]:
    """Return class scores with a network's own attention and its inverse, features had once."""
    features = network.extract(batch.frames)
    inverted = network.answer(features, AttentionEdit(invert_spatial=True))
    return {OWN: network.answer(features).scores, INVERTED: inverted.scores}


@dataclass(frozen=True)
class _Job:
    """The test of one run."""

    run: Run
    trials: Sequence[Trial]
    """One, or one a fold."""
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.run.directory.path / "invert-spatial" / self.trials[0].split

    def __call__(self, world: World) -> Outcome:
        asked = [self._answers(trial, world) for trial in self.trials]
        if not world.leads:
            return Outcome()
        outcome = self._write(asked)
        self.reporter.note(f"wrote {self.out}")
        return outcome

    def _answers(self, trial: Trial, world: World) -> "_Answered":
        """Return what all processes answered of a trial."""
        scores: ClassScores = trial.evaluation(trial.asked(), kinds=(OWN, INVERTED))
        label = f"invert {trial.run.directory.path.name} on {trial.split}"
        reporter = self.reporter
        failures = trial.put(_ask, scores.add_scores, label=label, world=world, reporter=reporter)
        shares = world.gather((scores.share()[0], failures))
        failed = [failure for _, part in shares for failure in part]
        return _Answered(scores, joined([part for part, _ in shares]), failed)

    def _write(self, answered: "Sequence[_Answered]") -> Outcome:
        own, inverted = (
            join_predictions([one.scores.predictions(one.answers, kind) for one in answered])
            for kind in (OWN, INVERTED)
        )
        failures = [failure for one in answered for failure in one.failures]
        row = {**self.trials[0].row, "run": str(self.run.directory.path)}
        row |= {"folds": len(answered)} if len(answered) > 1 else {}
        row |= _counts(answered)
        first = answered[0].scores
        if len(answered) > 1:
            shares = {first.chief: (accuracy_percent(own), accuracy_percent(inverted))}
        else:
            right = [first.shares_right(answered[0].answers, kind) for kind in (OWN, INVERTED)]
            shares = {name: (right[0][name], right[1][name]) for name in right[0]}
        row |= _with_drops(shares)
        with replacing_directory(self.out) as out:
            write_predictions(out / "predictions.csv", inverted)
            classes = _by_class(own, inverted, first.unit, first.chief)
            classes.to_csv(out / "classes.csv", index=False, lineterminator="\n")
            write_failures(out / "failures.jsonl", failures)
            write_metrics(out / "metrics.json", row)
        inputs = sum(len(trial.dataset.samples) for trial in self.trials)
        return Outcome([row], failures, inputs)


@dataclass(frozen=True)
class _Answered:
    """What all processes know of one trial."""

    scores: ClassScores
    answers: Answers
    failures: list[Failure]


def _counts(answered: Sequence[_Answered]) -> Row:
    """Return how much was answered in all trials together; sequences vote, so no clips of them."""
    counts = [one.scores.counts(one.answers, one.failures) for one in answered]
    left_out = {"clips"} - {answered[0].scores.unit}
    names = [name for name in counts[0] if name not in left_out]
    return {name: sum(cast(int, count[name]) for count in counts) for name in names}


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

"""Score trained runs on a split of a dataset, and keep their predictions and attention maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.config.evaluate import EvaluateCall
from attncli.data.samples import UNKNOWN_LABEL
from attncli.errors import AttncliError, Failure, Remark, UsageError
from attncli.files.atomic import replacing_directory, temporary_directory
from attncli.files.evaluations import write_made
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.temporal_edits import read_temporal_edits
from attncli.reporting import Outcome, Reporter
from attncli.training.distributed import World
from attncli.training.validation import Evaluation
from attncli.workflows.evaluate.earlier import earlier_outcome, keep_others, made_from, stands
from attncli.workflows.evaluate.folds import FoldsJob, compare_with_first, open_runs
from attncli.workflows.evaluate.trial import Trial, do_together
from attncli.workflows.runs.source import open_source


def evaluate_runs(
    call: EvaluateCall,
    *,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Evaluate runs on every clip of a split; each one's `eval/SPLIT` is replaced as a whole.

    What is there already of the same weights, samples and options is left alone, unless the call
    wants it `again`. Of the same answers everything stays that other options or commands have
    made of them.

    Args:
        call: Which runs to ask, and what; of its device nothing counts where there is a `world`.
        dry_run: Say what would be done, and touch nothing.
        world: Processes to share the clips among; those `torchrun` started where None. Who has
            joined them already must pass it.
        reporter: Shows progress.

    Returns:
        One row a run; on processes other than the first, nothing.

    Raises:
        AttncliError: A run, its weights, the data or the edits cannot be used; nothing was written
            for it.
    """
    opened = open_runs(call, reporter)
    jobs = [
        [
            _Job(trial, _edited_classes(trial, call.temporal_edits), call.again, reporter)
            for trial in one.trials
        ]
        for one in opened
    ]
    if dry_run:
        return Outcome(rows=[job.trial.planned(job.out) for of_run in jobs for job in of_run])
    whole = [
        FoldsJob(one.run, of_run, reporter) if one.folds else of_run[0]
        for one, of_run in zip(opened, jobs, strict=True)
    ]
    outcome = do_together(whole, device=call.device, world=world)
    compare_with_first(outcome.rows, reporter)
    return outcome


@dataclass(frozen=True)
class _Job:
    """The evaluation of one run."""

    trial: Trial
    apart: frozenset[int] | None
    again: bool
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.trial.run.directory.evaluation_path(self.trial.split)

    def __call__(self, world: World) -> Outcome:
        origin = made_from(self.trial)
        is_earlier = stands(self.out, origin)
        world.wait()  # until every process has seen what is there
        if is_earlier and self.apart is None and not self.again:
            self.reporter.note(
                f"{self.out} stands: same weights, data and options (--again evaluates anew)"
            )
            return earlier_outcome(self.out) if world.leads else Outcome()
        # Each process keeps its share of the attention in a place of its own until all have come.
        with temporary_directory(self.out.parent) as part:
            trial, doubts = self.trial, set[Remark]()
            with trial.evaluation(trial.asked(keep=part, apart=self.apart)) as evaluation:
                failures = trial.put(
                    evaluation.ask,
                    evaluation.add,
                    label=f"eval {trial.run.directory.path.name} on {trial.split}",
                    world=world,
                    reporter=self.reporter,
                    doubts=doubts,
                )
            shares = world.gather((evaluation.share(), failures))
            outcome = Outcome()
            if world.leads:
                outcome = self._write(evaluation, shares, is_earlier=is_earlier)
                # What was warned of is to be said again: such an evaluation does not stand.
                if not doubts:
                    write_made(self.out, origin)
            world.wait()
        if world.leads:
            self.reporter.note(f"wrote {self.out}")
        return outcome

    def _write(
        self,
        evaluation: Evaluation[Any],
        shares: Sequence[tuple[Any, tuple[Failure, ...]]],
        *,
        is_earlier: bool,
    ) -> Outcome:
        """Write all of `eval/SPLIT` from the shares of all processes, and return its figures."""
        failures = [failure for _, failed in shares for failure in failed]
        with replacing_directory(self.out) as out:
            figures = evaluation.write([share for share, _ in shares], failures, out)
            write_failures(out / "failures.jsonl", failures)
            row = {**self.trial.row, **figures}
            if is_earlier:
                row = keep_others(self.out, out, row)
            write_metrics(out / "metrics.json", row, weights=self.trial.weights)
        return Outcome([row], failures, inputs=len(self.trial.dataset.samples))


def _edited_classes(trial: Trial, edits: Path | None) -> frozenset[int] | None:
    """Return the classes of the training clips that `edits` edits."""
    if edits is None:
        return None
    run = trial.run
    if catalog.method(run.method).task.watch is None:
        what = f"clips of {run.method} cannot be edited"
        raise UsageError(what, where="--temporal-edits", remedy="leave it out")
    # `--data` may name another dataset, but people edit what was trained on.
    own: Any = open_source(run.method, run.config, run.directory.path).open("train")
    classes = {sample.id: sample.label for sample in own.samples}
    edited = {
        classes[id_] for id_ in read_temporal_edits(edits, known=classes, allow_partial=True).ids
    }
    if not edited - {UNKNOWN_LABEL}:
        raise AttncliError(
            "edits no clip that has a class", where=edits, remedy="fill it in, or leave it out"
        )
    return frozenset(edited)

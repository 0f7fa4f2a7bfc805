"""Score trained runs on a split of a dataset, and keep their predictions and attention maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from attncli.config.training import ClipConfig, Precision
from attncli.data.layouts import open_dataset
from attncli.data.samples import UNKNOWN_LABEL, Split
from attncli.errors import AttncliError, UsageError
from attncli.files.atomic import replacing_directory, temporary_directory
from attncli.files.attention import AttentionWriter, ClipRecord, merge_attention
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.predictions import write_predictions
from attncli.files.temporal_edits import read_temporal_edits
from attncli.reporting import Outcome, Reporter
from attncli.training.distributed import World
from attncli.types import BranchOutputs, ClipBatch
from attncli.workflows.evaluate.answers import (
    Answers,
    Task,
    answer_clips,
    do_together,
    joined,
    plan,
)
from attncli.workflows.evaluate.folds import FoldsJob, compare_with_first, open_folds
from attncli.workflows.evaluate.scoring import ATTENTION, PERCEPTION, Scoring, branches, scoring
from attncli.workflows.evaluate.sharpness import sharpness
from attncli.workflows.runs.network import open_network

CROP_DECIMALS = 3  # of a source pixel


def evaluate_runs(
    runs: Sequence[Path],
    *,
    split: Split = "val",
    checkpoint: str = "last",
    data: Path | None = None,
    frames: int | None = None,
    temporal_edits: Path | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    device: str = "auto",
    precision: Precision | None = None,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Evaluate runs on every clip of a split; each one's `eval/SPLIT` is replaced as a whole.

    Args:
        runs: Run directories.
        split: `val` or `train`; both are cut as validation clips are.
        checkpoint: `last` (`model.safetensors`), `best`, or a file with weights.
        data: Dataset to read instead of each run's own.
        frames: Frames of a clip; the run's own where None.
        temporal_edits: File of temporal edits; classes it edits a training clip of are scored
            besides, and so are all others.
        batch_size: Clips in one pass over all processes; the run's own where None.
        workers: Processes that read clips; the run's own setting where None.
        device: Where to compute, unless `world` says so.
        precision: Arithmetic; the run's own where None.
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
    opened = open_folds(runs, split=split, checkpoint=checkpoint)
    tasks = plan(
        [path for one in opened for path in one.paths],
        split=split,
        checkpoint=checkpoint,
        data=data,
        frames=frames,
        batch_size=batch_size,
        workers=workers,
        precision=precision,
        reporter=reporter,
    )
    jobs = iter(
        [
            _Job(task, scoring(task, _edited_classes(task, temporal_edits)), reporter)
            for task in tasks
        ]
    )
    if dry_run:
        return Outcome(rows=[job.task.planned(job.out) for job in jobs])
    whole = [
        FoldsJob(one.run, [next(jobs) for _ in one.folds], reporter) if one.folds else next(jobs)
        for one in opened
    ]
    outcome = do_together(whole, device=device, world=world)
    compare_with_first(outcome.rows, reporter)
    return outcome


@dataclass(frozen=True)
class _Job:
    """The evaluation of one run."""

    task: Task
    scoring: Scoring
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.task.run.directory.evaluation_path(self.task.split)

    def __call__(self, world: World) -> Outcome:
        # Each process keeps its share of the attention in a place of its own until all have come.
        with temporary_directory(self.out.parent) as part:
            shares = world.gather((self._answers(world, part), part))
            outcome = self._write(shares) if world.leads else Outcome()
            world.wait()
        if world.leads:
            self.reporter.note(f"wrote {self.out}")
        return outcome

    def _answers(self, world: World, part: Path) -> Answers:
        """Answer this process's share of the clips; their attention goes to `part`."""
        task = self.task
        model = open_network(task.run, weights=task.weights, device=world.device)
        with AttentionWriter(part) as writer:

            def ask(batch: ClipBatch) -> dict[str, Tensor]:
                outputs: BranchOutputs = model(batch.frames)
                writer.append(
                    _records(task, batch, outputs),
                    spatial=_array(outputs.spatial_attention),
                    temporal=_array(outputs.temporal_attention),
                )
                return _scores(outputs)

            return answer_clips(
                task,
                ask,
                kinds=branches(task.run),
                label=f"eval {task.run.directory.path.name} on {task.split}",
                world=world,
                reporter=self.reporter,
            )

    def _write(self, shares: Sequence[tuple[Answers, Path]]) -> Outcome:
        """Write all of `eval/SPLIT` from the shares of all processes, and return its figures."""
        answers = joined([share for share, _ in shares])
        with replacing_directory(self.out) as out:
            attention = out / "attention"
            merge_attention([part for _, part in shares], attention)
            for branch in answers.scores:
                path = out / f"{branch}predictions.csv"
                write_predictions(path, self.scoring.predictions(self.task, answers, branch))
            write_failures(out / "failures.jsonl", answers.failures)
            figures = self.scoring.figures(self.task, answers)
            row = {**self.task.row, **figures, **sharpness(attention)}
            write_metrics(out / "metrics.json", row)
        return Outcome(rows=[row], failures=list(answers.failures))


def _edited_classes(task: Task, edits: Path | None) -> frozenset[int] | None:
    """Return the classes of the training clips that `edits` edits."""
    if edits is None:
        return None
    own = task.config  # `--data` may name another dataset, but people edit what was trained on
    if not isinstance(own, ClipConfig):
        raise UsageError(f"no clips of {task.run.method} are edited", where="--temporal-edits")
    training = open_dataset(
        own.data, layout=own.layout, split="train", split_number=own.split_number
    )
    classes = {sample.id: sample.label for sample in training.samples}
    edited = {classes[id_] for id_ in read_temporal_edits(edits, known=classes).ids}
    if not edited - {UNKNOWN_LABEL}:
        raise AttncliError(
            "edits no clip that has a class", where=edits, remedy="fill it in, or leave it out"
        )
    return frozenset(edited)


def _scores(outputs: BranchOutputs) -> dict[str, Tensor]:
    scores = {PERCEPTION: outputs.scores, ATTENTION: outputs.attention_scores}
    return {branch: values for branch, values in scores.items() if values is not None}


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else values.float().cpu().numpy()


def _records(task: Task, batch: ClipBatch, outputs: BranchOutputs) -> list[ClipRecord]:
    columns = (
        batch.rows.tolist(),
        outputs.scores.float().cpu().numpy().argmax(axis=1).tolist(),  # of equal ones the first
        batch.frame_indices.tolist(),
        batch.crops.tolist(),
        batch.flips.tolist(),
    )
    return [
        ClipRecord(
            row=row,
            id=task.dataset.samples[row].id,
            label=task.class_name(task.dataset.samples[row].label),
            predicted=task.run.classes[predicted],
            frames=tuple(frames),
            crop=tuple(round(edge, CROP_DECIMALS) for edge in crop),
            flip=flip,
        )
        for row, predicted, frames, crop, flip in zip(*columns, strict=True)
    ]

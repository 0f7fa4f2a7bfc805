"""Score trained runs on a split of a dataset, and keep their predictions and attention maps."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from attncli import catalog
from attncli.config.training import ClipConfig, Precision
from attncli.data.clips import ClipDataset, clip_loader
from attncli.data.layouts import open_dataset
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import replacing_directory
from attncli.files.attention import AttentionWriter, ClipRecord, merge_attention, open_attention
from attncli.files.checkpoints import load_weights, read_weights
from attncli.files.failures import write_failures
from attncli.files.metrics import write_metrics
from attncli.files.predictions import Predictions, write_predictions
from attncli.files.runs import Run, load
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.fusion import fuse_for_inference
from attncli.metrics.accuracy import top_k_percent
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Reporter
from attncli.training.distributed import World, join
from attncli.training.learner import autocast
from attncli.types import BranchOutputs, ClipBatch
from attncli.workflows.outcome import Outcome, Row

CROP_DECIMALS = 3  # of a source pixel


@dataclass(frozen=True)
class _Task:
    """One run and what to evaluate it on."""

    run: Run
    weights: Path
    dataset: VideoDataset
    split: str
    config: ClipConfig
    source: Row
    """Checkpoint and data, where they are not the run's own."""

    @property
    def row(self) -> Row:
        name = str(self.run.directory.path)
        return {"run": name, "method": self.run.method, "split": self.split, **self.source}

    @property
    def directory(self) -> Path:
        return self.run.directory.evaluation_path(self.split)

    def part(self, rank: int) -> Path:
        """Where a process keeps its share of the attention until all have come."""
        return self.directory.with_name(f".{self.split}.rank{rank}")


@dataclass(frozen=True)
class _Answers:
    """What the network says of some clips, and which could not be read."""

    rows: np.ndarray
    scores: np.ndarray
    attention_scores: np.ndarray | None
    failures: tuple[Failure, ...]


def evaluate_runs(
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
    """Evaluate runs on every clip of a split; each one's `eval/SPLIT` is replaced as a whole.

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
        world: Processes to share the clips among; those `torchrun` started where None. Who has
            joined them already must pass it.
        reporter: Shows progress.

    Returns:
        One row a run; on processes other than the first, nothing.

    Raises:
        AttncliError: A run, its weights or the data cannot be used; nothing was written for it.
    """
    settings = {"batch_size": batch_size, "workers": workers, "precision": precision}
    given = {name: value for name, value in settings.items() if value is not None}
    tasks = [_plan(load(path), split, checkpoint, data, given) for path in runs]
    if dry_run:
        return Outcome(rows=[_planned(task) for task in tasks])
    for note in dict.fromkeys(note for task in tasks for note in task.dataset.notes):
        reporter.note(note)
    reuse_freed_memory()
    context: AbstractContextManager[World] = join(device) if world is None else nullcontext(world)
    with context as members:
        outcomes = [_evaluate(task, members, reporter) for task in tasks]
    return Outcome(
        rows=[row for outcome in outcomes for row in outcome.rows],
        failures=[failure for outcome in outcomes for failure in outcome.failures],
    )


def _plan(
    run: Run, split: Split, checkpoint: str, data: Path | None, given: dict[str, Any]
) -> _Task:
    config = replace(cast(ClipConfig, run.config), **given)
    layout = config.layout if data is None else "auto"
    dataset = open_dataset(
        data or config.data, layout=layout, split=split, split_number=config.split_number
    )
    _require_same_classes(run, dataset)
    weights = {
        "last": run.directory.weights_path,
        "best": run.directory.best_checkpoint_path,
    }.get(checkpoint, Path(checkpoint))
    if not weights.is_file():
        raise AttncliError(
            "no such weights", where=weights, remedy="train the run to its end, or see --checkpoint"
        )
    source: Row = {} if checkpoint == "last" else {"checkpoint": checkpoint}
    source |= {} if data is None else {"data": str(data)}
    return _Task(run, weights, dataset, split, config, source)


def _planned(task: _Task) -> Row:
    return {**task.row, "clips": len(task.dataset.samples), "out": str(task.directory)}


def _require_same_classes(run: Run, dataset: VideoDataset) -> None:
    if not dataset.classes or dataset.classes == run.classes:
        return
    pairs = zip(run.classes, dataset.classes, strict=False)
    shorter = min(len(run.classes), len(dataset.classes))
    number = next((i for i, (own, other) in enumerate(pairs) if own != other), shorter)
    own, other = (
        repr(names[number]) if number < len(names) else "missing"
        for names in (run.classes, dataset.classes)
    )
    raise AttncliError(
        f"class {number + 1} is {other}, but {own} in {run.directory.path}",
        where=dataset.root,
        remedy="evaluate on data with the classes the run was trained on",
    )


def _evaluate(task: _Task, world: World, reporter: Reporter) -> Outcome:
    part = task.part(world.rank)
    shutil.rmtree(part, ignore_errors=True)
    try:
        answers = _answer_clips(task, _model(task, world), world, reporter)
        shares = world.gather(answers)
        outcome = _write(task, shares) if world.leads else Outcome()
        world.wait()
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if world.leads:
        reporter.note(f"wrote {task.directory}")
    return outcome


def _model(task: _Task, world: World) -> nn.Module:
    """Return the run's network with its weights, on the device of this process."""
    build = catalog.load(catalog.method(task.run.method).build)
    model, _ = build(task.run.config.without_published_weights(), len(task.run.classes))
    load_weights(model, read_weights(task.weights), where=task.weights)
    return fuse_for_inference(model).to(world.device, memory_format=torch.channels_last_3d)


def _answer_clips(task: _Task, model: nn.Module, world: World, reporter: Reporter) -> _Answers:
    """Put this process's share of the clips through the model; attention goes to its part."""
    rows = world.share(range(len(task.dataset.samples)))
    step = max(1, task.config.batch_size // world.size)
    batches = [rows[start : start + step] for start in range(0, len(rows), step)]
    loader = _loader(task, batches, world)
    label = f"eval {task.run.directory.path.name} on {task.split}"
    answers = []
    with AttentionWriter(task.part(world.rank)) as writer:
        for batch in reporter.track(loader, label=label, total=len(batches), unit="batches"):
            if len(batch.rows) == 0:
                answers.append(_nothing(task, batch.failures))
                continue
            outputs = _forward(task, model, batch, world)
            answers.append(_answers_to(batch, outputs))
            writer.append(
                _records(task, batch, outputs),
                spatial=_array(outputs.spatial_attention),
                temporal=_array(outputs.temporal_attention),
            )
    return _joined([_nothing(task, ()), *answers])


def _loader(task: _Task, batches: list[list[int]], world: World) -> Iterable[ClipBatch]:
    clips = ClipDataset(task.dataset, task.config, training=False, seed=task.config.seed)
    pin = world.device.type == "cuda"
    loader = clip_loader(
        clips, batches=batches, workers=world.readers(task.config.workers), pin=pin
    )
    return cast(Iterable[ClipBatch], loader)


def _forward(task: _Task, model: nn.Module, batch: ClipBatch, world: World) -> BranchOutputs:
    with torch.inference_mode(), autocast(world.device, task.config.precision):
        outputs: BranchOutputs = model(batch.to(world.device).frames)
    if not torch.isfinite(outputs.scores).all():
        raise AttncliError(
            "these weights give class scores that are not finite",
            where=task.weights,
            remedy="try --precision fp32 or another --checkpoint",
        )
    return outputs


def _answers_to(batch: ClipBatch, outputs: BranchOutputs) -> _Answers:
    scores = outputs.scores.float().cpu().numpy()
    return _Answers(
        batch.rows.numpy(), scores, _array(outputs.attention_scores), failures=batch.failures
    )


def _nothing(task: _Task, failures: tuple[Failure, ...]) -> _Answers:
    scores = np.empty((0, len(task.run.classes)), dtype=np.float32)
    return _Answers(np.empty(0, dtype=np.int64), scores, None, failures)


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else values.float().cpu().numpy()


def _joined(answers: Sequence[_Answers]) -> _Answers:
    """Return several answers as one, in the order of the dataset."""
    rows = np.concatenate([part.rows for part in answers])
    order = np.argsort(rows)
    branch = [part.attention_scores for part in answers if part.attention_scores is not None]
    return _Answers(
        rows=rows[order],
        scores=np.concatenate([part.scores for part in answers])[order],
        attention_scores=np.concatenate(branch)[order] if branch else None,
        failures=tuple(chain.from_iterable(part.failures for part in answers)),
    )


def _records(task: _Task, batch: ClipBatch, outputs: BranchOutputs) -> list[ClipRecord]:
    columns = (
        batch.rows.tolist(),
        outputs.scores.argmax(dim=1).tolist(),
        batch.frame_indices.tolist(),
        batch.crops.tolist(),
        batch.flips.tolist(),
    )
    return [
        ClipRecord(
            row=row,
            id=task.dataset.samples[row].id,
            label=_class_name(task, task.dataset.samples[row].label),
            predicted=task.run.classes[predicted],
            frames=tuple(frames),
            crop=tuple(round(edge, CROP_DECIMALS) for edge in crop),
            flip=flip,
        )
        for row, predicted, frames, crop, flip in zip(*columns, strict=True)
    ]


def _class_name(task: _Task, label: int) -> str:
    return "" if label == UNKNOWN_LABEL else task.run.classes[label]


def _write(task: _Task, shares: Sequence[_Answers]) -> Outcome:
    """Write all of `eval/SPLIT` from the shares of all processes, and return its figures."""
    answers = _joined(shares)
    with replacing_directory(task.directory) as out:
        attention = out / "attention"
        merge_attention([task.part(rank) for rank in range(len(shares))], attention)
        write_predictions(out / "predictions.csv", _predictions(task, answers.rows, answers.scores))
        if answers.attention_scores is not None:
            branch = _predictions(task, answers.rows, answers.attention_scores)
            write_predictions(out / "attention_predictions.csv", branch)
        write_failures(out / "failures.jsonl", answers.failures)
        row = {**task.row, **_accuracies(task, answers), **_sharpness(attention)}
        write_metrics(out / "metrics.json", row)
    return Outcome(rows=[row], failures=list(answers.failures))


def _predictions(task: _Task, rows: np.ndarray, scores: np.ndarray) -> Predictions:
    samples = [task.dataset.samples[row] for row in rows]
    return Predictions(
        ids=[sample.id for sample in samples],
        labels=[_class_name(task, sample.label) for sample in samples],
        predicted=[task.run.classes[best] for best in scores.argmax(axis=1)],
        classes=task.run.classes,
        probabilities=torch.from_numpy(scores).softmax(dim=1).numpy(),
    )


def _accuracies(task: _Task, answers: _Answers) -> Row:
    labels = np.array([task.dataset.samples[row].label for row in answers.rows], dtype=np.int64)
    figures: Row = {
        "clips": len(answers.rows),
        "failed": len(answers.failures),
        "unlabelled": int(np.sum(labels == UNKNOWN_LABEL)),
    }
    for prefix, scores in (("", answers.scores), ("attention_", answers.attention_scores)):
        if scores is not None:
            for rank in (1, 5):
                figures[f"{prefix}top{rank}"] = top_k_percent(scores, labels, rank)
    return figures


def _sharpness(attention: Path) -> Row:
    """Return the entropy with the paper's settings, where there are maps to measure."""
    spatial = open_attention(attention).spatial if attention.is_dir() else None
    return {} if spatial is None else {"entropy": float(map_entropy(spatial).clip_bits.mean())}

"""What the networks of runs say of every clip of a split; several processes share the clips."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from attncli.config.training import Precision
from attncli.data.clips.guides import Guidance
from attncli.data.clips.reading import clip_loader
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset
from attncli.errors import AttncliError, Failure, Remark
from attncli.files.predictions import Predictions
from attncli.files.runs import Run, load
from attncli.layers.allocation import reuse_freed_memory
from attncli.metrics.accuracy import top_k_percent
from attncli.reporting import Outcome, Reporter, Row, warn_of
from attncli.training.distributed import World, join
from attncli.training.learner import autocast
from attncli.types import ClipBatch
from attncli.workflows.runs.network import require_frames
from attncli.workflows.runs.source import ClipSettings, Source, open_source

RANKS = (1, 5)
"""How many classes an answer may name: top-1 and top-5."""

Ask = Callable[[ClipBatch], Mapping[str, Float[Tensor, "b k"]]]
"""Puts a batch, on the network's device, through it: class scores by the kind of answer."""


@dataclass(frozen=True)
class Task:
    """One run, and the clips its network is asked about."""

    run: Run
    """What was trained."""
    weights: Path
    """The weights that answer."""
    source: Source
    """Where the clips come from."""
    dataset: VideoDataset
    """The clips, a sample each."""
    split: Split
    """Which split of the dataset they are."""
    config: ClipSettings
    """How clips are read: the run's settings, but for what the user wants otherwise."""
    differing: Row
    """Checkpoint, data and frames, where they are not the run's own."""

    @property
    def row(self) -> Row:
        """What the row of every command about this task begins with."""
        name = str(self.run.directory.path)
        return {"run": name, "method": self.run.method, "split": self.split, **self.differing}

    def planned(self, out: Path) -> Row:
        """Return what is said of it before it is done; `out` is where it will be written."""
        return {**self.row, "clips": len(self.dataset.samples), "out": str(out)}

    def class_name(self, label: int) -> str:
        """Return the name of a class; empty for that of a clip without one."""
        return "" if label == UNKNOWN_LABEL else self.run.classes[label]


@dataclass(frozen=True)
class Answers:
    """What a network says of some clips, and which could not be read."""

    rows: Int64[np.ndarray, " n"]
    """Position of each clip in the dataset."""
    scores: Mapping[str, Float32[np.ndarray, "n k"]]
    """Class scores by the kind of answer."""
    failures: tuple[Failure, ...]
    """Clips that could not be read, and so are not among `rows`."""


def plan(
    runs: Sequence[Path],
    *,
    split: Split,
    checkpoint: str,
    data: Path | None,
    reporter: Reporter,
    **changes: int | Precision | None,
) -> list[Task]:
    """Return what to ask of each run; nothing is computed yet.

    Args:
        runs: Run directories.
        split: `val` or `train`; both are cut as validation clips are.
        checkpoint: `last` (`model.safetensors`), `best`, or a file with weights.
        data: Dataset to read instead of each run's own.
        reporter: Told what there is to know about the datasets.
        changes: `frames`, `batch_size`, `workers` and `precision`; the run's own where None.

    Raises:
        AttncliError: A run, its weights or the data cannot be used.
        UsageError: A network takes clips of another number of frames only.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    tasks = [_plan(load(path), split, checkpoint, data, given) for path in runs]
    for note in dict.fromkeys(note for task in tasks for note in task.dataset.notes):
        reporter.note(note)
    return tasks


def do_together(
    jobs: Sequence[Callable[[World], Outcome]], *, device: str, world: World | None
) -> Outcome:
    """Do one job after the other, each by all processes, and return their rows and failures.

    Args:
        jobs: What there is to do.
        device: Where to compute, unless `world` says so.
        world: The processes; those `torchrun` started where None.
    """
    reuse_freed_memory()
    with join(device) if world is None else nullcontext(world) as members:
        outcomes = [job(members) for job in jobs]
    return Outcome(
        rows=[row for outcome in outcomes for row in outcome.rows],
        failures=[failure for outcome in outcomes for failure in outcome.failures],
    )


def answer_clips(
    task: Task, ask: Ask, *, kinds: Sequence[str], label: str, world: World, reporter: Reporter
) -> Answers:
    """Put this process's share of the clips through the network.

    Args:
        task: Which clips, and how they are read.
        ask: Puts a batch through the network.
        kinds: The kinds of answer that `ask` gives.
        label: What the work is called while it is shown.
        world: The processes that share the clips.
        reporter: Shows progress.

    Raises:
        AttncliError: The weights give class scores that are not finite.
    """
    rows = world.share(range(len(task.dataset.samples)))
    step = max(1, task.config.batch_size // world.size)
    batches = [rows[start : start + step] for start in range(0, len(rows), step)]
    nothing = np.empty((0, len(task.run.classes)), dtype=np.float32)
    answers = [Answers(np.empty(0, dtype=np.int64), dict.fromkeys(kinds, nothing), ())]
    loader = _loader(task, batches, world)
    remarks: set[Remark] = set()
    for batch in reporter.track(loader, label=label, total=len(batches), unit="batches"):
        remarks.update(batch.remarks)
        if len(batch.rows) == 0:
            answers.append(replace(answers[0], failures=batch.failures))
            continue
        with torch.inference_mode(), autocast(world.device, task.config.precision):
            scores = ask(batch.to(world.device))
        _require_finite(scores, task)
        found = {kind: scores[kind].float().cpu().numpy() for kind in kinds}
        answers.append(Answers(batch.rows.numpy(), found, batch.failures))
    warn_of(set().union(*world.gather(remarks)), reporter)
    return joined(answers)


def joined(answers: Sequence[Answers]) -> Answers:
    """Return several answers as one, in the order of the dataset."""
    rows = np.concatenate([part.rows for part in answers])
    order = np.argsort(rows)
    return Answers(
        rows=rows[order],
        scores={
            kind: np.concatenate([part.scores[kind] for part in answers])[order]
            for kind in answers[0].scores
        },
        failures=tuple(chain.from_iterable(part.failures for part in answers)),
    )


def labels(task: Task, answers: Answers) -> Int64[np.ndarray, " n"]:
    """Return the class of each clip that was answered; -1 where it has none."""
    return np.array([task.dataset.samples[row].label for row in answers.rows], dtype=np.int64)


def counts(task: Task, answers: Answers) -> Row:
    """Return how many clips were answered, could not be read, and have no class."""
    return {
        "clips": len(answers.rows),
        "failed": len(answers.failures),
        "unlabelled": int(np.sum(labels(task, answers) == UNKNOWN_LABEL)),
    }


def accuracies(task: Task, answers: Answers, kind: str) -> dict[int, float | None]:
    """Return top-1 and top-5 accuracy of one kind of answer in percent, by rank."""
    own, scores = labels(task, answers), answers.scores[kind]
    return {rank: top_k_percent(scores, own, rank) for rank in RANKS}


def predictions(task: Task, answers: Answers, kind: str) -> Predictions:
    """Return one kind of answer as it is written."""
    samples = [task.dataset.samples[row] for row in answers.rows]
    return Predictions(
        ids=[sample.id for sample in samples],
        labels=[task.class_name(sample.label) for sample in samples],
        predicted=[task.run.classes[best] for best in answers.scores[kind].argmax(axis=1)],
        classes=task.run.classes,
        probabilities=probabilities(answers, kind),
    )


def probabilities(answers: Answers, kind: str) -> Float32[np.ndarray, "n k"]:
    """Return the probability of each class by one kind of answer, in [0, 1]."""
    return torch.from_numpy(answers.scores[kind]).softmax(dim=1).numpy()


def _plan(
    run: Run,
    split: Split,
    checkpoint: str,
    data: Path | None,
    given: Mapping[str, int | Precision],
) -> Task:
    own = cast(ClipSettings, run.config)
    config = replace(own, **given)  # type: ignore[arg-type]
    require_frames(run, config.frames)
    source = open_source(config, run.directory.path, data)
    dataset = source.open(split)
    _require_same_classes(run, dataset)
    weights = {
        "last": run.directory.weights_path,
        "best": run.directory.best_checkpoint_path,
    }.get(checkpoint, Path(checkpoint))
    if not weights.is_file():
        raise AttncliError(
            "no such weights", where=weights, remedy="train the run to its end, or see --checkpoint"
        )
    differing: Row = {} if checkpoint == "last" else {"checkpoint": checkpoint}
    differing |= {} if data is None else {"data": str(data)}
    differing |= {} if config.frames == own.frames else {"frames": config.frames}
    return Task(run, weights, source, dataset, split, config, differing)


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


def _loader(task: Task, batches: list[list[int]], world: World) -> Iterable[ClipBatch]:
    clips = task.source.read(task.dataset, training=False, guidance=Guidance())
    pin = world.device.type == "cuda"
    loader = clip_loader(
        clips, batches=batches, workers=world.readers(task.config.workers), pin=pin
    )
    return cast(Iterable[ClipBatch], loader)


def _require_finite(scores: Mapping[str, Tensor], task: Task) -> None:
    if not all(torch.isfinite(values).all() for values in scores.values()):
        raise AttncliError(
            "these weights give class scores that are not finite",
            where=task.weights,
            remedy="try --precision fp32 or another --checkpoint",
        )

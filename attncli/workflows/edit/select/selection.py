"""Choose the clips that people are to edit, and make the directory in which they do so."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from attncli import catalog
from attncli.config.edit_temporal import SelectConfig
from attncli.config.evaluate import EvaluateCall
from attncli.data.samples import Split, VideoSample
from attncli.data.video.frame_rate import frame_rate
from attncli.errors import AttncliError, Failure
from attncli.files.clip_directory import ClipDirectory
from attncli.files.failures import read_failures
from attncli.files.locks import held_beside
from attncli.files.metrics import are_of, read_metrics
from attncli.files.outputs import claim
from attncli.files.predictions import read_answers
from attncli.files.runs import Run, load
from attncli.layers.allocation import reuse_freed_memory
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import join
from attncli.workflows.edit.select.mistakes import WeakClass, weak_classes
from attncli.workflows.edit.select.unfinished import (
    Kept,
    Record,
    UnfinishedEdits,
    require_same_settings,
)
from attncli.workflows.edit.select.whole_videos import Kind, Watched
from attncli.workflows.evaluate.networks import evaluate_runs
from attncli.workflows.runs.network import open_network, require_attention
from attncli.workflows.runs.source import open_source

Scored = Literal["train", "val"]
SPLITS: tuple[Scored, ...] = ("train", "val")
OTHER_SOURCES = ("checkpoint", "data", "frames")
"""What the figures of an evaluation name where it was not the run's own."""


@runtime_checkable
class Editing(Protocol):
    """What differs between edits of temporal and of spatial attention."""

    @property
    def kind(self) -> Kind:
        """Which attention is edited."""
        ...

    @property
    def command(self) -> str:
        """Command by which it is edited."""
        ...

    @property
    def picture_px(self) -> int:
        """Short side of the frames' pictures, in pixels."""
        ...

    def directory(self, path: Path) -> ClipDirectory:
        """Return where what is in a directory for such edits."""
        ...

    def record(self, path: Path, watched: Watched, fps: float) -> Record:
        """Write what belongs to one video below `path`, and return what goes into its tables."""
        ...

    def write_tables(self, path: Path, kept: Kept) -> None:
        """Write what is about all clips."""
        ...


def select_clips(
    settings: SelectConfig,
    out: Path,
    editing: Editing,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    device: str = "auto",
    dry_run: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Write an edit directory with the misclassified training clips of a run's weak classes.

    A split that the run was not evaluated on is evaluated first. The directory appears as a whole;
    until then what is known is kept in a hidden one beside it.

    Args:
        settings: Which run, and which of its mistakes.
        out: Edit directory.
        editing: What is to be edited.
        batch_size: Clips in one pass; the run's own where None.
        workers: Processes that read videos; one a core where None.
        device: Where to compute.
        dry_run: Say what would be chosen, and touch nothing.
        overwrite: Replace an edit directory that nobody has edited in.
        resume: Go on where an interrupted command stopped.
        reporter: Shows progress.

    Returns:
        One row a class: its accuracies, the clips taken and their frames.

    Raises:
        AttncliError: The run has no such attention or cannot be used, no class is weak, or
            `out` holds something that may not go.
    """
    run = load(settings.run)
    require_attention(run, editing.kind)
    if catalog.method(run.method).task.watch is None:
        raise AttncliError(
            f"clips of {run.method} cannot be edited",
            where=run.directory.path,
            remedy="name a run that is trained on videos",
        )
    settings = replace(settings, run=settings.run.absolute())
    missing = [split for split in SPLITS if not _predictions_path(run, split).exists()]
    directory, ways = editing.directory(out), {"overwrite": overwrite, "resume": resume}
    # Refused before anything is computed.
    _claim(directory, settings, run, dry_run=True, **ways)
    if dry_run and missing:
        plan = f"evaluate {' and '.join(missing)} first"
        return Outcome(rows=[{"run": str(run.directory.path), "out": str(out), "plan": plan}])
    given = {"batch_size": batch_size, "workers": workers}
    for split in missing:
        _evaluate(run, split, device=device, reporter=reporter, **given)
    train, val = (_answers(run, split, reporter) for split in SPLITS)
    classes = weak_classes(train, val, run.classes, settings)
    if dry_run:
        return Outcome(rows=[_row(run, weak) | {"clips": len(weak.mistakes)} for weak in classes])
    if resume and directory.config_path.exists():
        reporter.note(f"{out} is complete")
        return _outcome(run, classes, directory)
    with held_beside(out, remedy="wait until it has ended, or write elsewhere"):
        _claim(directory, settings, run, dry_run=False, **ways)
        unfinished = UnfinishedEdits(out, editing.directory)
        unfinished.begin(settings, resume=resume)
        mistakes = [mistake for weak in classes for mistake in weak.mistakes]
        samples = _samples(run, [m.id for m in mistakes if not unfinished.holds(m.id)])
        failures = _watch(
            run, samples, unfinished, editing, device=device, reporter=reporter, **given
        )
        unfinished.finish(mistakes, run.classes, failures, editing.write_tables)
    reporter.note(f"clips are in {out}; edit them with `attncli {editing.command} serve {out}`")
    return _outcome(run, classes, directory)


def _claim(
    directory: ClipDirectory,
    settings: SelectConfig,
    run: Run,
    *,
    overwrite: bool,
    resume: bool,
    dry_run: bool,
) -> None:
    """Make sure that clips can be written, and that nobody's edits are lost by it."""
    out, inputs = directory.path, [settings.run, run.config.data]
    ways = {"overwrite": overwrite, "resume": resume, "may_hold_edits": True}
    claim(out, **ways, inputs=inputs, dry_run=True)
    if overwrite and directory.has_edits():
        remedy = "remove it yourself, or write elsewhere"
        raise AttncliError("holds edits already", where=out, remedy=remedy)
    if resume and directory.config_path.exists():
        require_same_settings(directory, settings)
    if not dry_run:
        claim(out, **ways, inputs=inputs)


def _predictions_path(run: Run, split: Split) -> Path:
    return run.directory.evaluation_path(split) / "predictions.csv"


def _evaluate(
    run: Run,
    split: Scored,
    *,
    batch_size: int | None,
    workers: int | None,
    device: str,
    reporter: Reporter,
) -> None:
    path = run.directory.path
    reporter.note(f"{path} was not evaluated on {split} yet; doing so first")
    call = EvaluateCall(
        runs=(path,), split=split, batch_size=batch_size, workers=workers, device=device
    )
    outcome = evaluate_runs(call, reporter=reporter)
    if outcome.failures:
        named = run.directory.evaluation_path(split) / "failures.jsonl"
        reporter.warn(f"{len(outcome.failures)} clips could not be read, see {named}")


def _answers(run: Run, split: Split, reporter: Reporter) -> pd.DataFrame:
    """Return what the run's own weights said of its own data."""
    path = _predictions_path(run, split)
    remedy = f"run `attncli eval {run.directory.path} --split {split}`"
    metrics = read_metrics(path.with_name("metrics.json"))
    if other := [source for source in OTHER_SOURCES if source in metrics]:
        what = f"this evaluation is of another {other[0]} than the run's own"
        raise AttncliError(what, where=path.parent, remedy=remedy)
    if not are_of(path.with_name("metrics.json"), run.directory.weights_path):
        reporter.warn(f"{path} is not known to be of the run's weights; if it is not, {remedy}")
    return read_answers(path)


def _watch(
    run: Run,
    samples: Sequence[VideoSample],
    unfinished: UnfinishedEdits,
    editing: Editing,
    *,
    batch_size: int | None,
    workers: int | None,
    device: str,
    reporter: Reporter,
) -> list[Failure]:
    """Find out about the clips, and return those that cannot be read."""
    config, directory = run.config, unfinished.directory
    watch = catalog.load(str(catalog.method(run.method).task.watch))
    failures = []
    reuse_freed_memory()
    with join(device) as world:
        watched = watch(
            open_network(run, device=world.device),
            samples,
            replace(config, batch_size=batch_size or config.batch_size),
            kind=editing.kind,
            directory=directory,
            picture_px=editing.picture_px,
            device=world.device,
            readers=world.readers(workers),
        )
        for found in reporter.track(
            watched, label="attention of whole videos", total=len(samples), unit="clips"
        ):
            if isinstance(found, Failure):
                failures.append(found)
                continue
            if not np.isfinite(found.attention).all():
                what = "these weights give attention that is not finite"
                raise AttncliError(what, where=run.directory.weights_path, remedy="train anew")
            fps = float(frame_rate(found.sample.path))
            unfinished.keep(found.sample.id, editing.record(directory.path, found, fps))
    return failures


def _samples(run: Run, ids: Sequence[str]) -> list[VideoSample]:
    dataset: Any = open_source(run.method, run.config, run.directory.path).open("train")
    samples: dict[str, VideoSample] = {sample.id: sample for sample in dataset.samples}
    if unknown := [id_ for id_ in ids if id_ not in samples]:
        raise AttncliError(
            f"has no training clip {unknown[0]!r}, which {run.directory.path} was evaluated on",
            where=run.config.data,
            remedy=f"run `attncli eval {run.directory.path} --split train` again",
        )
    return [samples[id_] for id_ in ids]


def _outcome(run: Run, classes: Sequence[WeakClass], directory: ClipDirectory) -> Outcome:
    frames: dict[str, list[int]] = {weak.name: [] for weak in classes}
    for clip in directory.read_clips().values():
        frames.setdefault(clip.label, []).append(clip.frames)
    rows = [
        _row(run, weak) | {"clips": len(frames[weak.name]), "frames": sum(frames[weak.name])}
        for weak in classes
    ]
    failures = read_failures(directory.failures_path)
    inputs = sum(map(len, frames.values())) + len(failures)
    return Outcome(rows, failures, inputs)


def _row(run: Run, weak: WeakClass) -> Row:
    return {
        "run": str(run.directory.path),
        "class": weak.name,
        "train_accuracy": weak.train_accuracy,
        "val_accuracy": weak.val_accuracy,
    }

"""Choose the clips that people are to edit, and make the directory in which they do so."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from attncli.config.edit_temporal import SelectConfig
from attncli.config.training import ClipConfig
from attncli.data.frame_rate import frame_rate
from attncli.data.layouts import open_dataset
from attncli.data.samples import Split, VideoSample
from attncli.errors import AttncliError, Failure
from attncli.files.edit_directory import EditDirectory
from attncli.files.failures import read_failures
from attncli.files.metrics import read_metrics
from attncli.files.outputs import claim
from attncli.files.predictions import read_answers
from attncli.files.runs import Run, load
from attncli.layers.allocation import reuse_freed_memory
from attncli.reporting import Reporter
from attncli.training.distributed import join
from attncli.workflows.edit_temporal.mistakes import Mistake, WeakClass, weak_classes
from attncli.workflows.edit_temporal.unfinished import UnfinishedEdits, require_same_settings
from attncli.workflows.edit_temporal.whole_videos import watch
from attncli.workflows.evaluate import evaluate_runs
from attncli.workflows.outcome import Outcome, Row
from attncli.workflows.trained import open_network, require_temporal_attention

SPLITS: tuple[Split, ...] = ("train", "val")
OTHER_SOURCES = ("checkpoint", "data", "frames")
"""What the figures of an evaluation name where it was not the run's own."""


def select_clips(
    settings: SelectConfig,
    out: Path,
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
        AttncliError: The run has no temporal attention or cannot be used, no class is weak, or
            `out` holds something that may not go.
    """
    run = load(settings.run)
    require_temporal_attention(run)
    settings = replace(settings, run=settings.run.absolute())
    missing = [split for split in SPLITS if not _predictions_path(run, split).exists()]
    if dry_run and missing:
        plan = f"evaluate {' and '.join(missing)} first"
        return Outcome(rows=[{"run": str(run.directory.path), "out": str(out), "plan": plan}])
    if not dry_run:
        claim(out, resume=resume or overwrite)  # refused before anything is computed
    given = {"batch_size": batch_size, "workers": workers}
    for split in missing:
        _evaluate(run, split, device=device, reporter=reporter, **given)
    train, val = (_answers(run, split, reporter) for split in SPLITS)
    classes = weak_classes(train, val, run.classes, settings)
    if dry_run:
        return Outcome(rows=[_row(run, weak) | {"clips": len(weak.mistakes)} for weak in classes])
    directory = EditDirectory(out)
    if resume and directory.config_path.exists():
        require_same_settings(directory, settings)
        reporter.note(f"{out} is complete")
        return _outcome(run, classes, directory)
    if overwrite:
        _require_unedited(directory)
    claim(out, overwrite=overwrite, resume=resume, inputs=[settings.run])
    unfinished = UnfinishedEdits(out)
    unfinished.begin(settings, resume=resume)
    mistakes = [mistake for weak in classes for mistake in weak.mistakes]
    failures = _watch_clips(run, mistakes, unfinished, device=device, reporter=reporter, **given)
    unfinished.finish(mistakes, run.classes, failures)
    reporter.note(f"clips are in {out}; edit them with `attncli edit-temporal serve {out}`")
    return _outcome(run, classes, directory)


def _predictions_path(run: Run, split: Split) -> Path:
    return run.directory.evaluation_path(split) / "predictions.csv"


def _evaluate(
    run: Run,
    split: Split,
    *,
    batch_size: int | None,
    workers: int | None,
    device: str,
    reporter: Reporter,
) -> None:
    path = run.directory.path
    reporter.note(f"{path} was not evaluated on {split} yet; doing so first")
    outcome = evaluate_runs(
        [path],
        split=split,
        batch_size=batch_size,
        workers=workers,
        device=device,
        reporter=reporter,
    )
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
    if path.stat().st_mtime < run.directory.weights_path.stat().st_mtime:
        reporter.warn(f"{path} is older than the weights; if the run was trained on, {remedy}")
    return read_answers(path)


def _require_unedited(directory: EditDirectory) -> None:
    """Refuse to replace what people have worked on."""
    edited = directory.edits_path.exists() and directory.read_edits(allow_partial=True)
    if directory.annotators() or (edited and len(edited.unedited) < len(edited.scores)):
        raise AttncliError(
            "holds edits already",
            where=directory.path,
            remedy="remove it yourself, or write elsewhere",
        )


def _watch_clips(
    run: Run,
    mistakes: Sequence[Mistake],
    unfinished: UnfinishedEdits,
    *,
    batch_size: int | None,
    workers: int | None,
    device: str,
    reporter: Reporter,
) -> list[Failure]:
    """Find out about the clips that are not there yet, and return those that cannot be read."""
    config = cast(ClipConfig, run.config)
    config = replace(config, batch_size=batch_size or config.batch_size)
    samples = _samples(run, config, [m.id for m in mistakes if not unfinished.holds(m.id)])
    failures = []
    reuse_freed_memory()
    with join(device) as world:
        network = open_network(run, device=world.device)
        watched = watch(
            network,
            samples,
            config,
            directory=unfinished.directory,
            device=world.device,
            readers=world.readers(workers),
        )
        for found in reporter.track(
            watched, label="watching whole videos", total=len(samples), unit="clips"
        ):
            if isinstance(found, Failure):
                failures.append(found)
                continue
            if not np.isfinite(found.attention).all():
                what = "these weights give attention that is not finite"
                raise AttncliError(what, where=run.directory.weights_path, remedy="train anew")
            sample = found.sample
            unfinished.keep(sample.id, found.attention, float(frame_rate(sample.path)))
    return failures


def _samples(run: Run, config: ClipConfig, ids: Sequence[str]) -> list[VideoSample]:
    dataset = open_dataset(
        config.data, layout=config.layout, split="train", split_number=config.split_number
    )
    samples = {sample.id: sample for sample in dataset.samples}
    if unknown := [id_ for id_ in ids if id_ not in samples]:
        raise AttncliError(
            f"has no training clip {unknown[0]!r}, which {run.directory.path} was evaluated on",
            where=config.data,
            remedy=f"run `attncli eval {run.directory.path} --split train` again",
        )
    return [samples[id_] for id_ in ids]


def _outcome(run: Run, classes: Sequence[WeakClass], directory: EditDirectory) -> Outcome:
    frames: dict[str, list[int]] = {weak.name: [] for weak in classes}
    for clip in directory.read_clips().values():
        frames.setdefault(clip.label, []).append(clip.frames)
    rows = [
        _row(run, weak) | {"clips": len(frames[weak.name]), "frames": sum(frames[weak.name])}
        for weak in classes
    ]
    return Outcome(rows=rows, failures=read_failures(directory.failures_path))


def _row(run: Run, weak: WeakClass) -> Row:
    return {
        "run": str(run.directory.path),
        "class": weak.name,
        "train_accuracy": weak.train_accuracy,
        "val_accuracy": weak.val_accuracy,
    }

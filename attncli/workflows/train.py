"""Train a network on a dataset into a run directory, and score it on the validation split."""

import platform
import shlex
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from attncli import __version__, catalog
from attncli.config.training import ClipConfig, TrainConfig
from attncli.data.clips import ClipDataset, clip_loader
from attncli.data.layouts import open_dataset
from attncli.data.mirroring import flip_notes
from attncli.data.samples import UNKNOWN_LABEL, VideoDataset
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files import runs
from attncli.files.checkpoints import load_weights, read_metadata, read_weights, write_weights
from attncli.files.failures import read_failures, write_failures
from attncli.files.metrics import read_metrics
from attncli.files.outputs import claim
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.synchronized_norm import synchronize_batch_norm
from attncli.reporting import Reporter
from attncli.training.batches import BatchOrder
from attncli.training.distributed import World, join
from attncli.training.learner import Learner
from attncli.training.loop import Training, TrainingClips
from attncli.training.seeds import choose_algorithms, seed_everything
from attncli.types import ClipBatch
from attncli.workflows.evaluate import evaluate_runs
from attncli.workflows.guidance import Guidance
from attncli.workflows.outcome import Outcome, Row

FREE_TO_CHANGE = {"epochs", "workers", "device", "checkpoint_every"}
"""Settings with which a run may go on that it was not begun with; they leave its weights alone,
but for the rounding of another device, and for `epochs` under a cosine, which is refused."""
CUT_OF_CLIPS = ("sampling", "frames", "frame_stride", "short_videos", "crop", "crop_px")
"""Settings of the clips that a network answers well only as it was trained."""
VERSIONS_OF = ("torch", "torchvision", "numpy", "av")


def train(
    method: str,
    config: ClipConfig,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    reporter: Reporter,
) -> Outcome:
    """Train `method` and evaluate its last weights on the validation split.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: an instance of the method's config class.
        out: Run directory.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: Replace what is at `out`.
        dry_run: Return the plan as rows and touch nothing.
        reporter: Where progress is shown.

    Returns:
        The evaluation's row (on the first of several processes), and the clips of both splits
        that could not be read.

    Raises:
        UsageError: The run to go on with was begun with other settings.
        AttncliError: The data, the weights to begin with or the output cannot be used, or
            training failed; checkpoints stay as they are.
        KeyboardInterrupt: Training was asked to stop; it can be resumed.
    """
    config = runs.with_absolute_paths(config)
    splits = {name: _open_split(config, name) for name in ("train", "val")}
    guidance = Guidance.open(config, splits["train"])
    if dry_run:
        return Outcome(rows=_plan(method, config, splits, guidance, out))
    notes = [note for split in splits.values() for note in split.notes]
    notes += [*flip_notes(config.flip, splits["train"].classes), *guidance.notes()]
    notes += _notes_on_start(config)
    for note in dict.fromkeys(notes):
        reporter.note(note)
    reuse_freed_memory()
    choose_algorithms(deterministic=config.deterministic)
    with join(config.device) as world:
        run = runs.Run(runs.RunDirectory(out), method, config, splits["train"].classes)
        # What may not be written, or was begun otherwise, is refused before weights are fetched.
        claim(out, overwrite=overwrite and resume, resume=resume or overwrite)
        if resume and run.directory.config_path.exists():
            _require_same_settings(runs.load(out), run)
        if resume and _is_finished(run):
            reporter.note(f"{out}: this run is complete; nothing to do")
            return _earlier_outcome(run) if world.leads else Outcome()
        begun = resume and run.directory.last_checkpoint_path.exists()
        network = _build(run, config, world, reporter, begun=begun)
        _begin(run, config, resume, overwrite, world)
        failures = _fit(run, network, config, splits, guidance, world, reporter)
        return _evaluate(run, config, failures, world, reporter)


def _open_split(config: ClipConfig, name: Any) -> VideoDataset:
    dataset = open_dataset(
        config.data, layout=config.layout, split=name, split_number=config.split_number
    )
    unlabelled = [sample for sample in dataset.samples if sample.label == UNKNOWN_LABEL]
    if unlabelled:
        raise AttncliError(
            f"{len(unlabelled)} clips of split {name!r} have no label, such as {unlabelled[0].id}",
            where=config.data,
            remedy="label them or leave them out",
        )
    return dataset


def _notes_on_start(config: ClipConfig) -> list[str]:
    """Return which clips the run to start from was trained on, where they are cut otherwise."""
    if config.init is None or not runs.RunDirectory(config.init).config_path.is_file():
        return []
    before, now = _values(runs.load(config.init).config), _values(config)
    differing = [name for name in CUT_OF_CLIPS if before.get(name, now[name]) != now[name]]
    return [
        f"{config.init} was trained with --{name.replace('_', '-')} {before[name]},"
        f" not {now[name]} as now"
        for name in differing
    ]


def _begin(run: runs.Run, config: ClipConfig, resume: bool, overwrite: bool, world: World) -> None:
    """Make the run directory, or empty it where it may be overwritten."""
    world.wait()  # until every process has seen what was there before
    if world.leads:
        out = run.directory.path
        inputs = [value for value in _values(config).values() if isinstance(value, Path)]
        claim(out, overwrite=overwrite, resume=resume, inputs=inputs)
        runs.create(out, config, run.method, run.classes, _environment(world))
    world.wait()


def _require_same_settings(run: runs.Run, wanted: runs.Run) -> None:
    """Raise a `UsageError` unless `run` can go on as `wanted` and end as if begun so."""
    before, now = _values(run.config), _values(wanted.config)
    differing = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    differing -= FREE_TO_CHANGE - ({"epochs"} if wanted.config.schedule == "cosine" else set())
    names = [f"--{name.replace('_', '-')}" for name in sorted(differing)]
    names += ["the method"] if run.method != wanted.method else []
    names += ["the dataset's classes"] if run.classes != wanted.classes else []
    if names:
        raise UsageError(
            f"this run was begun with other settings: {', '.join(names)}",
            where=run.directory.path,
            remedy="leave them as in its config.toml, or give another --out",
        )


def _fit(
    run: runs.Run,
    network: tuple[nn.Module, Any],
    config: ClipConfig,
    splits: dict[str, VideoDataset],
    guidance: Guidance,
    world: World,
    reporter: Reporter,
) -> list[Failure]:
    """Train, write the last weights and return the clips that could not be read."""
    model, criterion = network
    learner = Learner(model, criterion, config, world)
    config = replace(config, workers=world.readers(config.workers))
    training = Training(
        learner,
        _training_clips(config, splits["train"], guidance, world),
        _validation_batches(config, splits["val"], world),
        directory=run.directory,
        reporter=reporter,
    )
    failures = training.run()
    if world.leads:
        origin = {"method": run.method, "attncli": __version__}
        write_weights(run.directory.weights_path, model, {**origin, "epochs": config.epochs})
    world.wait()
    return failures


def _build(
    run: runs.Run, config: ClipConfig, world: World, reporter: Reporter, *, begun: bool
) -> tuple[nn.Module, Any]:
    """Return the network with its initial weights on this process's device, and its criterion."""
    seed_everything(config.seed)
    settings = config.without_published_weights() if begun or config.init else config
    build = catalog.load(catalog.method(run.method).build)
    model, criterion = build(settings, len(run.classes), reporter=reporter)
    if config.init is not None and not begun:
        load_weights(model, read_weights(config.init), where=config.init)
    if world.size > 1:
        model = synchronize_batch_norm(model, world.device)
    return model.to(world.device), criterion


def _training_clips(
    config: ClipConfig, dataset: VideoDataset, guidance: Guidance, world: World
) -> TrainingClips:
    clips = ClipDataset(
        dataset,
        config,
        training=True,
        masks=guidance.masks,
        edits=guidance.edits,
        spatial_edits=guidance.spatial_edits,
        seed=config.seed,
    )
    order = BatchOrder(
        len(clips),
        batch_size=config.batch_size,
        parts=config.accumulate,
        seed=config.seed,
        rank=world.rank,
        size=world.size,
    )
    return TrainingClips(
        order=order,
        loader=_loader(clips, order, config, world),
        set_epoch=clips.set_epoch,
        nothing=_no_clips(config, guidance),
    )


def _validation_batches(
    config: ClipConfig, dataset: VideoDataset, world: World
) -> Iterable[ClipBatch]:
    clips = ClipDataset(dataset, config, training=False, seed=config.seed)
    rows = world.share(range(len(clips)))
    count = max(1, config.batch_size // config.accumulate // world.size)
    batches = [rows[start : start + count] for start in range(0, len(rows), count)]
    return _loader(clips, batches, config, world)


def _loader(
    clips: ClipDataset, batches: Iterable[list[int]], config: ClipConfig, world: World
) -> Iterable[ClipBatch]:
    pin = world.device.type == "cuda"
    loader = clip_loader(clips, batches=batches, workers=config.workers or 0, pin=pin)
    return cast(Iterable[ClipBatch], loader)


def _no_clips(config: ClipConfig, guidance: Guidance) -> ClipBatch:
    """Return a batch of no clip, of the shape that clips have."""
    grid = (config.frames, config.crop_px, config.crop_px)
    spatial = guidance.spatial_edits is not None
    return ClipBatch(
        frames=torch.empty(0, 3, *grid, dtype=torch.uint8),
        labels=torch.empty(0, dtype=torch.int64),
        rows=torch.empty(0, dtype=torch.int64),
        frame_indices=torch.empty(0, config.frames, dtype=torch.int64),
        crops=torch.empty(0, 4),
        flips=torch.empty(0, dtype=torch.bool),
        masks=None if guidance.masks is None else torch.empty(0, *grid, dtype=torch.bool),
        temporal_edits=None if guidance.edits is None else torch.empty(0, config.frames),
        spatial_edits=torch.empty(0, *grid, dtype=torch.bool) if spatial else None,
        spatially_edited=torch.empty(0, config.frames, dtype=torch.bool) if spatial else None,
    )


def _evaluate(
    run: runs.Run, config: ClipConfig, failures: list[Failure], world: World, reporter: Reporter
) -> Outcome:
    """Evaluate the last weights and name every clip that could not be read."""
    path = run.directory.path
    outcome = evaluate_runs(
        [path], split="val", workers=world.readers(config.workers), world=world, reporter=reporter
    )
    if not world.leads:
        return Outcome()
    everywhere = sorted({*failures, *outcome.failures}, key=lambda failure: failure.id)
    write_failures(run.directory.failures_path, everywhere)
    return Outcome(rows=outcome.rows, failures=everywhere)


def _is_finished(run: runs.Run) -> bool:
    """Whether the weights are those of the last epoch and have been evaluated."""
    weights = run.directory.weights_path
    if not weights.exists() or not _metrics_path(run).exists():
        return False
    is_last = read_metadata(weights).get("epochs") == run.config.epochs
    return is_last and _metrics_path(run).stat().st_mtime >= weights.stat().st_mtime


def _earlier_outcome(run: runs.Run) -> Outcome:
    metrics: Row = read_metrics(_metrics_path(run))
    return Outcome(rows=[metrics], failures=read_failures(run.directory.failures_path))


def _metrics_path(run: runs.Run) -> Path:
    return run.directory.evaluation_path("val") / "metrics.json"


def _plan(
    method: str,
    config: ClipConfig,
    splits: dict[str, VideoDataset],
    guidance: Guidance,
    out: Path,
) -> list[Row]:
    with torch.device("meta"):
        build = catalog.load(catalog.method(method).build)
        model, _ = build(config.without_published_weights(), len(splits["train"].classes))
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    counts = {f"{name} clips": len(split.samples) for name, split in splits.items()}
    if guidance.edits is not None:
        counts["edited clips"] = len(guidance.edits.ids)
    if guidance.spatial_edits is not None:
        counts["spatially edited clips"] = len(guidance.spatial_edits.ids)
    plan = {
        "method": method,
        "out": str(out),
        "layout": splits["train"].layout,
        "classes": len(splits["train"].classes),
        **counts,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "trained parameters": trained,
        **{name: _cell(value) for name, value in _values(config).items()},
    }
    return [{"name": name, "value": value} for name, value in plan.items()]


def _cell(value: Any) -> str | int | float | None:
    return value if isinstance(value, int | float | None) else str(value)


def _values(config: TrainConfig) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in fields(config)}


def _environment(world: World) -> dict[str, object]:
    is_gpu = world.device.type == "cuda"
    return {
        "attncli": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in VERSIONS_OF},
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(world.device) if is_gpu else platform.processor(),
        "threads": torch.get_num_threads(),
        "processes": world.size,
        "command": shlex.join(["attncli", *sys.argv[1:]]),
    }

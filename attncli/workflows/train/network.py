"""Train a network on a dataset into a run directory, and score it on the validation split."""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from attncli import __version__, catalog
from attncli.config.toml import require_utf8
from attncli.data.clips.guides import Guidance
from attncli.data.clips.mirroring import flip_notes
from attncli.data.clips.reading import Clips, clip_loader
from attncli.data.samples import UNKNOWN_LABEL, VideoDataset, VideoSample
from attncli.errors import AttncliError, Failure
from attncli.files import runs
from attncli.files.checkpoints import load_weights, read_metadata, read_weights, write_weights
from attncli.files.failures import read_failures, write_failures
from attncli.files.locks import held
from attncli.files.metrics import read_metrics
from attncli.files.outputs import claim
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.synchronized_norm import synchronize_batch_norm
from attncli.reporting import Outcome, Reporter, Row, warn_of
from attncli.training.batches import BatchOrder
from attncli.training.distributed import World, join
from attncli.training.learner import Learner
from attncli.training.loop import Training, TrainingClips
from attncli.training.seeds import choose_algorithms, seed_everything
from attncli.types import ClipBatch
from attncli.workflows.evaluate.networks import evaluate_runs
from attncli.workflows.runs.environment import describe_environment
from attncli.workflows.runs.settings import planned, require_same_settings, values
from attncli.workflows.runs.source import ClipSettings, Source, open_source

CUT_OF_CLIPS = ("sampling", "frames", "frame_stride", "short_videos", "crop", "crop_px")
"""Settings of the clips that a network answers well only as it was trained."""


def train(
    method: str,
    config: ClipSettings,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Train `method` and evaluate its last weights on the validation split.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: an instance of the method's config class, of one fold where there
            are folds.
        out: Run directory; that of a fold lies in the one that says who is in which fold.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: Replace what is at `out`.
        dry_run: Return the plan as rows and touch nothing.
        world: Processes to train with; those `torchrun` started where None. Who has joined them
            already must pass it.
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
    require_utf8(out.absolute())  # TensorBoard takes no other name
    source = open_source(config, out)
    splits = {name: _open_split(source, config.data, name) for name in ("train", "val")}
    guidance = Guidance.open(config, splits["train"])
    run = runs.Run(runs.RunDirectory(out), method, config, splits["train"].classes)
    _warn_of_shared_videos(splits, reporter)
    if dry_run:
        return Outcome(rows=planned(run, _facts(splits, guidance)))
    notes = [note for split in splits.values() for note in split.notes]
    notes += [*flip_notes(config.flip, splits["train"].classes), *guidance.notes()]
    notes += _notes_on_start(config)
    for note in dict.fromkeys(notes):
        reporter.note(note)
    reuse_freed_memory()
    choose_algorithms(deterministic=config.deterministic)
    with join(config.device) if world is None else nullcontext(world) as world:
        # What may not be written, or was begun otherwise, is refused before weights are fetched.
        claim(out, overwrite=overwrite and resume, resume=resume or overwrite)
        with held(out) if world.leads else nullcontext():
            if resume and run.directory.config_path.exists():
                require_same_settings(runs.load(out), run)
            if resume and _is_finished(run):
                reporter.note(f"{out}: this run is complete; nothing to do")
                return _earlier_outcome(run) if world.leads else Outcome()
            begun = resume and run.directory.last_checkpoint_path.exists()
            network = _build(run, config, world, reporter, begun=begun)
            _begin(run, config, source, resume, overwrite, world)
            clips = (
                _training_clips(source, splits["train"], guidance, config, world),
                _validation_batches(source, splits["val"], config, world),
            )
            failures = _fit(run, network, config, clips, world, reporter)
            return _evaluate(run, config, failures, world, reporter)


def _open_split(source: Source, data: Path, name: Any) -> VideoDataset:
    dataset = source.open(name)
    unlabelled = [sample for sample in dataset.samples if sample.label == UNKNOWN_LABEL]
    if unlabelled:
        raise AttncliError(
            f"{len(unlabelled)} clips of split {name!r} have no label, such as {unlabelled[0].id}",
            where=data,
            remedy="label them or leave them out",
        )
    return dataset


def _warn_of_shared_videos(splits: dict[str, VideoDataset], reporter: Reporter) -> None:
    """Say which videos are in both splits: figures on them are none of videos never seen."""
    trained_on = {key for sample in splits["train"].samples for key in _names(sample)}
    shared = [sample for sample in splits["val"].samples if _names(sample) & trained_on]
    if shared:
        reporter.warn(
            f"{len(shared)} of {len(splits['val'].samples)} clips of split 'val' are of videos of"
            f" split 'train' too, such as {shared[0].id}"
        )


def _names(sample: VideoSample) -> set[object]:
    """Return what two samples of one video have in common."""
    return {sample.id, sample.files or sample.path}


def _notes_on_start(config: ClipSettings) -> list[str]:
    """Return which clips the run to start from was trained on, where they are cut otherwise."""
    if config.init is None or not runs.RunDirectory(config.init).config_path.is_file():
        return []
    before, now = values(runs.load(config.init).config), values(config)
    differing = [
        name for name in CUT_OF_CLIPS if name in now and before.get(name, now[name]) != now[name]
    ]
    return [
        f"{config.init} was trained with --{name.replace('_', '-')} {before[name]},"
        f" not {now[name]} as now"
        for name in differing
    ]


def _begin(
    run: runs.Run,
    config: ClipSettings,
    source: Source,
    resume: bool,
    overwrite: bool,
    world: World,
) -> None:
    """Make the run directory, or empty it where it may be overwritten."""
    world.wait()  # until every process has seen what was there before
    if world.leads:
        out = run.directory.path
        inputs = [value for value in values(config).values() if isinstance(value, Path)]
        claim(out, overwrite=overwrite, resume=resume, inputs=inputs)
        source.keep(out)
        environment = describe_environment(world.device, processes=world.size)
        runs.create(out, config, run.method, run.classes, environment)
    world.wait()


def _fit(
    run: runs.Run,
    network: tuple[nn.Module, Any],
    config: ClipSettings,
    clips: tuple[TrainingClips, Iterable[ClipBatch]],
    world: World,
    reporter: Reporter,
) -> list[Failure]:
    """Train, write the last weights and return the clips that could not be read."""
    model, criterion = network
    learner = Learner(model, criterion, config, world)
    training = Training(learner, *clips, directory=run.directory, reporter=reporter)
    failures = training.run()
    warn_of(set().union(*world.gather(training.remarks)), reporter)
    if world.leads:
        origin = {"method": run.method, "attncli": __version__}
        write_weights(run.directory.weights_path, model, {**origin, "epochs": config.epochs})
    world.wait()
    return failures


def _build(
    run: runs.Run, config: ClipSettings, world: World, reporter: Reporter, *, begun: bool
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
    source: Source, dataset: VideoDataset, guidance: Guidance, config: ClipSettings, world: World
) -> TrainingClips:
    clips = source.read(dataset, training=True, guidance=guidance)
    order = BatchOrder(
        len(dataset.samples),
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
    source: Source, dataset: VideoDataset, config: ClipSettings, world: World
) -> Iterable[ClipBatch]:
    clips = source.read(dataset, training=False, guidance=Guidance())
    rows = world.share(range(len(dataset.samples)))
    count = max(1, config.batch_size // config.accumulate // world.size)
    batches = [rows[start : start + count] for start in range(0, len(rows), count)]
    return _loader(clips, batches, config, world)


def _loader(
    clips: Clips, batches: Iterable[list[int]], config: ClipSettings, world: World
) -> Iterable[ClipBatch]:
    pin = world.device.type == "cuda"
    workers = world.readers(config.workers)
    loader = clip_loader(clips, batches=batches, workers=workers, pin=pin)
    return cast(Iterable[ClipBatch], loader)


def _no_clips(config: ClipSettings, guidance: Guidance) -> ClipBatch:
    """Return a batch of no clip, of the shape that clips have."""
    grid = config.clip_shape
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


def _facts(splits: dict[str, VideoDataset], guidance: Guidance) -> dict[str, str | int]:
    """Return what is known of the data before a training begins."""
    facts: dict[str, str | int] = {"layout": splits["train"].layout}
    facts |= {f"{name} clips": len(split.samples) for name, split in splits.items()}
    if guidance.edits is not None:
        facts["edited clips"] = len(guidance.edits.ids)
    if guidance.spatial_edits is not None:
        facts["spatially edited clips"] = len(guidance.spatial_edits.ids)
    return facts


def _evaluate(
    run: runs.Run, config: ClipSettings, failures: list[Failure], world: World, reporter: Reporter
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
    # What `attncli eval` was told to do otherwise is no figure of the training.
    is_own = not read_metrics(_metrics_path(run)).keys() & {"checkpoint", "data", "frames"}
    return is_last and is_own and _metrics_path(run).stat().st_mtime >= weights.stat().st_mtime


def _earlier_outcome(run: runs.Run) -> Outcome:
    metrics: Row = read_metrics(_metrics_path(run))
    return Outcome(rows=[metrics], failures=read_failures(run.directory.failures_path))


def _metrics_path(run: runs.Run) -> Path:
    return run.directory.evaluation_path("val") / "metrics.json"

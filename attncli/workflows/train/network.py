"""Train a network on a dataset into a run directory, and score it on the validation split."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from attncli import __version__, catalog
from attncli.config.evaluate import EvaluateCall
from attncli.config.toml import require_utf8
from attncli.data.samples import Samples
from attncli.data.source import Guidance, Reader, Source, batch_loader
from attncli.errors import AttncliError, Failure
from attncli.evaluation.asked import Asked
from attncli.files import runs
from attncli.files.checkpoints import read_metadata, write_weights
from attncli.files.failures import read_failures, write_failures
from attncli.files.locks import held
from attncli.files.metrics import are_of, read_metrics
from attncli.files.outputs import claim
from attncli.layers.allocation import reuse_freed_memory
from attncli.layers.synchronized_norm import synchronize_batch_norm
from attncli.reporting import Outcome, Reporter, Row, detail, warn_of
from attncli.training.batches import BatchOrder
from attncli.training.distributed import World, join
from attncli.training.learner import Learner
from attncli.training.loop import Training, TrainingSamples
from attncli.training.objective import Learned
from attncli.training.seeds import choose_algorithms
from attncli.training.validation import Validation
from attncli.training.wandb_log import require_wandb
from attncli.workflows.evaluate.networks import evaluate_runs
from attncli.workflows.evaluate.trial import OTHERWISE
from attncli.workflows.runs.begin import claim_run, write_run
from attncli.workflows.runs.settings import require_same_settings
from attncli.workflows.runs.source import open_source
from attncli.workflows.train.initial import initial_network
from attncli.workflows.train.opening import going_on, opening, particulars
from attncli.workflows.train.plan import rehearsed


def train(
    method: str,
    config: Any,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    world: World | None = None,
    title: str = "",
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
        title: Which of several trainings it is, such as `fold 2`; empty where there is one.
        reporter: Where progress is shown.

    Returns:
        The evaluation's row (on the first of several processes), and the samples of both splits
        that could not be read.

    Raises:
        UsageError: The run to go on with was begun with other settings.
        AttncliError: The data, the weights to begin with or the output cannot be used, or
            training failed; checkpoints stay as they are.
        KeyboardInterrupt: Training was asked to stop; it can be resumed.
    """
    config = runs.with_absolute_paths(config)
    require_utf8(out.absolute())  # TensorBoard takes no other name
    source = open_source(method, config, out)
    splits = {name: _open_split(source, config.data, name) for name in ("train", "val")}
    guidance = source.guidance(splits["train"])
    run = runs.Run(runs.RunDirectory(out), method, config, splits["train"].classes)
    _warn_of_shared_origins(splits, reporter)
    if config.logger == "wandb":
        require_wandb()
    if dry_run:
        facts = _facts(splits, guidance)
        return rehearsed(run, facts, resume=resume, overwrite=overwrite)
    for note in dict.fromkeys(_notes(source, splits, guidance, config)):
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
                return _earlier_outcome(run, splits) if world.leads else Outcome()
            prepared: Sequence[Failure] = ()
            begun = resume and run.directory.last_checkpoint_path.exists()
            learned = _build(run, world, reporter, begun=begun)
            world.wait()  # until every process has seen what was there before
            if world.leads:
                claim_run(out, config, resume=resume, overwrite=overwrite)
                source.keep(out)
                write_run(run, world)
                prepared = guidance.prepare(out, reporter=reporter)
            world.wait()
            samples = _training_samples(source, splits["train"], guidance, config, world)
            validation = _validation(run, source, splits["val"], config, world, reporter)
            training = Training(
                Learner(learned, config, world),
                samples,
                validation,
                directory=run.directory,
                reporter=reporter,
                title=title,
            )
            _announce(run, splits, training)
            failed = [*prepared, *_fit(run, training)]
            return _evaluate(run, splits, failed, world, reporter)


def _open_split(source: Source[Any], data: Path, name: Any) -> Samples:
    dataset = source.open(name)
    unlabelled = [sample for sample in dataset.samples if not sample.is_labelled]
    if unlabelled and name in source.labelled:
        raise AttncliError(
            f"{len(unlabelled)} {dataset.unit} of split {name!r} have no label, such as"
            f" {unlabelled[0].id}",
            where=data,
            remedy="label them or leave them out",
        )
    return dataset


def _warn_of_shared_origins(splits: Mapping[str, Samples], reporter: Reporter) -> None:
    """Say which videos or images are in both splits: figures on them are none of unseen ones."""
    trained_on = {origin for sample in splits["train"].samples for origin in sample.origins}
    val = splits["val"]
    shared = [sample for sample in val.samples if sample.origins & trained_on]
    if shared:
        reporter.warn(
            f"{len(shared)} of {len(val.samples)} {val.unit} of split 'val' are of"
            f" {val.origin_unit} of split 'train' too, such as {shared[0].id}"
        )


def _notes(
    source: Source[Any], splits: Mapping[str, Samples], guidance: Guidance, config: Any
) -> list[str]:
    notes = [note for split in splits.values() for note in split.notes]
    return [*notes, *source.notes(splits["train"]), *guidance.notes(), *_notes_on_start(config)]


def _notes_on_start(config: Any) -> list[str]:
    """Return which samples the run to start from was trained on, where they are cut otherwise."""
    if config.init is None or not runs.RunDirectory(config.init).config_path.is_file():
        return []
    before, now = runs.load(config.init).config, config.cut
    return [
        f"{config.init} was trained with --{name.replace('_', '-')} {getattr(before, name)},"
        f" not {value} as now"
        for name, value in now.items()
        if getattr(before, name, value) != value
    ]


def _announce(run: runs.Run, splits: Mapping[str, Samples], training: Training[Any]) -> None:
    """Say what begins, or from where it goes on."""
    title, reporter, progress = training.title, training.reporter, training.progress
    for text in particulars(run, splits):
        detail(f"{title}{text}", reporter)
    reporter.note(f"{title}{opening(run, splits, training.world)}")
    if progress.epoch or progress.step:
        reporter.note(f"{title}{going_on(progress, run.config.epochs)}")


def _fit(run: runs.Run, training: Training[Any]) -> list[Failure]:
    """Train, write the last weights and return the samples that could not be read."""
    failures, world = training.run(), training.world
    warn_of(set().union(*world.gather(training.remarks)), training.reporter)
    if world.leads:
        origin = {"method": run.method, "attncli": __version__}
        model, epochs = training.learner.model, run.config.epochs
        write_weights(run.directory.weights_path, model, {**origin, "epochs": epochs})
    world.wait()
    return failures


def _build(run: runs.Run, world: World, reporter: Reporter, *, begun: bool) -> Learned[Any]:
    """Return the network with its initial weights on this process's device."""
    learned = initial_network(run, begun=begun, reporter=reporter)
    model = learned.model
    if world.size > 1:
        model = synchronize_batch_norm(model, world.device)
    return replace(learned, model=model.to(world.device))


def _training_samples(
    source: Source[Any], dataset: Samples, guidance: Guidance, config: Any, world: World
) -> TrainingSamples[Any]:
    reader = source.reader(dataset, training=True, guidance=guidance)
    order = BatchOrder(
        len(dataset.samples),
        batch_size=config.batch_size,
        parts=config.accumulate,
        seed=config.seed,
        rank=world.rank,
        size=world.size,
    )
    return TrainingSamples(
        order=order,
        loader=_loader(reader, order, config, world),
        set_epoch=reader.set_epoch,
        nothing=reader.nothing(),
        unit=dataset.unit,
    )


def _validation(
    run: runs.Run,
    source: Source[Any],
    dataset: Samples,
    config: Any,
    world: World,
    reporter: Reporter,
) -> Validation[Any]:
    reader = source.reader(dataset, training=False)
    rows = world.share(range(len(dataset.samples)))
    count = max(1, config.batch_size // config.accumulate // world.size)
    method = catalog.method(run.method)
    evaluation = catalog.load(str(method.task.evaluation))
    asked = Asked(dataset.samples, run.classes, attention=method.attention)
    if evaluation.best is None:
        reporter.note(
            f"no figure of {method.name} says which epoch is best, so there is no best.pt"
        )
    return Validation(
        batches=_loader(reader, reader.batches(rows, count), config, world),
        begin=lambda: evaluation(asked),
        logged=evaluation.logged,
        best=evaluation.best,
    )


def _loader(
    reader: Reader[Any], batches: Iterable[list[int]], config: Any, world: World
) -> Iterable[Any]:
    pin, workers = world.device.type == "cuda", world.readers(config.workers)
    return batch_loader(reader, batches=batches, workers=workers, pin=pin)


def _facts(splits: Mapping[str, Samples], guidance: Guidance) -> dict[str, str | int]:
    """Return what is known of the data before a training begins."""
    facts: dict[str, str | int] = {"layout": splits["train"].layout}
    facts |= {f"{name}_{split.unit}": len(split.samples) for name, split in splits.items()}
    return {**facts, **guidance.facts()}


def _evaluate(
    run: runs.Run,
    splits: Mapping[str, Samples],
    failures: list[Failure],
    world: World,
    reporter: Reporter,
) -> Outcome:
    """Evaluate the last weights and name every clip that could not be read."""
    path = run.directory.path
    call = EvaluateCall(runs=(path,), workers=world.readers(run.config.workers))
    outcome = evaluate_runs(call, world=world, reporter=reporter)
    if not world.leads:
        return Outcome()
    by_id = {failure.id: failure for failure in (*outcome.failures, *reversed(failures))}
    everywhere = sorted(by_id.values(), key=lambda failure: failure.id)
    write_failures(run.directory.failures_path, everywhere)
    reporter.note(f"wrote {path}")
    return Outcome(outcome.rows, everywhere, _inputs(splits))


def _is_finished(run: runs.Run) -> bool:
    """Whether the weights are those of the last epoch and have been evaluated."""
    weights, metrics = run.directory.weights_path, _metrics_path(run)
    if not weights.exists() or not metrics.exists():
        return False
    is_last = read_metadata(weights).get("epochs") == run.config.epochs
    # What `attncli eval` was told to do otherwise is no figure of the training.
    is_own = not read_metrics(metrics).keys() & OTHERWISE
    return is_last and is_own and are_of(metrics, weights)


def _earlier_outcome(run: runs.Run, splits: Mapping[str, Samples]) -> Outcome:
    metrics: Row = read_metrics(_metrics_path(run))
    return Outcome([metrics], read_failures(run.directory.failures_path), _inputs(splits))


def _inputs(splits: Mapping[str, Samples]) -> int:
    return sum(len(split.samples) for split in splits.values())


def _metrics_path(run: runs.Run) -> Path:
    return run.directory.evaluation_path("val") / "metrics.json"

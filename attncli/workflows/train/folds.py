"""Train a method on all people but some, and test it on those, until everybody was tested.

    runs/NAME/{config.toml, classes.txt, environment.json, folds.csv, faces.csv,
               fold01/, fold02/, …, eval/val/}

Each fold is a run of its own, in its own directory, that any command takes. What all folds together
are worth stands in `eval/val/`, see `workflows.evaluate.folds`.
"""

from contextlib import nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path

from attncli.config.ram import SequenceConfig
from attncli.config.toml import require_utf8
from attncli.data.faces.people import divide_people, write_people
from attncli.errors import UsageError
from attncli.files import runs
from attncli.files.failures import read_failures
from attncli.files.locks import held
from attncli.files.outputs import claim
from attncli.reporting import Outcome, Reporter
from attncli.training.distributed import World, join
from attncli.training.interruption import terminated_as_interrupted
from attncli.workflows.evaluate.folds import fold_path, folds_of, pool_folds
from attncli.workflows.runs.begin import claim_run, write_run
from attncli.workflows.runs.settings import require_same_settings
from attncli.workflows.train.folds_beside import processes_for, train_beside
from attncli.workflows.train.network import train
from attncli.workflows.train.plan import rehearsed, rehearsed_folds


def train_folds(
    method: str,
    config: SequenceConfig,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    reporter: Reporter,
) -> Outcome:
    """Train every fold that is not complete yet, or one, and score all of them together.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: an instance of the method's config class.
        out: Run directory; a fold is in `fold01` and so on below it.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: Replace what is at `out`; where one fold is asked for, that fold.
        dry_run: Return the plan as rows and touch nothing.
        reporter: Where progress is shown.

    Returns:
        The row of all folds together, or of the one that was asked for, and the sequences that
        could not be read.

    Raises:
        UsageError: The run to go on with was begun with other settings.
        AttncliError: The data or the output cannot be used, there are fewer people than folds, or
            a training failed; checkpoints stay as they are.
        KeyboardInterrupt: Training was asked to stop; it can be resumed.
    """
    config = runs.with_absolute_paths(config)
    require_utf8(out.absolute())  # TensorBoard takes no other name
    if dry_run:
        return _plan(method, config, out, resume, overwrite, reporter)
    with terminated_as_interrupted(), join(config.device) as world:
        # Several processes may each train one fold of the same run.
        alone = world.leads and config.fold is None
        if alone:
            claim(out, overwrite=overwrite and resume, resume=resume or overwrite)
        with held(out) if alone else nullcontext():
            if world.leads:
                _divide(method, config, out, resume, overwrite, world, reporter)
            world.wait()
            if config.fold is not None:
                ways = {"resume": resume, "overwrite": overwrite}
                return _train_fold(method, config, out, config.fold, world, reporter, **ways)
            return _train_all(method, config, out, world, reporter)


def _train_all(
    method: str, config: SequenceConfig, out: Path, world: World, reporter: Reporter
) -> Outcome:
    beside = processes_for(config)
    if beside > 1:
        train_beside(method, config, out, beside, reporter)
    for fold in range(1, config.folds + 1):
        reporter.note(f"fold {fold} of {config.folds}")
        _train_fold(method, config, out, fold, world, reporter, resume=True, overwrite=False)
    return _pool(out, reporter) if world.leads else Outcome()


def _train_fold(
    method: str,
    config: SequenceConfig,
    out: Path,
    fold: int,
    world: World,
    reporter: Reporter,
    *,
    resume: bool,
    overwrite: bool,
) -> Outcome:
    return train(
        method,
        replace(config, fold=fold),
        out=fold_path(out, fold),
        resume=resume,
        overwrite=overwrite,
        dry_run=False,
        world=world,
        title=f"fold {fold}",
        reporter=reporter,
    )


def _pool(out: Path, reporter: Reporter) -> Outcome:
    """Return the row of all folds, and what could not be read, in training or in tests."""
    run = runs.load(out)
    pooled = pool_folds(run, reporter)
    failures = (read_failures(runs.RunDirectory(fold).failures_path) for fold in folds_of(run))
    everywhere = {*pooled.failures, *chain.from_iterable(failures)}
    reporter.note(f"wrote {out}")
    failed = sorted(everywhere, key=lambda failure: failure.id)
    return Outcome(pooled.rows, failed, pooled.inputs)


def _divide(
    method: str,
    config: SequenceConfig,
    out: Path,
    resume: bool,
    overwrite: bool,
    world: World,
    reporter: Reporter,
) -> None:
    """Divide the people and write who is in which fold, unless that was done before."""
    directory = runs.RunDirectory(out)
    whole = replace(config, fold=None)
    if _claim(method, config, out, resume, overwrite):
        if config.fold is None:
            runs.write_config(directory, whole, method)  # with what may change on the way
        return
    people = divide_people(whole, reporter)
    write_people(people, out)
    write_run(runs.Run(directory, method, whole, people.dataset.classes), world)


def _claim(
    method: str,
    config: SequenceConfig,
    out: Path,
    resume: bool,
    overwrite: bool,
    *,
    dry_run: bool = False,
) -> bool:
    """Claim the directory of all folds, and return whether a run goes on that was begun there."""
    directory = runs.RunDirectory(out)
    goes_on = resume or (config.fold is not None and directory.config_path.exists())
    overwrite = overwrite and not goes_on if config.fold is not None else overwrite
    claim_run(out, config, resume=goes_on, overwrite=overwrite, dry_run=dry_run)
    if not goes_on or not directory.config_path.exists():
        return False
    begun, whole = runs.load(out), replace(config, fold=None)
    _require_whole(begun)
    require_same_settings(begun, runs.Run(directory, method, whole, begun.classes))
    return True


def _require_whole(run: runs.Run) -> None:
    fold, path = run.config.fold, run.directory.path
    if fold is not None:
        raise UsageError(
            f"is fold {fold} of a run",
            where=path,
            remedy=f"go on with -o {path.parent} --fold {fold} --resume",
        )


def _plan(
    method: str,
    config: SequenceConfig,
    out: Path,
    resume: bool,
    overwrite: bool,
    reporter: Reporter,
) -> Outcome:
    people = divide_people(replace(config, fold=None), reporter)
    _claim(method, config, out, resume, overwrite, dry_run=True)
    place = out if config.fold is None else fold_path(out, config.fold)
    run = runs.Run(runs.RunDirectory(place), method, config, people.dataset.classes)
    facts: dict[str, str | int] = {
        "layout": people.dataset.layout,
        "people": people.subjects,
        "sequences": len(people.dataset.samples),
    }
    if config.fold is None:
        return rehearsed_folds(run, facts, resume=resume)
    return rehearsed(run, facts, resume=resume, overwrite=overwrite)

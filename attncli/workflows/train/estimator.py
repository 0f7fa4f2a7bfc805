"""Fit an estimator to every feature that is asked for, into a run directory, and score them all.

    runs/NAME/{config.toml, classes.txt, environment.json, splits.csv, fits.csv,
               model.safetensors, eval/SPLIT/}

`splits.csv` is there where images were divided at random. As long as there are fits to do, those
that are done are kept in `fits/`.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from attncli import __version__
from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError
from attncli.files import runs
from attncli.files.features import FeatureDirectory, open_features
from attncli.files.fits import Fit, Fits, join_fits, open_fits, write_fit_table
from attncli.machine import free_memory_bytes
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.estimator import UNKNOWN
from attncli.training.feature_splits import (
    Division,
    draw_divisions,
    own_division,
    read_divisions,
    write_divisions,
)
from attncli.training.feature_tables import (
    Feature,
    choose_features,
    class_numbers,
    require_finite,
)
from attncli.workflows.evaluate.estimators import SPLITS, evaluate_estimators
from attncli.workflows.runs.begin import beginning, rehearse
from attncli.workflows.runs.environment import describe_environment
from attncli.workflows.runs.settings import listed
from attncli.workflows.train.fitting import (
    GIB,
    FitJob,
    bytes_of_a_fit,
    count_done,
    fit_all,
    processes_for,
    require_one_process,
)

PARTS = "fits"
"""Directory of what is done of a run that is not complete."""
TABLE = "fits.csv"


@dataclass(frozen=True)
class _Plan:
    """What is to be fitted."""

    run: runs.Run
    directory: FeatureDirectory
    features: Sequence[Feature]
    divisions: Sequence[Division]

    @property
    def origin(self) -> dict[str, str]:
        """What the weights say of where they come from."""
        features = self.directory.sha256
        return {"method": self.run.method, "attncli": __version__, "features_sha256": features}

    @property
    def jobs(self) -> list[FitJob]:
        """All fits, those of a feature one after the other."""
        pairs = [(feature, one) for feature in self.features for one in self.divisions]
        place = self.run.directory.path / PARTS
        width = len(str(len(pairs)))
        return [
            FitJob(
                method=self.run.method,
                config=self.run.config,
                division=division,
                feature=feature,
                out=place / f"{number:0{width}}.safetensors",
                origin=self.origin,
            )
            for number, (feature, division) in enumerate(pairs, start=1)
        ]


def train(
    method: str,
    config: Any,
    *,
    out: Path,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    reporter: Reporter,
) -> Outcome:
    """Fit `method` to all features that its settings name, and evaluate it on images left out.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: an `EstimatorConfig`.
        out: Run directory.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: Replace what is at `out`.
        dry_run: Return the plan as rows and touch nothing.
        reporter: Where progress is shown.

    Returns:
        The evaluation's rows, one a feature.

    Raises:
        UsageError: The run to go on with was begun with other settings, or a setting names what
            is not there.
        AttncliError: The features or the output cannot be used, or a fit failed; others stay.
        KeyboardInterrupt: It was asked to stop; it can be resumed.
    """
    require_one_process()
    config = runs.with_absolute_paths(config)
    plan = _plan(method, config, out)
    jobs = plan.jobs
    needed, free = bytes_of_a_fit(jobs, plan.directory), free_memory_bytes()
    processes = processes_for(config.workers, len(jobs), needed, free)
    if dry_run:
        done = _rehearse(plan, resume=resume, overwrite=overwrite)
        return Outcome(rows=listed(plan.run, _facts(plan, needed, processes) | done))
    if overwrite or not plan.run.directory.weights_path.is_file():
        require_finite(plan.directory, plan.features)
    with beginning(plan.run, resume=resume, overwrite=overwrite):
        _fit(plan, processes, reporter)
        return evaluate_estimators(EvaluateCall(runs=(out,)), reporter=reporter)


def _rehearse(plan: _Plan, *, resume: bool, overwrite: bool) -> Row:
    """Refuse what would be refused, touch nothing, and return how many fits are done."""
    rehearse(plan.run, resume=resume, overwrite=overwrite)
    weights = plan.run.directory.weights_path
    if resume and weights.is_file():
        _require_same_features(plan, open_fits(weights))
        return {"finished": len(plan.jobs)}
    require_finite(plan.directory, plan.features)
    if not resume:
        return {}
    table = plan.run.directory.path / SPLITS
    if plan.run.config.splits and table.exists():
        _require_same_divisions(plan, table)
    return {"finished": count_done(plan.jobs)}


def _plan(method: str, config: Any, out: Path) -> _Plan:
    directory = open_features(config.data)
    run = runs.Run(runs.RunDirectory(out), method, config, directory.classes)
    features = choose_features(directory, config)
    return _Plan(run, directory, features, _divisions(directory, config))


def _divisions(directory: FeatureDirectory, config: Any) -> Sequence[Division]:
    """Return how images are divided, each part with images, and training images with labels."""
    labels = class_numbers(directory, directory.classes)
    _require_classes(directory, labels)
    if config.splits:
        return draw_divisions(
            labels,
            directory.classes,
            count=config.splits,
            per_class=config.train_per_class,
            seed=config.seed,
            where=directory.path,
        )
    own = own_division(directory)
    for name in ("train", "val"):
        if not len(own.part(name)):
            remedy = "divide them at random with --splits"
            raise AttncliError(
                f"holds no image of split {name!r}", where=directory.path, remedy=remedy
            )
    unknown = own.train[labels[own.train] == UNKNOWN]
    if len(unknown):
        raise AttncliError(
            f"{len(unknown)} training images have no label, such as {directory.ids[unknown[0]]}",
            where=directory.path,
            remedy="label them or leave them out",
        )
    _require_classes(directory, labels[own.train], "training ")
    return (own,)


def _require_classes(
    directory: FeatureDirectory, labels: Int64[np.ndarray, " n"], which: str = ""
) -> None:
    """Make sure that images are of two classes at least, before a run is begun."""
    present = np.unique(labels[labels != UNKNOWN])
    if len(present) < 2:
        of = f"of class {directory.classes[present[0]]!r}" if len(present) else "of no known class"
        raise AttncliError(
            f"all {which}images are {of}",
            where=directory.path,
            remedy="two classes at least are needed",
        )


def _fit(plan: _Plan, processes: int, reporter: Reporter) -> None:
    """Do what is left to do of a run, and put its fits together."""
    directory, out = plan.run.directory, plan.run.directory.path
    if directory.weights_path.is_file():
        joined = open_fits(directory.weights_path)
        _require_same_features(plan, joined)
        if (out / PARTS).is_dir():  # it was killed just before its end
            _finish(out, joined.fits)
        reporter.note(f"{out}: all fits are done; nothing to do but to evaluate them")
        return
    _begin(plan)
    _warn_of_small_classes(plan, reporter)
    jobs = plan.jobs
    fit_all(jobs, processes, reporter)
    fits = join_fits(directory.weights_path, [job.out for job in jobs])
    _finish(out, fits)
    _note_what_did_not_converge(fits, reporter)
    reporter.note(f"wrote {directory.weights_path}")


def _require_same_features(plan: _Plan, fits: Fits) -> None:
    if fits.origin != plan.origin:
        what = "was fitted to other features, or by another version"
        remedy = "begin anew with --overwrite"
        raise AttncliError(what, where=plan.run.directory.path, remedy=remedy)


def _finish(out: Path, fits: Sequence[Fit]) -> None:
    """Write the table of fits, and remove the parts they were put together of."""
    write_fit_table(out / TABLE, fits)
    shutil.rmtree(out / PARTS)


def _begin(plan: _Plan) -> None:
    """Write what the run is, and who is trained on in each random division."""
    run, directory = plan.run, plan.directory
    table = run.directory.path / SPLITS
    if plan.run.config.splits and not table.exists():
        write_divisions(table, plan.divisions, directory)
    elif plan.run.config.splits:
        _require_same_divisions(plan, table)
    environment = describe_environment(torch.device("cpu"), processes=1)
    environment["scikit-learn"] = version("scikit-learn")
    runs.create(run.directory.path, run.config, run.method, run.classes, environment)


def _require_same_divisions(plan: _Plan, table: Path) -> None:
    found = read_divisions(table, plan.directory)
    same = [one.number for one in found] == [one.number for one in plan.divisions] and all(
        mine.train.tolist() == other.train.tolist()
        for mine, other in zip(found, plan.divisions, strict=True)
    )
    if not same:
        what, remedy = "divides the images in another way", "begin anew with --overwrite"
        raise AttncliError(what, where=table, remedy=remedy)


def _warn_of_small_classes(plan: _Plan, reporter: Reporter) -> None:
    """Say which classes an estimator hardly knows."""
    first = plan.divisions[0]
    counts = Counter(plan.directory.labels[row] for row in first.train)
    single = [name for name in plan.run.classes if counts[name] == 1]
    unseen = [name for name in plan.run.classes if counts[name] == 0]
    for names, what in ((single, "one training image alone"), (unseen, "no training image")):
        if names:
            reporter.warn(f"{len(names)} classes have {what}, such as {names[0]}")


def _note_what_did_not_converge(fits: Sequence[Fit], reporter: Reporter) -> None:
    stopped = [fit for fit in fits if fit.facts.get("converged") == 0]
    if stopped:
        first = f"{stopped[0].layer} of {stopped[0].source}"
        reporter.warn(f"{len(stopped)} of {len(fits)} fits did not converge, such as {first}")


def _facts(plan: _Plan, needed: int, processes: int) -> Row:
    """Return what is known before the fits begin."""
    first = plan.divisions[0]
    return {
        "features": len(plan.features),
        "fits": len(plan.jobs),
        "train_images": len(first.train),
        "val_images": len(first.val),
        "fit_memory_gib": needed / GIB,
        "fits_at_a_time": processes,
    }

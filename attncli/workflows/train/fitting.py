"""Fits of estimators side by side: what each is, how many at a time, and where each is kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.errors import AttncliError, UsageError
from attncli.files.features import FeatureDirectory, open_features
from attncli.files.fits import Fit, open_fits, write_fit
from attncli.machine import usable_cores
from attncli.pool import work_in_pool
from attncli.reporting import Reporter
from attncli.training.estimator import Estimator
from attncli.training.feature_splits import Division
from attncli.training.feature_tables import Feature, class_numbers, feature_table, n_dims

GIB = 2**30


@dataclass(frozen=True)
class FitJob:
    """One estimator to fit."""

    method: str
    """Name of its method in the catalog."""
    config: Any
    """Its settings."""
    division: Division
    """Which images it is fitted to."""
    feature: Feature
    """To which features of theirs."""
    out: Path
    """File that keeps what it learnt."""
    origin: dict[str, str]
    """What its file says besides: method and hash of the features."""

    @property
    def id(self) -> str:
        """What it is called in messages."""
        return f"{self.feature.name}, split {self.division.number}"


def build(method: str, config: Any) -> Estimator:
    """Return an estimator that has learnt nothing yet."""
    made: Estimator = catalog.load(catalog.method(method).build)(config)
    return made


def fit_one(job: FitJob) -> None:
    """Fit an estimator and keep what it learnt.

    Raises:
        AttncliError: Its features cannot be read, or it cannot be fitted to them.
    """
    directory = open_features(job.config.data)
    labels = class_numbers(directory, directory.classes)
    rows = job.division.train
    table = feature_table(directory, job.feature, rows, labels, directory.classes)
    estimator = build(job.method, job.config)
    facts = estimator.fit(table)
    feature = job.feature
    fit = Fit(job.division.number, feature.layer, feature.source, len(rows), table.n_dims, facts)
    write_fit(job.out, fit, estimator.state(), job.origin)


def fit_all(jobs: Sequence[FitJob], processes: int, reporter: Reporter) -> None:
    """Do all fits that are not kept yet; each is kept as soon as it is done.

    Args:
        jobs: The fits.
        processes: How many at a time; one is done in this process.
        reporter: Shows progress.

    Raises:
        AttncliError: A fit failed, or one that is kept is of other features; others stay.
    """
    if n_done := count_done(jobs):
        reporter.note(f"{n_done} of {len(jobs)} fits are done already")
    left = [job for job in jobs if not job.out.is_file()]
    done = work_in_pool(left, fit_one, processes)
    for _, answer in reporter.track(done, label="fit", total=len(left), unit="fits"):
        if isinstance(answer, AttncliError):
            raise answer


def count_done(jobs: Sequence[FitJob]) -> int:
    """Return how many fits are kept already.

    Raises:
        AttncliError: One of them is of other features.
    """
    for job in jobs:
        _require_same_origin(job)
    return sum(job.out.is_file() for job in jobs)


def bytes_of_a_fit(jobs: Sequence[FitJob], directory: FeatureDirectory) -> int:
    """Return about how much memory the largest fit takes."""
    estimator = build(jobs[0].method, jobs[0].config)
    sizes = {(len(job.division.train), n_dims(directory, job.feature)) for job in jobs}
    return max(estimator.memory_bytes(*size) for size in sizes)


def processes_for(workers: int | None, n_fits: int, needed: int, free: int | None) -> int:
    """Return how many fits are done at a time.

    Args:
        workers: What the settings say; None for as many as cores and memory allow.
        n_fits: How many there are.
        needed: Bytes that a fit takes.
        free: Bytes there are; None where that is not known, and counts for nothing.

    Raises:
        AttncliError: Memory is too small for a single fit.
        UsageError: It is too small for so many.
    """
    most = n_fits if free is None else free // needed
    if most < 1 and n_fits:
        raise AttncliError(
            f"a fit takes about {needed / GIB:.1f} GiB of memory, and {(free or 0) / GIB:.1f} are"
            " free",
            remedy="give fewer --sources together, or features of fewer dimensions",
        )
    if workers is not None and workers > most and n_fits > most:
        what = f"{workers} fits of about {needed / GIB:.1f} GiB do not fit into the free memory"
        raise UsageError(what, where="--workers", remedy=f"give {most} or fewer")
    wanted = usable_cores() if workers is None else workers
    return max(1, min(wanted, most, n_fits))


def require_one_process() -> None:
    """Make sure that `torchrun` did not start several processes, which would do the same fits.

    Raises:
        UsageError: It did.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        remedy = "start it without torchrun, with --workers"
        raise UsageError("fits are done by processes of their own", remedy=remedy)


def _require_same_origin(job: FitJob) -> None:
    if job.out.is_file() and open_fits(job.out).origin != job.origin:
        raise AttncliError(
            "was fitted to other features, or by another version",
            where=job.out,
            remedy="begin anew with --overwrite",
        )

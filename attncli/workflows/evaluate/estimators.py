"""Score what was fitted to features, on the images that it was not fitted to.

Into `eval/SPLIT/` of a run go:

==========================  ====================================================================
metrics.json                which run and settings, how many features, images and divisions
results.csv                 accuracy of each feature: mean and sample standard deviation over
                            divisions of the images, with dimensions and what its fits chose
accuracies.csv              accuracy of each feature in each division
differences.csv             by how much a feature is better than another: mean and standard
                            deviation of the differences within divisions, how many there are, and
                            in how many it is better (`wins`) or worse (`losses`)
predictions/SOURCE/         a table a layer: what each image was taken for, and by which margin
==========================  ====================================================================
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from attncli.config.estimators import EstimatorConfig
from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.feature_classes import accuracy_percent, difference, spread
from attncli.files.atomic import replacing_directory
from attncli.files.features import JOINT, FeatureDirectory, open_features
from attncli.files.fits import Fit, Fits, open_fits
from attncli.files.metrics import write_metrics
from attncli.files.runs import Run, load
from attncli.files.tables import write_table
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.training.feature_splits import Division, own_division, read_divisions
from attncli.training.feature_tables import (
    Feature,
    choose_features,
    class_numbers,
    feature_table,
)
from attncli.workflows.evaluate.about_networks import refuse_what_is_about_networks
from attncli.workflows.runs.network import require_same_classes
from attncli.workflows.runs.settings import values
from attncli.workflows.train.fitting import build

SPLITS = "splits.csv"
"""Who is trained on in each random division; a file of a run."""
ANSWER_COLUMNS = ("id", "label", "predicted", "margin", "split")
TOLD_IN_FILES = frozenset({"n_train", "unconverged"})
"""What `results.csv` says of a feature, and no row that is shown."""
Key = tuple[str, str]
"""Layer and source of a feature."""


@dataclass(frozen=True)
class _Job:
    """The evaluation of one run."""

    run: Run
    call: EvaluateCall
    fits: Fits
    directory: FeatureDirectory
    features: Mapping[Key, Feature]
    divisions: Mapping[int, Division]
    reporter: Reporter

    @property
    def out(self) -> Path:
        return self.run.directory.evaluation_path(self.call.split)

    @property
    def of_run(self) -> Row:
        """What every row begins with."""
        path, data = str(self.run.directory.path), self.call.data
        own: Row = {"run": path, "method": self.run.method, "split": self.call.split}
        return own if data is None else {**own, "data": str(data)}

    @property
    def n_images(self) -> int:
        """Images that are asked about in a division."""
        return len(next(iter(self.divisions.values())).part(self.call.split))

    def __call__(self) -> Outcome:
        by_feature: dict[Key, list[Fit]] = {}
        for fit in self.fits.fits:
            by_feature.setdefault((fit.layer, fit.source), []).append(fit)
        with replacing_directory(self.out) as out:
            label = f"eval {self.run.directory.path.name} on {self.call.split}"
            track = self.reporter.track(by_feature.items(), label=label, unit="features")
            accuracies = {key: self._ask(key, fits, out) for key, fits in track}
            rows = [self._row(by_feature[key], found) for key, found in accuracies.items()]
            _write_results(out / "results.csv", rows)
            _write_accuracies(out / "accuracies.csv", by_feature, accuracies)
            _write_differences(out / "differences.csv", accuracies, self.run.config)
            figures = {**self.of_run, **self._figures(len(rows))}
            write_metrics(out / "metrics.json", figures, weights=self.fits.path)
        self.reporter.note(f"wrote {self.out}")
        return Outcome(
            rows=[{k: v for k, v in row.items() if k not in TOLD_IN_FILES} for row in rows]
        )

    def _ask(self, key: Key, fits: Sequence[Fit], out: Path) -> list[float | None]:
        """Keep what each fit to a feature answers; return its accuracies."""
        classes, directory = self.run.classes, self.directory
        labels = class_numbers(directory, classes)
        found: list[float | None] = []
        lines: list[tuple[Any, ...]] = []
        for fit in fits:
            rows = self.divisions[fit.split].part(self.call.split)
            table = feature_table(directory, self.features[key], rows, labels, classes)
            estimator = build(self.run.method, self.run.config)
            estimator.restore(self.fits.state(fit))
            scores = estimator.answer(table)
            found.append(accuracy_percent(scores, table.labels))
            told, margins = scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist()
            lines += [
                (directory.ids[row], directory.labels[row], classes[best], margin, fit.split)
                for row, best, margin in zip(rows.tolist(), told, margins, strict=True)
            ]
        layer, source = key
        write_table(out / "predictions" / source / f"{layer}.csv", ANSWER_COLUMNS, lines)
        return found

    def _row(self, fits: Sequence[Fit], accuracies: Sequence[float | None]) -> Row:
        """Return the figures of a feature."""
        known = [one for one in accuracies if one is not None]
        over = spread(known) if known else None
        shown = build(self.run.method, self.run.config).shown
        first = fits[0]
        return {
            **self.of_run,
            "layer": first.layer,
            "pooling": self.directory.pool,
            "source": first.source,
            "dims": first.n_dims,
            "images": self.n_images,
            "failed": self.directory.n_failed,
            "accuracy": None if over is None else over.mean,
            "accuracy_std": None if over is None else over.std,
            "splits": len(fits),
            **{name: statistics.median(_number(fit, name) for fit in fits) for name in shown},
            "n_train": first.n_train,
            "unconverged": sum(fit.facts.get("converged") == 0 for fit in fits),
        }

    def _figures(self, n_features: int) -> Row:
        """Return what holds of all features alike."""
        base = {field.name for field in fields(EstimatorConfig)}
        own = {name: one for name, one in values(self.run.config).items() if name not in base}
        fits = self.fits.fits
        return {
            "pooling": self.directory.pool,
            "features": n_features,
            "images": self.n_images,
            "failed": self.directory.n_failed,
            "splits": len(self.divisions),
            "n_train": fits[0].n_train,
            "unconverged": sum(fit.facts.get("converged") == 0 for fit in fits),
            **{name: _plain(value) for name, value in own.items()},
        }


def evaluate_estimators(
    call: EvaluateCall,
    *,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Evaluate runs that were fitted to features; each one's `eval/SPLIT` is replaced as a whole.

    Args:
        call: Which runs to ask, and on which split: of random divisions `val` are the images that
            were left out, and `train` those that were not.
        dry_run: Say what would be done, and touch nothing.
        world: Processes; the first one alone does it.
        reporter: Shows progress.

    Returns:
        One row a feature of each run; on processes other than the first, nothing.

    Raises:
        UsageError: Something is asked that is about networks.
        AttncliError: A run or its features cannot be used; nothing was written for it.
    """
    refuse_what_is_about_networks(call)
    jobs = [_job(load(path), call, reporter) for path in call.runs]
    if dry_run:
        return Outcome(rows=[_planned(job) for job in jobs])
    if world is not None and not world.leads:
        return Outcome()
    return Outcome(rows=[row for job in jobs for row in job().rows])


def _job(run: Run, call: EvaluateCall, reporter: Reporter) -> _Job:
    fits = open_fits(run.directory.weights_path)
    directory = open_features(call.data or run.config.data)
    if call.data is None and directory.sha256 != fits.origin.get("features_sha256"):
        raise AttncliError(
            f"{directory.path} holds other features than it was fitted to",
            where=run.directory.path,
            remedy="fit it anew, or name features with --data",
        )
    require_same_classes(run, directory.classes, directory.path)
    features = {(one.layer, one.source): one for one in choose_features(directory, run.config)}
    for fit in fits.fits:
        if (fit.layer, fit.source) not in features:
            remedy = "extract it, too"
            what = f"has no {fit.layer} of {fit.source}"
            raise AttncliError(what, where=directory.path, remedy=remedy)
    return _Job(run, call, fits, directory, features, _divisions(run, call, directory), reporter)


def _divisions(run: Run, call: EvaluateCall, directory: FeatureDirectory) -> dict[int, Division]:
    """Return the divisions of a run, each with images in the part that is asked about."""
    if run.config.splits:
        if call.data is not None:
            remedy = "leave it out"
            raise UsageError("a run of random splits has its own", where="--data", remedy=remedy)
        found: Sequence[Division] = read_divisions(run.directory.path / SPLITS, directory)
    else:
        found = [own_division(directory)]
    if not all(len(one.part(call.split)) for one in found):
        remedy = "name another --split"
        raise AttncliError(
            f"holds no image of split {call.split!r}", where=directory.path, remedy=remedy
        )
    return {one.number: one for one in found}


def _planned(job: _Job) -> Row:
    features = len({(fit.layer, fit.source) for fit in job.fits.fits})
    return {**job.of_run, "features": features, "images": job.n_images, "out": str(job.out)}


def _number(fit: Fit, name: str) -> float:
    value = fit.facts[name]
    assert isinstance(value, int | float)  # noqa: S101 - narrows the type: estimators show numbers
    return value


def _plain(value: Any) -> str | int | float | None:
    if isinstance(value, tuple):
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    return value if isinstance(value, int | float | None) else str(value)


def _write_results(path: Path, rows: Sequence[Row]) -> None:
    columns = [name for name in rows[0] if name not in ("run", "method", "split", "data")]
    write_table(path, columns, ([row[name] for name in columns] for row in rows))


def _write_accuracies(
    path: Path,
    fits: Mapping[Key, Sequence[Fit]],
    accuracies: Mapping[Key, Sequence[float | None]],
) -> None:
    lines = (
        (*key, fit.split, accuracy)
        for key, found in accuracies.items()
        for fit, accuracy in zip(fits[key], found, strict=True)
    )
    write_table(path, ("layer", "source", "split", "accuracy"), lines)


def _write_differences(
    path: Path, accuracies: Mapping[Key, Sequence[float | None]], config: EstimatorConfig
) -> None:
    """Write by how much each feature is better than baselines, and fusions than their sources."""
    lines = []
    for mine, other in _pairs(list(accuracies), config.baseline):
        first, second = (
            [one for one in accuracies[key] if one is not None] for key in (mine, other)
        )
        if first and len(first) == len(second):
            found = difference(first, second)
            over = found.spread
            lines.append((*mine, *other, over.mean, over.std, over.n, found.wins, found.losses))
    columns = ("layer", "source", "other_layer", "other_source", "mean", "std", "splits")
    write_table(path, (*columns, "wins", "losses"), lines)


def _pairs(keys: Sequence[Key], baselines: Sequence[str]) -> list[tuple[Key, Key]]:
    """Return which features are held against which others.

    >>> _pairs([("fc", "I"), ("svd-fc", "I"), ("svd-fc", "I+P")], ["fc"])
    [(('svd-fc', 'I'), ('fc', 'I')), (('svd-fc', 'I+P'), ('svd-fc', 'I'))]
    """
    return [
        (mine, other)
        for mine in keys
        for other in keys
        if (mine[1] == other[1] and mine[0] != other[0] and other[0] in baselines)
        or (mine[0] == other[0] and other[1] in mine[1].split(JOINT) and mine[1] != other[1])
    ]

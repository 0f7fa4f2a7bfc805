"""Score how people are found again by their features: as they are, or by a learnt distance.

Into `eval/SPLIT/` of a run, or of a feature directory, go:

=========================  =====================================================================
metrics.json               which run and settings, how many features and divisions
results.csv                figures of each feature: mean and sample standard deviation over
                           divisions of the people
cmc.csv                    layer, source, rank and percent: match curves, means over divisions
rankings/SOURCE/LAYER.csv  query, rank, id, identity, camera and right (1 or 0): the nearest images
                           of each query, of the first division
=========================  =====================================================================
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from attncli import catalog
from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.distances import Cosine
from attncli.evaluation.feature_classes import spread
from attncli.evaluation.people import (
    People,
    Search,
    multi_queries,
    people_of_features,
    require_searchable,
    search_among,
)
from attncli.evaluation.people_divisions import OWN, read_people, training_rows, validation_rows
from attncli.evaluation.people_features import (
    embedded,
    embedded_queries,
    people_features,
)
from attncli.evaluation.rankings import (
    LISTED,
    Embedded,
    Found,
    Key,
    find,
    write_curves,
    write_lists,
)
from attncli.files.atomic import replacing_directory
from attncli.files.features import FeatureDirectory, holds_features, open_features
from attncli.files.fits import Fits, open_fits
from attncli.files.metrics import write_metrics
from attncli.files.runs import Run, RunDirectory, load
from attncli.files.tables import write_table
from attncli.metrics.ranking import RankingFigures
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.distributed import World
from attncli.training.feature_tables import Feature, n_dims
from attncli.training.metric import Distance
from attncli.workflows.evaluate.about_networks import refuse_what_is_about_networks

SPLITS = "splits.csv"
"""Who is learnt from, and who is looked for, in each random division; a file of a run."""
AS_THEY_ARE = "features"
"""What stands for a method in rows of features without a run."""
SHARES = ("rank1", "rank5", "rank10", "rank20", "map", "map_official")
"""Figures that are means over divisions, in percent; counts of queries are sums."""
COUNTS = ("queries", "queries_without_match")


@dataclass(frozen=True)
class _Subject:
    """What is evaluated: a run, or features as they are."""

    path: Path
    method: str
    run: Run | None
    """The run whose distance was learnt; None where distances are cosines."""
    fits: Fits | None
    """What it learnt."""

    def distance(self, key: Key, number: int) -> Distance:
        """Return how far features are apart, in one division."""
        if self.run is None or self.fits is None:
            return Cosine()
        (fit,) = [
            fit for fit in self.fits.fits if (fit.layer, fit.source, fit.split) == (*key, number)
        ]
        maker = catalog.load(catalog.method(self.method).build)(self.run.config)
        learnt: Distance = maker.restored(self.fits.state(fit))
        return learnt


@dataclass(frozen=True)
class _Job:
    """The evaluation of one run or feature directory."""

    subject: _Subject
    call: EvaluateCall
    directory: FeatureDirectory
    people: People
    features: Mapping[Key, Feature]
    searches: Mapping[int, Search]
    reporter: Reporter

    @property
    def out(self) -> Path:
        return RunDirectory(self.subject.path).evaluation_path(self.call.split)

    @property
    def of_run(self) -> Row:
        """What every row begins with."""
        path, data = str(self.subject.path), self.call.data
        own: Row = {"run": path, "method": self.subject.method, "split": self.call.split}
        return own if data is None else {**own, "data": str(data)}

    @property
    def planned(self) -> Row:
        """What is said of it before it is done."""
        first = next(iter(self.searches.values()))
        sizes = {"queries": len(first.queries), "gallery": len(first.gallery)}
        return {**self.of_run, "features": len(self.features), **sizes, "out": str(self.out)}

    def __call__(self) -> list[Row]:
        rows: list[Row] = []
        curves: dict[Key, Float64[np.ndarray, " k"]] = {}
        with replacing_directory(self.out) as out:
            label = f"eval {self.subject.path.name} on {self.call.split}"
            for key in self.reporter.track(list(self.features), label=label, unit="features"):
                found = [self._find(key, number) for number in self.searches]
                curves[key] = np.mean([one.curve for one in found], axis=0)
                write_lists(out, key, found[0].lists)
                rows.append(self._row(key, [one.figures for one in found]))
            write_curves(out, curves)
            _write_results(out / "results.csv", rows)
            weights = None if self.subject.fits is None else self.subject.fits.path
            write_metrics(out / "metrics.json", self._figures(rows), weights=weights)
        self.reporter.note(f"wrote {self.out}")
        return rows

    def _find(self, key: Key, number: int) -> Found:
        """Rank the gallery of one division by one feature."""
        feature, search = self.features[key], self.searches[number]
        distance = self.subject.distance(key, number)
        gallery = embedded(distance, self.directory, feature, search.gallery)
        if self.call.multi_query:
            several = multi_queries(self.people, search)
            queries = embedded_queries(distance, self.directory, feature, several.groups)
            search = several.search
        else:
            queries = embedded(distance, self.directory, feature, search.queries)
        is_first = number == next(iter(self.searches))
        return find(
            self.people,
            search,
            distance,
            Embedded(queries, gallery),
            unmatched=self.call.unmatched,
            listed=LISTED if is_first else 0,
        )

    def _row(self, key: Key, found: Sequence[RankingFigures]) -> Row:
        """Return the figures of a feature over all divisions."""
        figures = [asdict(one) for one in found]
        over = {name: spread([one[name] for one in figures]) for name in SHARES}
        layer, source = key
        row: Row = {
            **self.of_run,
            "layer": layer,
            "source": source,
            "dims": n_dims(self.directory, self.features[key]),
            **{name: one.mean for name, one in over.items()},
            **{name: sum(one[name] for one in figures) for name in COUNTS},
            "failed": self.directory.n_failed,
            "splits": len(found),
        }
        stds: Row = {f"{name}_std": one.std for name, one in over.items()}
        return {**row, **stds} if len(found) > 1 else row

    def _figures(self, rows: Sequence[Row]) -> Row:
        """Return what holds of all features alike."""
        return {
            **self.of_run,
            "features": len(rows),
            **{name: rows[0][name] for name in (*COUNTS, "failed", "splits")},
            "unmatched": self.call.unmatched,
            "multi_query": int(self.call.multi_query),
            "features_sha256": self.directory.sha256,
        }


def is_of_features(path: Path) -> bool:
    """Return whether a path is of features themselves, and not of a run, which may hold some."""
    return holds_features(path)


def evaluate_identities(
    call: EvaluateCall,
    *,
    dry_run: bool = False,
    world: World | None = None,
    reporter: Reporter,
) -> Outcome:
    """Evaluate how people are found again; each `eval/SPLIT` is replaced as a whole.

    Args:
        call: Which runs or feature directories to ask, and on which split: of training images each
            one is looked for among all.
        dry_run: Say what would be done, and touch nothing.
        world: Processes; the first one alone does it.
        reporter: Shows progress.

    Returns:
        One row a feature of each; on processes other than the first, nothing.

    Raises:
        UsageError: Something is asked that is about networks, or that these features cannot say.
        AttncliError: A run or its features cannot be used, or nobody can be found again; nothing
            was written for it.
    """
    refuse_what_is_about_networks(call)
    jobs = [_job(path, call, reporter) for path in call.runs]
    if dry_run:
        return Outcome(rows=[job.planned for job in jobs])
    if world is not None and not world.leads:
        return Outcome()
    return Outcome(rows=[row for job in jobs for row in job()])


def _job(path: Path, call: EvaluateCall, reporter: Reporter) -> _Job:
    subject, directory = _opened(path, call)
    people = people_of_features(directory)
    searches = _searches(subject, call, directory, people)
    return _Job(
        subject=subject,
        call=call,
        directory=directory,
        people=people,
        features={(one.layer, one.source): one for one in _features(subject, directory)},
        searches=searches,
        reporter=reporter,
    )


def _opened(path: Path, call: EvaluateCall) -> tuple[_Subject, FeatureDirectory]:
    """Return what is evaluated, and the features it is asked about.

    Raises:
        AttncliError: A distance was learnt from other features.
        UsageError: Features are named for what has its own.
    """
    run = None if is_of_features(path) else load(path)
    if run is not None and catalog.method(run.method).task.is_fitted:
        fits = open_fits(run.directory.weights_path)
        directory = open_features(call.data or run.config.data)
        if call.data is None and directory.sha256 != fits.origin.get("features_sha256"):
            raise AttncliError(
                f"{directory.path} holds other features than it was fitted to",
                where=path,
                remedy="fit it anew, or name features with --data",
            )
        return _Subject(path, run.method, run, fits), directory
    if call.data is not None:
        raise UsageError(f"{path} has features of its own", where="--data", remedy="leave it out")
    method = AS_THEY_ARE if run is None else run.method
    return _Subject(path, method, None, None), open_features(path)


def _features(subject: _Subject, directory: FeatureDirectory) -> Sequence[Feature]:
    if subject.run is None or subject.fits is None:
        return people_features(directory)
    config = subject.run.config
    layers = list(dict.fromkeys(fit.layer for fit in subject.fits.fits))
    sources = list(dict.fromkeys(fit.source for fit in subject.fits.fits))
    _require_features(directory, subject, layers, sources)
    features = people_features(directory, layers, sources)
    for feature in features:
        key, found = (feature.layer, feature.source), n_dims(directory, feature)
        fitted = next(fit for fit in subject.fits.fits if (fit.layer, fit.source) == key)
        if found != fitted.n_dims:
            what = f"{feature.name} has {found} numbers an image, not {fitted.n_dims}"
            remedy = f"use features like those in {config.data}"
            raise AttncliError(what, where=directory.path, remedy=remedy)
    return features


def _require_features(
    directory: FeatureDirectory, subject: _Subject, layers: Sequence[str], sources: Sequence[str]
) -> None:
    """Make sure that there are the features that a run was fitted to.

    Raises:
        AttncliError: A layer or source is not there.
    """
    wanted = (("layer", layers, directory.layers), ("source", sources, directory.sources))
    for kind, named, known in wanted:
        for name in (name for name in named if name not in known):
            raise AttncliError(
                f"has no {kind} {name}, which {subject.path} was fitted to",
                where=directory.path,
                remedy=f"name features with it: {kind}s here are {', '.join(known)}",
            )


def _searches(
    subject: _Subject, call: EvaluateCall, directory: FeatureDirectory, people: People
) -> Mapping[int, Search]:
    """Return who is looked for among whom, by the number of the division.

    Raises:
        UsageError: Other features are named for a run of random divisions.
        AttncliError: There is no query or no gallery.
    """
    run = subject.run
    if run is not None and run.config.splits:
        if call.data is not None:
            remedy = "leave it out"
            raise UsageError("a run of random splits has its own", where="--data", remedy=remedy)
        divisions = read_people(run.directory.path / SPLITS, people)
        found = {
            one.number: Search(one.train, one.train) if call.split == "train" else one.search
            for one in divisions
        }
    elif call.split == "train":
        rows = training_rows(directory)
        found = {OWN: Search(rows, rows)}
    else:
        found = {OWN: search_among(people, validation_rows(directory))}
    for search in found.values():
        require_searchable(people, search)
        if call.multi_query:
            multi_queries(people, search)
    return found


def _write_results(path: Path, rows: Sequence[Row]) -> None:
    columns = [name for name in rows[0] if name not in ("run", "method", "split", "data")]
    lines: list[list[Any]] = [[row[name] for name in columns] for row in rows]
    write_table(path, columns, lines)

"""Pool maps of people into features, after learning from some of them what to pool by.

    runs/NAME/{config.toml, classes.txt, environment.json, fits.csv, model.safetensors,
               features/{SOURCE/LAYER.npy, SOURCE/all.npy, index.csv, …}}

Images are read twice, some at a time: for the scatter of those to learn from, and for the features
of all. `features/` is a feature directory; in `all` the features of all layers are side by side,
each layer at a length of 1. What was learnt of a layer is kept in `fits/` until all is.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from attncli import __version__, catalog
from attncli.errors import AttncliError, UsageError
from attncli.files import runs
from attncli.files.atomic import write_text
from attncli.files.failures import FAILURES, read_failures
from attncli.files.feature_rows import FeatureRows
from attncli.files.feature_writing import Description, Rows, complete
from attncli.files.features import FEATURES, FeatureDirectory, holds_features, open_features
from attncli.files.fits import Fit, Fits, join_fits, open_fits, write_fit, write_fit_table
from attncli.files.outputs import SETTINGS
from attncli.methods.reid.c_dpcf import Pooling, PositionMaps
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.runs.begin import beginning, rehearse
from attncli.workflows.runs.environment import describe_environment
from attncli.workflows.runs.settings import listed
from attncli.workflows.train.scatter_pass import (
    Learners,
    chunk_size,
    learners_of,
    scatter_of,
)

ALL = "all"
"""Layer in which all the others are side by side."""
PARTS, TABLE = "fits", "fits.csv"


@dataclass(frozen=True)
class _Plan:
    """What is to be pooled, and how."""

    run: runs.Run
    directory: FeatureDirectory
    layers: tuple[str, ...]
    learners: Learners | None
    """Images to learn from; None where nothing is to be learnt."""

    @property
    def pooling(self) -> Pooling:
        built: Pooling = catalog.load(catalog.method(self.run.method).build)(self.run.config)
        return built

    @property
    def origin(self) -> dict[str, str]:
        """What the weights say of where they come from."""
        features = self.directory.sha256
        return {"method": self.run.method, "attncli": __version__, "features_sha256": features}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Sources and layers."""
        return [(source, layer) for source in self.directory.sources for layer in self.layers]

    @property
    def files(self) -> list[Path]:
        """What keeps the weights of each source and layer until those of all are there."""
        place = self.run.directory.path / PARTS
        return [place / f"{n:03}.safetensors" for n, _ in enumerate(self.pairs, start=1)]

    @property
    def made(self) -> tuple[str, ...]:
        """Layers of what is made."""
        return (*self.layers, ALL) if len(self.layers) > 1 else self.layers

    @property
    def out(self) -> Path:
        """Directory of what is made."""
        return self.run.directory.path / FEATURES


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
    """Learn to pool maps of people, and write the features of all of them.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: a `CDpcfConfig`.
        out: Run directory.
        resume: Go on with the run that is there; begin it where there is none.
        overwrite: Replace what is at `out`.
        dry_run: Return the plan as rows and touch nothing.
        reporter: Where progress is shown.

    Returns:
        A row a source.

    Raises:
        UsageError: The run to go on with was begun with other settings, or a setting names what
            is not there.
        AttncliError: The maps or the output cannot be used.
        KeyboardInterrupt: It was asked to stop; it can be resumed.
    """
    plan = _plan(method, runs.with_absolute_paths(config), out)
    if dry_run:
        done = _rehearse(plan, resume=resume, overwrite=overwrite)
        return Outcome(rows=listed(plan.run, _facts(plan) | done))
    with beginning(plan.run, resume=resume, overwrite=overwrite):
        fits = _learn(plan, reporter)
        pool_sec = _pool(plan, fits, reporter)
    return Outcome(rows=_rows(plan, fits, pool_sec))


def _rehearse(plan: _Plan, *, resume: bool, overwrite: bool) -> Row:
    """Refuse what would be refused, touch nothing, and return of how many layers weights are."""
    rehearse(plan.run, resume=resume, overwrite=overwrite)
    if not resume:
        return {}
    weights = plan.run.directory.weights_path
    kept = [weights] if weights.is_file() else [file for file in plan.files if file.is_file()]
    for file in kept:
        _require_same_features(plan, open_fits(file))
    return {"finished": len(plan.pairs) if weights.is_file() else len(kept)}


def _plan(method: str, config: Any, out: Path) -> _Plan:
    directory = open_features(config.data)
    if directory.pool != "none":
        remedy = "extract maps with `attncli svd-fc --pool none`"
        raise AttncliError("holds vectors, not maps", where=directory.path, remedy=remedy)
    layers = _layers(directory, config.layers)
    run = runs.Run(runs.RunDirectory(out), method, config, directory.classes)
    plan = _Plan(run, directory, layers, None)
    learners = None
    if plan.pooling.is_learnt:
        learners = learners_of(directory, needs_cameras=not plan.pooling.is_shared)
    for source, layer in plan.pairs:
        rows, columns = directory.open(source, layer).shape[2:]
        n_cameras = 1 if learners is None or plan.pooling.is_shared else len(set(learners.cameras))
        plan.pooling.require_maps((rows, columns), n_cameras, name=f"{layer} of {source}")
    return _Plan(run, directory, layers, learners)


def _layers(directory: FeatureDirectory, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the layers to pool.

    Raises:
        UsageError: One is not there, or holds vectors.
    """
    for layer in wanted:
        if layer not in directory.layers:
            remedy = f"use {', '.join(directory.layers)}"
            raise UsageError(f"no such layer: {layer!r}", where="--layers", remedy=remedy)
    layers = wanted or directory.layers
    for layer in layers:
        if any(directory.open(source, layer).ndim != 4 for source in directory.sources):
            remedy = "name layers of maps"
            raise UsageError(f"{layer} holds vectors, not maps", where="--layers", remedy=remedy)
    if ALL in layers:
        raise UsageError(f"no layer may be called {ALL}", where="--layers", remedy="rename it")
    return layers


def _learn(plan: _Plan, reporter: Reporter) -> Fits:
    """Write what is learnt of each layer, of which some may be there, and return it."""
    weights = plan.run.directory.weights_path
    if weights.is_file():
        _require_same_features(plan, open_fits(weights))
        reporter.note(f"{plan.run.directory.path}: all weights are learnt; nothing to do but pool")
        return open_fits(weights)
    environment = describe_environment(torch.device("cpu"), processes=1)
    run = plan.run
    runs.create(run.directory.path, run.config, run.method, run.classes, environment)
    for pair, file in zip(plan.pairs, plan.files, strict=True):
        if file.is_file():
            _require_same_features(plan, open_fits(file))
        else:
            fit, state = _fit(plan, *pair, reporter)
            write_fit(file, fit, state, plan.origin)
    write_fit_table(run.directory.path / TABLE, join_fits(weights, plan.files))
    shutil.rmtree(run.directory.path / PARTS)
    reporter.note(f"wrote {weights}")
    return open_fits(weights)


def _require_same_features(plan: _Plan, fits: Fits) -> None:
    if fits.origin != plan.origin:
        what = "was fitted to other features, or by another version"
        remedy = "begin anew with --overwrite"
        raise AttncliError(what, where=plan.run.directory.path, remedy=remedy)


def _fit(
    plan: _Plan, source: str, layer: str, reporter: Reporter
) -> tuple[Fit, dict[str, np.ndarray]]:
    """Return what is learnt of a layer, and what there is to tell of it."""
    array = plan.directory.open(source, layer)
    n_channels, hw = array.shape[1], (array.shape[2], array.shape[3])
    if plan.learners is None:
        facts: Row = {"cameras": "", "scatter_sec": 0.0, "solve_sec": 0.0}
        return Fit(0, layer, source, 0, n_channels * hw[0] * hw[1], facts), {}
    started = time.perf_counter()
    name = f"{layer} of {source}"
    scatter = scatter_of(array, plan.learners, plan.pooling, name=name, reporter=reporter)
    scattered = time.perf_counter()
    maps = plan.pooling.solve(scatter, hw)
    facts = {
        "cameras": ",".join(maps.cameras),
        "channels": plan.pooling.rows(n_channels),
        "grid": "x".join(map(str, plan.pooling.parts_hw(hw))),
        "scatter_sec": round(scattered - started, 3),
        "solve_sec": round(time.perf_counter() - scattered, 3),
    }
    fit = Fit(0, layer, source, len(plan.learners.rows), n_channels * hw[0] * hw[1], facts)
    return fit, {"maps": maps.maps, "ratios": maps.ratios}


def _pool(plan: _Plan, fits: Fits, reporter: Reporter) -> float | None:
    """Write the features of all images; return the seconds that took, None where all were there."""
    if holds_features(plan.out):
        return None
    started = time.perf_counter()
    maps = {(fit.source, fit.layer): _maps_of(fit, fits) for fit in fits.fits}
    example = _features(plan, maps, range(1))
    shapes = {key: values.shape[1:] for key, values in example.items()}
    rows = FeatureRows(plan.out, len(plan.directory.ids), shapes)
    write_text(plan.out / SETTINGS, _description(plan).text())
    rows.begin()
    row_bytes = sum(plan.directory.open(*pair)[:1].nbytes for pair in plan.pairs)
    waiting = rows.waiting(chunk_size(row_bytes))
    for some in reporter.track(waiting, label="pool", total=len(waiting), unit="batches"):
        rows.write(some.start, _features(plan, maps, some), np.ones(len(some), dtype=bool))
    rows.finish()
    complete(
        plan.out,
        _rows_of(plan.directory),
        bases={},
        failures=read_failures(plan.directory.path / FAILURES),
    )
    rows.clear()
    reporter.note(f"features are in {plan.out}")
    return time.perf_counter() - started


def _maps_of(fit: Fit, fits: Fits) -> PositionMaps | None:
    """Return the weights of a layer; None where none were learnt."""
    state = fits.state(fit)
    if not state:
        return None
    cameras = str(fit.facts["cameras"])
    return PositionMaps(
        state["maps"], state["ratios"], tuple(cameras.split(",") if cameras else ())
    )


def _features(
    plan: _Plan, maps: dict[tuple[str, str], PositionMaps | None], rows: range
) -> dict[tuple[str, str], np.ndarray]:
    """Return the features of some images by source and layer.

    Raises:
        AttncliError: One is not finite; layer, source and image are named.
    """
    cameras = plan.directory.cameras[rows.start : rows.stop]
    found: dict[tuple[str, str], np.ndarray] = {}
    for source in plan.directory.sources:
        for layer in plan.layers:
            part = np.asarray(plan.directory.open(source, layer)[rows.start : rows.stop])
            found[source, layer] = plan.pooling.pool(part, cameras, maps[source, layer])
            _require_finite(plan.directory, source, layer, found[source, layer], rows)
        if ALL in plan.made:
            parts = [_unit_rows(found[source, layer]) for layer in plan.layers]
            found[source, ALL] = np.concatenate(parts, axis=1)
    return found


def _require_finite(
    directory: FeatureDirectory, source: str, layer: str, values: np.ndarray, rows: range
) -> None:
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        id_ = directory.ids[rows[int(wrong[0])]]
        what = f"{layer} of {source} holds a number that is not finite for image {id_}"
        raise AttncliError(what, where=directory.path, remedy="extract the features again")


def _unit_rows(values: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """Return rows at a length of 1; those of zeros stay."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1)


def _description(plan: _Plan) -> Description:
    """Return what is written of the features that are made: as of the maps, but for pooling."""
    before = plan.directory.settings
    kept = {name: before.get(name) for name in ("data", "layout", "split", "images_sha256")}
    n_learnt = 0 if plan.learners is None else len(plan.learners.rows)
    return Description(
        pool=plan.run.config.pooling,
        layers=plan.made,
        sources=before["sources"],
        settings={**kept, "maps": str(plan.directory.path), "learnt_from_images": n_learnt},
    )


def _rows_of(directory: FeatureDirectory) -> Rows:
    """Return which image each row is of."""
    return Rows(
        directory.ids,
        directory.labels,
        directory.splits,
        directory.classes,
        directory.subjects,
        directory.cameras,
        directory.roles,
    )


def _rows(plan: _Plan, fits: Fits, pool_sec: float | None) -> list[Row]:
    """Return what there is to tell: a row a source."""
    made = open_features(plan.out)
    rows: list[Row] = []
    for source in made.sources:
        facts = [fit.facts for fit in fits.fits if fit.source == source]
        scatter, solve = (
            sum(float(one[name] or 0) for one in facts) for name in ("scatter_sec", "solve_sec")
        )
        dims = [made.open(source, layer).shape[1] for layer in made.layers]
        row: Row = {"run": str(plan.run.directory.path), "method": plan.run.method}
        row |= {"pooling": plan.run.config.pooling, "source": source}
        row |= {"layers": ",".join(made.layers), "dims": ",".join(map(str, dims))}
        row |= {"images": len(made.ids), "failed": made.n_failed}
        row |= {"train_sec": round(scatter + solve, 2), "scatter_sec": round(scatter, 2)}
        row |= {"solve_sec": round(solve, 2)}
        rows.append({**row, "pool_sec": None if pool_sec is None else round(pool_sec, 2)})
    return rows


def _facts(plan: _Plan) -> Row:
    """Return what is known before anything is learnt."""
    learners = plan.learners
    return {
        "layers": ",".join(plan.layers),
        "sources": ",".join(plan.directory.sources),
        "images": len(plan.directory.ids),
        "learning_images": 0 if learners is None else len(learners.rows),
        "learning_people": 0 if learners is None else learners.n_people,
        "cameras": 0 if learners is None else len(set(learners.cameras)),
    }

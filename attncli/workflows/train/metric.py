"""Learn a distance between people's features for every layer, into a run directory; score them.

    runs/NAME/{config.toml, classes.txt, environment.json, splits.csv, fits.csv,
               model.safetensors, eval/SPLIT/}

`splits.csv` is there where people were divided at random. As long as there are distances to learn,
those that are learnt are kept in `fits/`.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from attncli import __version__, catalog
from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError
from attncli.evaluation.people import People, people_of_features
from attncli.evaluation.people_divisions import (
    PARTS,
    TWO_VIEWS,
    PeopleDivision,
    draw_people,
    own_people,
    read_people,
    write_people,
)
from attncli.evaluation.people_features import layers_to_learn, people_features, unit_features
from attncli.files import runs
from attncli.files.features import FeatureDirectory, open_features
from attncli.files.fits import Fit, join_fits, open_fits, write_fit, write_fit_table
from attncli.machine import free_memory_bytes
from attncli.methods.reid.xqda import random_views
from attncli.reporting import Outcome, Reporter, Row
from attncli.training.feature_tables import Feature, n_dims, require_finite
from attncli.training.metric import DistanceMaker, TwoViews
from attncli.workflows.evaluate.identities import SPLITS, evaluate_identities
from attncli.workflows.runs.begin import beginning, rehearse
from attncli.workflows.runs.environment import describe_environment
from attncli.workflows.runs.settings import listed
from attncli.workflows.train.fitting import GIB, require_one_process

KEPT = "fits"
"""Directory of what is done of a run that is not complete."""
TABLE = "fits.csv"


@dataclass(frozen=True)
class _Plan:
    """What is to be learnt."""

    run: runs.Run
    directory: FeatureDirectory
    people: People
    features: Sequence[Feature]
    divisions: Sequence[PeopleDivision]

    @property
    def origin(self) -> dict[str, str]:
        """What the weights say of where they come from."""
        features = self.directory.sha256
        return {"method": self.run.method, "attncli": __version__, "features_sha256": features}

    @property
    def maker(self) -> DistanceMaker:
        made: DistanceMaker = catalog.load(catalog.method(self.run.method).build)(self.run.config)
        return made

    @property
    def needed_bytes(self) -> int:
        """About how much memory it takes to learn the largest distance."""
        n_rows = max(len(one.train) for one in self.divisions)
        sizes = {n_dims(self.directory, feature) for feature in self.features}
        return max(self.maker.memory_bytes(n_rows, size) for size in sizes)

    @property
    def jobs(self) -> list[tuple[Path, Feature, PeopleDivision]]:
        """All fits with the file that keeps each, those of a feature one after the other."""
        pairs = [(feature, one) for feature in self.features for one in self.divisions]
        place, width = self.run.directory.path / KEPT, len(str(len(pairs)))
        return [
            (place / f"{number:0{width}}.safetensors", *pair)
            for number, pair in enumerate(pairs, start=1)
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
    """Learn distances by `method` for all features that its settings name, and evaluate them.

    Args:
        method: Name of the method in the catalog.
        config: Its settings: a `MetricConfig`.
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
        AttncliError: The features or the output cannot be used, memory does not suffice, or there
            is no distance to be learnt; others stay.
        KeyboardInterrupt: It was asked to stop; it can be resumed.
    """
    require_one_process()
    config = runs.with_absolute_paths(config)
    plan = _plan(method, config, out)
    if dry_run:
        done = _rehearse(plan, resume=resume, overwrite=overwrite)
        return Outcome(rows=listed(plan.run, _facts(plan) | done))
    _require_memory(plan)
    _warn_of_learnt_features(plan, reporter)
    if not plan.run.directory.weights_path.is_file() or overwrite:  # before a run is begun
        require_finite(plan.directory, plan.features)
    with beginning(plan.run, resume=resume, overwrite=overwrite):
        _learn(plan, reporter)
        return evaluate_identities(EvaluateCall(runs=(out,)), reporter=reporter)


def _rehearse(plan: _Plan, *, resume: bool, overwrite: bool) -> Row:
    """Refuse what would be refused, touch nothing, and return how many distances are learnt."""
    _require_memory(plan)
    rehearse(plan.run, resume=resume, overwrite=overwrite)
    weights = plan.run.directory.weights_path
    if resume and weights.is_file():
        _require_same_features(plan, weights)
        return {"finished": len(plan.jobs)}
    require_finite(plan.directory, plan.features)
    if not resume:
        return {}
    table = plan.run.directory.path / SPLITS
    if plan.run.config.splits and table.exists():
        _require_same_divisions(plan, table)
    kept = [file for file, _, _ in plan.jobs if file.is_file()]
    for file in kept:
        _require_same_features(plan, file)
    return {"finished": len(kept)}


def _plan(method: str, config: Any, out: Path) -> _Plan:
    directory = open_features(config.data)
    people = people_of_features(directory)
    layers = layers_to_learn(directory, config.layers)
    features = people_features(directory, layers, config.sources)
    if config.splits:
        ways = {"count": config.splits, "share": config.train_share, "seed": config.seed}
        divisions: Sequence[PeopleDivision] = draw_people(people, **ways)
    else:
        divisions = [own_people(directory, people)]
    for one in divisions:
        _views(people, one, config.seed)
    run = runs.Run(runs.RunDirectory(out), method, config, directory.classes)
    return _Plan(run, directory, people, features, divisions)


def _require_memory(plan: _Plan) -> None:
    needed, free = plan.needed_bytes, free_memory_bytes()
    if free is not None and needed > free:
        raise AttncliError(
            f"a fit takes about {needed / GIB:.1f} GiB of memory, and {free / GIB:.1f} are free",
            remedy="name --layers of fewer dimensions, or learn from fewer images",
        )


def _warn_of_learnt_features(plan: _Plan, reporter: Reporter) -> None:
    """Say that features may know the people who are looked for: a run made them from some of these.

    The dataset's own training people are known to the run; random divisions look for some of them.
    """
    maker = plan.directory.path.parent
    if plan.run.config.splits and runs.RunDirectory(maker).config_path.is_file():
        reporter.warn(
            f"{maker} learnt its features from people whom random divisions look for: the"
            " figures are not of unseen people"
        )


def _learn(plan: _Plan, reporter: Reporter) -> None:
    """Do what is left to do of a run, and put its fits together."""
    directory, out = plan.run.directory, plan.run.directory.path
    if directory.weights_path.is_file():
        _require_same_features(plan, directory.weights_path)
        reporter.note(f"{out}: all distances are learnt; nothing to do but to evaluate them")
        return
    _begin(plan)
    jobs = plan.jobs
    for job in reporter.track(jobs, label="learn", unit="distances"):
        _learn_one(plan, *job)
    fits = join_fits(directory.weights_path, [kept for kept, _, _ in jobs])
    write_fit_table(out / TABLE, fits)
    shutil.rmtree(out / KEPT)
    reporter.note(f"wrote {directory.weights_path}")


def _begin(plan: _Plan) -> None:
    """Write what the run is, and who is learnt from in each random division."""
    run = plan.run
    table = run.directory.path / SPLITS
    if run.config.splits and not table.exists():
        write_people(table, plan.divisions, plan.people)
    elif run.config.splits:
        _require_same_divisions(plan, table)
    environment = describe_environment(torch.device("cpu"), processes=1)
    runs.create(run.directory.path, run.config, run.method, run.classes, environment)


def _require_same_divisions(plan: _Plan, table: Path) -> None:
    def rows(divisions: Sequence[PeopleDivision]) -> list[list[int]]:
        return [one.part(name).tolist() for one in divisions for name in PARTS]

    if rows(read_people(table, plan.people)) != rows(plan.divisions):
        what, remedy = "divides the people in another way", "begin anew with --overwrite"
        raise AttncliError(what, where=table, remedy=remedy)


def _require_same_features(plan: _Plan, kept: Path) -> None:
    if open_fits(kept).origin != plan.origin:
        what = "was fitted to other features, or by another version"
        raise AttncliError(what, where=kept, remedy="begin anew with --overwrite")


def _learn_one(plan: _Plan, kept: Path, feature: Feature, division: PeopleDivision) -> None:
    """Learn one distance and keep it; what is kept already has to be of the same features."""
    if kept.is_file():
        _require_same_features(plan, kept)
        return
    people = plan.people
    gallery, probe = _views(people, division, plan.run.config.seed)
    views = TwoViews(
        *(unit_features(plan.directory, feature, rows) for rows in (gallery, probe)),
        *(people.identities[rows] for rows in (gallery, probe)),
    )
    try:
        learnt = plan.maker.fit(views)
    except AttncliError as error:
        where = f"{plan.directory.path}: {feature.name}, split {division.number}"
        raise AttncliError(str(error), where=where) from error
    n_rows, size = len(gallery) + len(probe), views.gallery.shape[1]
    fit = Fit(division.number, feature.layer, feature.source, n_rows, size, learnt.facts)
    write_fit(kept, fit, learnt.state(), plan.origin)


def _views(
    people: People, division: PeopleDivision, seed: int
) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " _"]]:
    """Return the rows of two views, gallery and probe: those of two cameras, else random halves.

    Raises:
        AttncliError: There is one camera, or nobody was seen by two.
    """
    rows = division.train
    cameras = people.camera_numbers[rows]
    known = np.unique(cameras)
    if len(known) == 1:
        what = f"all images to learn from are of camera {people.cameras[rows[0]]}"
        remedy = "take images of at least two cameras, as a distance between cameras is learnt"
        raise AttncliError(what, where=people.where, remedy=remedy)
    if len(known) == TWO_VIEWS:
        return rows[cameras == known[1]], rows[cameras == known[0]]
    rng = np.random.default_rng(np.random.SeedSequence([seed, division.number]))
    try:
        gallery, probe = random_views(people.identities[rows], cameras, rng)
    except AttncliError as error:
        raise AttncliError(str(error), where=people.where) from error
    return rows[gallery], rows[probe]


def _facts(plan: _Plan) -> Row:
    """Return what is known before anything is learnt."""
    first = plan.divisions[0]
    return {
        "features": len(plan.features),
        "fits": len(plan.jobs),
        "train_images": len(first.train),
        "queries": len(first.search.queries),
        "gallery_images": len(first.search.gallery),
        "fit_memory_gib": plan.needed_bytes / GIB,
    }

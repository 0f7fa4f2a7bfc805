"""Score whatever directories are named: runs, each by its method, features of people, and seeds."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from attncli import catalog
from attncli.config.evaluate import EvaluateCall
from attncli.errors import UsageError
from attncli.files.runs import RunDirectory, load
from attncli.files.seeds import holds_seeds
from attncli.reporting import Outcome, Reporter, inputs_of
from attncli.training.distributed import join
from attncli.workflows.evaluate.identities import evaluate_identities, is_of_features
from attncli.workflows.evaluate.seeds import evaluate_seeds, is_of_seeds
from attncli.workflows.evaluate.voc_server import pack_run, require_packable
from attncli.workflows.runs.source import require_samples

Score = Callable[..., Outcome]
"""Workflow that scores some directories of a call."""


def evaluate(call: EvaluateCall, *, dry_run: bool = False, reporter: Reporter) -> Outcome:
    """Score runs, features and seeds, and pack label maps where that is asked for.

    Args:
        call: Which directories, and what of them.
        dry_run: Say what would be done, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a directory, or one a feature of it, in their order; on processes other than the
        first, nothing.

    Raises:
        UsageError: A directory does not answer what is asked.
        AttncliError: A directory, its weights or the data cannot be used, or a label map is none
            that VOC's server takes.
    """
    seeds = [path for path in call.runs if is_of_seeds(path, call)]
    runs = [path for path in call.runs if path not in seeds]
    if call.train_list is not None and runs:
        what, remedy = f"{runs[0]} has its own", "leave it out, or score seeds alone"
        raise UsageError(what, where="--train-list", remedy=remedy)
    # Loaded before seeds are scored, so that a slip of the hand is told at once.
    groups = _by_workflow(runs)
    _require_networks(seeds)
    _require_people(call, [*seeds, *(path for path in runs if not _ranks_people(path))])
    if call.pack is not None:
        require_packable(call)
    with nullcontext() if dry_run else join(call.device) as world:
        ways: Any = {"dry_run": dry_run, "world": world, "reporter": reporter}
        outcomes = [evaluate_seeds(call, seeds, **ways)] if seeds else []
        for score, paths in groups.items():
            outcomes.append(score(replace(call, runs=tuple(paths)), **ways))
        if call.pack is not None and world is not None and world.leads:
            pack_run(call, call.pack, reporter=reporter)
    order = {str(path): position for position, path in enumerate(call.runs)}
    rows = [row for outcome in outcomes for row in outcome.rows]
    return Outcome(
        rows=sorted(rows, key=lambda row: order[str(row["run"])]),
        failures=[failure for outcome in outcomes for failure in outcome.failures],
        inputs=inputs_of(outcomes),
    )


def _by_workflow(runs: Sequence[Path]) -> Mapping[Score, list[Path]]:
    """Return runs by the workflow that scores them, as their methods say; features are of people.

    Raises:
        AttncliError: A directory is no run.
    """
    groups: dict[Score, list[Path]] = {}
    for path in runs:
        score = evaluate_identities if is_of_features(path) else catalog.load(_task(path).evaluate)
        groups.setdefault(score, []).append(path)
    return groups


def _ranks_people(path: Path) -> bool:
    return is_of_features(path) or _task(path).ranks_people


def _task(run: Path) -> catalog.Task:
    return catalog.method(load(run).method).task


def _require_people(call: EvaluateCall, others: Sequence[Path]) -> None:
    """Make sure that only what looks for people is told how they are ranked.

    Raises:
        UsageError: Something else is.
    """
    for flag in call.about_people if others else ():
        what, remedy = f"is about people, whom {others[0]} does not look for", "leave it out"
        raise UsageError(what, where=flag, remedy=remedy)


def _require_networks(seeds: Sequence[Path]) -> None:
    """Make sure that runs whose class activation maps are to be scored can have any.

    Raises:
        UsageError: A run was fitted to features.
    """
    for path in seeds:
        if RunDirectory(path).config_path.is_file() and not holds_seeds(path):
            require_samples(load(path).method, path)

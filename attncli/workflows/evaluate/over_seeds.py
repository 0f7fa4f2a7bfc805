"""Score directories of which some hold a run for each of several seeds."""

from dataclasses import replace

from attncli.config.evaluate import EvaluateCall
from attncli.reporting import Outcome, Reporter
from attncli.workflows.evaluate.directories import evaluate
from attncli.workflows.runs.several import runs_of, with_means


def evaluate_all(call: EvaluateCall, *, dry_run: bool = False, reporter: Reporter) -> Outcome:
    """Score directories as `evaluate` does, of several seeds each one's run and all together.

    Args:
        call: Which directories, and what of them.
        dry_run: Say what would be done, and touch nothing.
        reporter: Shows progress.

    Returns:
        The rows of `evaluate`; after those of the seeds of a directory, their means and spreads.

    Raises:
        UsageError: A directory does not answer what is asked.
        AttncliError: A directory, its weights or the data cannot be used, or the run of a seed is
            missing.
    """
    members = {path: runs_of(path) for path in call.runs}
    asked = replace(call, runs=tuple(one for path in call.runs for one in members[path]))
    outcome = evaluate(asked, dry_run=dry_run, reporter=reporter)
    if dry_run or not outcome.rows:
        return outcome
    return Outcome(with_means(members, outcome.rows), outcome.failures, outcome.inputs)

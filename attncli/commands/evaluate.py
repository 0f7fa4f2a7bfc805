"""`attncli eval`: accuracy, predictions and attention maps of trained runs."""

from attncli.commands.console import finish, terminal
from attncli.config.evaluate import EvaluateCall


def command(call: EvaluateCall, *, json: bool, dry_run: bool) -> None:
    """Score trained networks on every clip of a split and keep predictions and attention maps.

    What an earlier evaluation of the run wrote to its eval/SPLIT is replaced.

    Example: attncli eval runs/x3d runs/abn runs/obj_abn
    """
    from attncli.workflows.evaluate.networks import evaluate_runs

    outcome = evaluate_runs(call, dry_run=dry_run, reporter=terminal())
    finish(outcome, as_json=json)

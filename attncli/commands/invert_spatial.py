"""`attncli invert-spatial`: what spatial attention is worth, measured by inverting it."""

from attncli.commands.console import finish, terminal
from attncli.config.evaluate import AskCall
from attncli.config.shown import Shown


def command(call: AskCall, *, shown: Shown, dry_run: bool) -> None:
    """Measure the accuracy networks lose when 1 - M stands for their spatial attention M.

    The greater the drop, in percentage points, the more they owe to where they attend to. What an
    earlier test of the run wrote to its invert-spatial/SPLIT is replaced.

    Example: attncli invert-spatial runs/st_abn runs/st_abn_hk
    """
    from attncli.workflows.evaluate.invert_spatial import invert_runs

    outcome = invert_runs(call, dry_run=dry_run, reporter=terminal())
    finish(outcome, shown)

"""`attncli runs`: which runs there are, and the figures they were given."""

from attncli.commands.console import finish, terminal
from attncli.config.runs_list import RunsListCall
from attncli.config.shown import Shown


def command(call: RunsListCall, *, shown: Shown) -> None:
    """List runs with what `attncli eval` stored of them, a row an evaluated split.

    A run is complete once its last epoch is trained; one of folds is a single row.

    Example: attncli runs runs/ --sort top1
    """
    from attncli.workflows.runs_list import list_runs

    finish(list_runs(call, reporter=terminal()), shown)

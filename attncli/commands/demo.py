"""`attncli demo`: a whole paper on toy data."""

import sys

from attncli.commands.console import finish, terminal
from attncli.config.demo import DemoConfig
from attncli.config.shown import Shown
from attncli.reporting import Row


def command(
    config: DemoConfig, *, shown: Shown, dry_run: bool, overwrite: bool, resume: bool
) -> None:
    """Make toy data, run a paper's whole pipeline on it and print the paper's tables.

    With --dry-run the commands are printed as a script that a shell runs.

    Example: attncli demo st-abn -o demo
    """
    from attncli.workflows.demo.running import demo_of, run_demo

    demo = demo_of(config, resume=resume)
    outcome = run_demo(demo, overwrite=overwrite, dry_run=dry_run, reporter=terminal())
    if dry_run and shown.rows_as == "table":
        sys.stdout.write("".join(f"{line}\n" for line in ["set -e", *map(_command, outcome.rows)]))
    else:
        finish(outcome, shown)


def _command(row: Row) -> str:
    return str(row["command"])

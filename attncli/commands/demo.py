"""`attncli demo`: a whole paper on toy data."""

from attncli.commands.console import finish, terminal
from attncli.config.demo import DemoConfig


def command(
    config: DemoConfig, *, json: bool, dry_run: bool, overwrite: bool, resume: bool
) -> None:
    """Make toy data, run a paper's whole pipeline on it and print the paper's tables.

    Example: attncli demo st-abn -o demo
    """
    from attncli.workflows.demo.running import demo_of, run_demo

    demo = demo_of(config, resume=resume)
    outcome = run_demo(demo, overwrite=overwrite, dry_run=dry_run, reporter=terminal())
    finish(outcome, as_json=json)

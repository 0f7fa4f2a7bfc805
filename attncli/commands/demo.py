"""`attncli demo`: a whole paper on toy data."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import DryRunOption, JsonOption, OverwriteOption, ResumeOption


def command(
    _paper: Annotated[
        Literal["object-abn"],
        typer.Argument(metavar="paper", help="Paper to reproduce."),
    ] = "object-abn",
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write.")] = Path("demo"),
    seeds: Annotated[int, typer.Option(min=1, help="Seeds to train each model with.")] = 1,
    size: Annotated[int, typer.Option(min=3, help="Toy videos of each class.")] = 32,
    pretraining_epochs: Annotated[
        int, typer.Option(min=1, help="Epochs on other toy videos, which stand in for Kinetics.")
    ] = 14,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each of the three models.")] = 18,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
) -> None:
    """Make toy data, run a paper's whole pipeline on it and print the paper's table.

    Example: attncli demo -o demo
    """
    from attncli.workflows.demo import Demo, run_demo

    demo = Demo(
        out=out,
        seeds=seeds,
        size=size,
        pretraining_epochs=pretraining_epochs,
        epochs=epochs,
        resume=resume,
    )
    outcome = run_demo(demo, overwrite=overwrite, dry_run=dry_run, reporter=terminal())
    finish(outcome, as_json=json)

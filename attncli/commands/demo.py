"""`attncli demo`: a whole paper on toy data."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import DryRunOption, JsonOption, OverwriteOption, ResumeOption
from attncli.errors import UsageError


def command(
    paper: Annotated[
        Literal["object-abn", "st-abn", "ram"], typer.Argument(help="Paper to reproduce.")
    ] = "object-abn",
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write.")] = Path("demo"),
    seeds: Annotated[int, typer.Option(min=1, help="Seeds to train each model with.")] = 1,
    size: Annotated[
        int | None,
        typer.Option(min=3, help="Toy videos of each class; of ram people.", show_default=False),
    ] = None,
    pretraining_epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs on other toy videos, which stand in for Kinetics or ImageNet.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs of each model; of ram's without Enhanced ConvLSTM twice as many.",
            show_default=False,
        ),
    ] = None,
    tuning_epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs of st-abn's fine-tuning on edits.", show_default=False),
    ] = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    resume: ResumeOption = False,
) -> None:
    """Make toy data, run a paper's whole pipeline on it and print the paper's tables.

    Example: attncli demo st-abn -o demo
    """
    from attncli.workflows.demo.object_abn import ObjectAbnDemo
    from attncli.workflows.demo.ram import RamDemo
    from attncli.workflows.demo.running import Demo, run_demo
    from attncli.workflows.demo.st_abn import StAbnDemo

    lengths = {
        "size": size,
        "pretraining_epochs": pretraining_epochs,
        "epochs": epochs,
        "tuning_epochs": tuning_epochs,
    }
    given = {name: value for name, value in lengths.items() if value is not None}
    demos: dict[str, type[Demo]] = {
        "object-abn": ObjectAbnDemo,
        "st-abn": StAbnDemo,
        "ram": RamDemo,
    }
    for name in given.keys() - demos[paper].__dataclass_fields__.keys():
        raise UsageError(f"does not apply to {paper}", where=f"--{name.replace('_', '-')}")
    demo = demos[paper](out=out, seeds=seeds, resume=resume, **given)
    outcome = run_demo(demo, overwrite=overwrite, dry_run=dry_run, reporter=terminal())
    finish(outcome, as_json=json)

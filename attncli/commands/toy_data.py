"""`attncli toy-data`: small made-up datasets in the layouts of real ones."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import DryRunOption, JsonOption, OverwriteOption, SeedOption


def command(
    name: Annotated[Literal["ucf101"], typer.Argument(help="Dataset whose layout to write.")],
    directory: Annotated[Path, typer.Argument(help="Directory to write.")],
    size: Annotated[
        int, typer.Option(min=3, help="Videos of each class; about a quarter are for validation.")
    ] = 24,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video.")] = 72,
    frame_hw: Annotated[
        tuple[int, int], typer.Option(help="Rows and columns of each frame, in pixels.")
    ] = (120, 160),
    seed: SeedOption = 0,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a small dataset with known masks, whose classes differ only in how an object moves.

    Example: attncli toy-data ucf101 toy/ucf101
    """
    from attncli.workflows.toy_data import write_toy_data

    outcome = write_toy_data(
        name,
        directory,
        size=size,
        seed=seed,
        frames=frames,
        size_hw=frame_hw,
        dry_run=dry_run,
        overwrite=overwrite,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)

"""`attncli toy-data`: small made-up datasets in the layouts of real ones."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import DryRunOption, JsonOption, OverwriteOption, SeedOption


def command(
    name: Annotated[
        Literal["ucf101", "ssv2", "ckplus"], typer.Argument(help="Dataset whose layout to write.")
    ],
    directory: Annotated[Path, typer.Argument(help="Directory to write.")],
    size: Annotated[
        int | None,
        typer.Option(
            min=3,
            help="Videos of each class, of which a quarter (ucf101) or a third (ssv2) are for "
            "validation; for ckplus, people.  [default: 24, 40 for ckplus]",
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Frames of each video; those of ssv2 and ckplus vary about it."
            "  [default: 72 for ucf101, 48 for ssv2, 14 for ckplus]",
        ),
    ] = None,
    frame_hw: Annotated[
        tuple[int, int] | None,
        typer.Option(
            help="Rows and columns of each frame, in pixels."
            "  [default: 120 160 for ucf101, 96 112 for ssv2, 144 160 for ckplus]"
        ),
    ] = None,
    others: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=5,
            help="ssv2: most bodies that act beside the one that counts; 0 makes videos in which "
            "nothing misleads.  [default: 2]",
            show_default=False,
        ),
    ] = None,
    seed: SeedOption = 0,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a small dataset with known masks, whose classes differ only in how something moves.

    In ssv2 it does so for a part of the video, which `active.csv` tells, and others move too. In
    ckplus people's faces go from neutral to one of seven expressions, with 68 landmarks.

    Example: attncli toy-data ssv2 toy/ssv2
    """
    from attncli.workflows.toy_data import write_toy_data

    outcome = write_toy_data(
        name,
        directory,
        size=size,
        seed=seed,
        frames=frames,
        size_hw=frame_hw,
        others=others,
        dry_run=dry_run,
        overwrite=overwrite,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)

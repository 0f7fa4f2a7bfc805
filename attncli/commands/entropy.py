"""`attncli entropy`: how sharp attention maps are, and how well they agree with masks."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    DryRunOption,
    JsonOption,
    OverwriteOption,
    SplitOption,
    read_paths,
)


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run directories, or directories with attention maps; `-` reads paths from "
            "stdin, one a line."
        ),
    ],
    bins: Annotated[
        int, typer.Option(min=2, max=1 << 16, help="Bins of the histogram, N of eq. 9.")
    ] = 10,
    value_range: Annotated[
        Literal["frame", "clip", "none"],
        typer.Option(
            "--range",
            help="Whose smallest and largest value become 0 and 1: each frame's (the paper), "
            "each clip's, or none's, which leaves the maps as they are.",
        ),
    ] = "frame",
    split: SplitOption = "val",
    masks: Annotated[
        Path | None,
        typer.Option(help="Mask directory to compare the maps with.", show_default=False),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Attention from which on a cell counts for the mask IoU."),
    ] = 0.5,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Directory of the CSV tables over all runs; each run's eval/SPLIT where unset.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Measure how sharp attention maps are: the entropy of their histograms, in bits.

    A map whose values are all equal counts as log2 of the bins, the largest entropy there is.

    Example: attncli entropy runs/abn runs/obj_abn --bins 10
    """
    from attncli.workflows.entropy import Measure, measure_entropy

    outcome = measure_entropy(
        read_paths(runs),
        Measure(bins=bins, value_range=value_range, masks=masks, threshold=threshold),
        split=split,
        out=out,
        dry_run=dry_run,
        overwrite=overwrite,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)

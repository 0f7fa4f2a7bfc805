"""`attncli eval`: accuracy, predictions and attention maps of trained runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    BatchSizeOption,
    DeviceOption,
    DryRunOption,
    JsonOption,
    RunsArgument,
    SplitOption,
    read_paths,
)


def command(
    runs: RunsArgument,
    split: SplitOption = "val",
    checkpoint: Annotated[
        str,
        typer.Option(
            help="Weights: `last`; `best`, which were chosen by their score on the validation "
            "split and so look better there; or a file."
        ),
    ] = "last",
    data: Annotated[
        Path | None,
        typer.Option(help="Dataset to read instead of the run's own.", show_default=False),
    ] = None,
    batch_size: BatchSizeOption = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-j", min=0, help="Processes that read clips; the run's own where unset."
        ),
    ] = None,
    device: DeviceOption = "auto",
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"] | None,
        typer.Option(help="Arithmetic; the run's own where unset.", show_default=False),
    ] = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Score trained networks on every clip of a split and keep predictions and attention maps.

    What an earlier evaluation of the run wrote to its eval/SPLIT is replaced.

    Example: attncli eval runs/x3d runs/abn runs/obj_abn
    """
    from attncli.workflows.evaluate import evaluate_runs

    outcome = evaluate_runs(
        read_paths(runs),
        split=split,
        checkpoint=checkpoint,
        data=data,
        batch_size=batch_size,
        workers=workers,
        device=device,
        precision=precision,
        dry_run=dry_run,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)

"""`attncli eval`: accuracy, predictions and attention maps of trained runs."""

from pathlib import Path
from typing import Annotated

import typer

from attncli.commands.console import finish, terminal
from attncli.commands.options import (
    BatchSizeOption,
    CheckpointOption,
    DeviceOption,
    DryRunOption,
    JsonOption,
    OtherDataOption,
    OwnPrecisionOption,
    OwnWorkersOption,
    RunsArgument,
    SplitOption,
    read_paths,
)


def command(
    runs: RunsArgument,
    split: SplitOption = "val",
    checkpoint: CheckpointOption = "last",
    data: OtherDataOption = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Frames of a clip; the run's own where unset. Networks with temporal attention "
            "take no others.",
            show_default=False,
        ),
    ] = None,
    temporal_edits: Annotated[
        Path | None,
        typer.Option(
            help="Edits of training clips, as `attncli edit-temporal` writes them: the classes "
            "they are of and all others get figures of their own.",
            show_default=False,
        ),
    ] = None,
    batch_size: BatchSizeOption = None,
    workers: OwnWorkersOption = None,
    device: DeviceOption = "auto",
    precision: OwnPrecisionOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Score trained networks on every clip of a split and keep predictions and attention maps.

    What an earlier evaluation of the run wrote to its eval/SPLIT is replaced.

    Example: attncli eval runs/x3d runs/abn runs/obj_abn
    """
    from attncli.workflows.evaluate.networks import evaluate_runs

    outcome = evaluate_runs(
        read_paths(runs),
        split=split,
        checkpoint=checkpoint,
        data=data,
        frames=frames,
        temporal_edits=temporal_edits,
        batch_size=batch_size,
        workers=workers,
        device=device,
        precision=precision,
        dry_run=dry_run,
        reporter=terminal(),
    )
    finish(outcome, as_json=json)

"""`attncli invert-spatial`: what spatial attention is worth, measured by inverting it."""

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
    batch_size: BatchSizeOption = None,
    workers: OwnWorkersOption = None,
    device: DeviceOption = "auto",
    precision: OwnPrecisionOption = None,
    json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Measure the accuracy networks lose when 1 - M stands for their spatial attention M.

    The greater the drop, in percentage points, the more they owe to where they attend to. What an
    earlier test of the run wrote to its invert-spatial/SPLIT is replaced.

    Example: attncli invert-spatial runs/st_abn runs/st_abn_hk
    """
    from attncli.workflows.evaluate.invert_spatial import invert_runs

    outcome = invert_runs(
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

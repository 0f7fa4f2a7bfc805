"""`attncli segment`: instance masks of every frame of videos."""

from attncli.commands.console import finish, terminal
from attncli.config.segment import SegmentCall, SegmentConfig
from attncli.config.shown import Shown


def command(
    call: SegmentCall,
    config: SegmentConfig,
    *,
    shown: Shown,
    dry_run: bool,
    overwrite: bool,
    resume: bool,
) -> None:
    """Find instance masks in every frame of every video of a dataset.

    Example: attncli segment UCF101/ -o masks/ucf101
    """
    from attncli.workflows.segment import segment_videos

    outcome = segment_videos(
        call.data,
        call.out,
        config,
        layout=call.layout,
        batch_size=call.batch_size,
        workers=call.workers,
        device=call.device,
        dry_run=dry_run,
        overwrite=overwrite,
        resume=resume,
        reporter=terminal(),
    )
    finish(outcome, shown)

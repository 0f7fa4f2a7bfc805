"""`attncli predict`: what a trained run says of files of one's own."""

from attncli.commands.console import finish, terminal
from attncli.config.predict import OverlayCall, PredictCall
from attncli.config.shown import Shown


def command(
    call: PredictCall, overlay: OverlayCall, *, shown: Shown, dry_run: bool, overwrite: bool
) -> None:
    """Say which classes videos or pictures of your own show, and where the network looks.

    A clip of each video is taken, and cut, as an evaluation does; of a run on faces all clips of a
    sequence vote.

    Example: attncli predict runs/abn holiday.mp4 --top 5 --overlay holiday_attention.mp4
    """
    from attncli.workflows.predict.files import predict

    outcome = predict(call, overlay, dry_run=dry_run, overwrite=overwrite, reporter=terminal())
    finish(outcome, shown)

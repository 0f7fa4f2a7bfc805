"""`attncli eval`: figures, predictions and maps of trained runs, and figures of seeds."""

from attncli.commands.console import finish, terminal
from attncli.config.evaluate import EvaluateCall
from attncli.config.shown import Shown


def command(call: EvaluateCall, *, shown: Shown, dry_run: bool) -> None:
    """Score trained networks on every clip or image of a split, and keep what they answer.

    Directories of seeds, with --data, are scored by the same rule as label maps of networks: the
    mean over classes of intersection over union, counted over all pixels of the split. Directories
    of people's features are ranked: CMC and average precisions. An earlier evaluation in
    eval/SPLIT of a directory is replaced, or stands where nothing has changed. Of a directory of
    several seeds every run is scored, and their means and standard deviations follow.

    Example: attncli eval runs/x3d runs/abn runs/obj_abn
    """
    from attncli.workflows.evaluate.over_seeds import evaluate_all

    outcome = evaluate_all(call, dry_run=dry_run, reporter=terminal())
    finish(outcome, shown)

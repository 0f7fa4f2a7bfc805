"""What only networks can be asked, and what was fitted to features is not."""

from attncli.config.evaluate import EvaluateCall
from attncli.errors import UsageError


def refuse_what_is_about_networks(call: EvaluateCall) -> None:
    """Make sure that a call asks what features can answer.

    Raises:
        UsageError: It asks something about networks; the option is named.
    """
    given = {
        "--split test": call.split == "test",
        "--checkpoint": call.checkpoint != "last",
        "--batch-size": call.batch_size is not None,
        "--precision": call.precision is not None,
        "--frames": call.frames is not None,
        "--temporal-edits": call.temporal_edits is not None,
        **{f"--{name.replace('_', '-')}": True for name in call.views},
    }
    for flag in (flag for flag, is_given in given.items() if is_given):
        what = "is about networks, not about fits to features"
        raise UsageError(what, where=flag, remedy="leave it out")

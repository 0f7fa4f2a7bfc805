"""Draw how people are found again: ranked lists of images, or cumulative match curves."""

from collections.abc import Sequence
from pathlib import Path

from attncli.config.visualize import VisualizeConfig
from attncli.errors import UsageError
from attncli.reporting import Outcome, Reporter
from attncli.workflows.visualize import cmc_curves, ranked_lists
from attncli.workflows.visualize.picture import refuse_what_is_about_clips

DRAWINGS = {"ranked-lists": ranked_lists.draw, "cmc": cmc_curves.draw}
"""What draws each figure, by its name."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw ranked lists, or the curves where these are asked for.

    Args:
        config: What is to be drawn, and where.
        runs: Runs or feature directories of people, with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        A row for each thing drawn, and what could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: There are no rankings, or their images are not there.
    """
    refuse_what_is_about_clips(config)
    show = config.show or "ranked-lists"
    if show not in DRAWINGS:
        remedy = f"choose {' or '.join(DRAWINGS)}, or leave it out"
        raise UsageError("is not of people found again", where=f"--show {show}", remedy=remedy)
    return DRAWINGS[show](config, runs, overwrite=overwrite, dry_run=dry_run, reporter=reporter)

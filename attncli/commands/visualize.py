"""`attncli visualize`: the attention of runs over the frames they saw, and label maps."""

from attncli.commands.console import finish, terminal
from attncli.config.runs import RunsCall
from attncli.config.shown import ShownBesideFigure
from attncli.config.visualize import VisualizeConfig


def command(
    call: RunsCall,
    config: VisualizeConfig,
    *,
    shown: ShownBesideFigure,
    dry_run: bool,
    overwrite: bool,
) -> None:
    """Draw attention over the frames of clips, a row a run, as a figure for a paper or a video.

    Temporal attention is a bar above its row, a cell for every frame of the clip; pointers say
    which of them the pictures below are. Entropies beside the maps are those of `attncli entropy`,
    in bits: smaller is sharper. Of runs of RAM a figure shows the apex of one expression a class.
    Of seed directories it shows images, a column a directory, and the true label maps last; of
    feature directories singular values or maps, of runs fitted to them accuracies (--show).

    Example: attncli visualize runs/abn runs/obj_abn --clips 4 -o fig2.png
    """
    from attncli.workflows.visualize.kinds import draw

    outcome = draw(config, call.runs, dry_run=dry_run, overwrite=overwrite, reporter=terminal())
    finish(outcome, shown)

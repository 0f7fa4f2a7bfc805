"""Which kind of figure shows the attention of runs."""

from collections.abc import Callable, Sequence
from pathlib import Path

from attncli import catalog
from attncli.config.visualize import Show, VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import holds_features
from attncli.files.runs import load
from attncli.files.seeds import holds_seeds
from attncli.reporting import Outcome, Reporter
from attncli.visualization.page.lettering import text_of
from attncli.workflows.runs.several import runs_of
from attncli.workflows.visualize import classes, clips, faces
from attncli.workflows.visualize.attention import lack_temporal

Drawing = Callable[..., Outcome]
"""Draws one kind of figure: it takes what `draw` does, and returns what that returns."""
CLIPS = "attncli.workflows.visualize.clips:draw"
LABEL_MAPS = "attncli.workflows.visualize.label_maps:draw"
"""What shows images, and so is imported where there are some: other figures need no torch."""
CURVES = "attncli.workflows.visualize.curves:draw"
"""What shows how runs were trained."""
FEATURES = "attncli.workflows.visualize.features:draw"
"""What shows feature directories."""
OF_PEOPLE: dict[Show, str] = {
    "ranked-lists": "attncli.workflows.visualize.identities:draw",
    "cmc": "attncli.workflows.visualize.identities:draw",
    "position-maps": "attncli.workflows.visualize.position_maps:draw",
}
"""What shows people's features, by the name of the figure."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw what runs attend to, in the kind of figure asked for or else that of their methods.

    Args:
        config: What is to be drawn, and where.
        runs: Run directories with an evaluation on the split; of one with a run for each of several
            seeds, all of these are drawn.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        A row for each thing drawn and run, and what could not be read.

    Raises:
        UsageError: A wish cannot be met, or no such picture has such a suffix.
        AttncliError: A run has no such attention, or the runs have nothing in common.
    """
    if not config.curves:  # which are one curve of all seeds
        runs = [run for path in runs for run in runs_of(path)]
    drawing = kind_of(config, runs)
    if config.layers and drawing not in {catalog.load(place) for place in OF_PEOPLE.values()}:
        raise UsageError("is about people's features", where="--layer", remedy="leave it out")
    with text_of(config.font_size):
        return drawing(config, runs, overwrite=overwrite, dry_run=dry_run, reporter=reporter)


def kind_of(config: VisualizeConfig, runs: Sequence[Path]) -> Drawing:
    """Return what draws the kind of figure asked for, or else that of the methods of all runs.

    Raises:
        UsageError: Another dataset is to be read, of which such a figure shows nothing.
    """
    if config.curves:
        of_logs: Drawing = catalog.load(CURVES)
        return of_logs
    if config.show in OF_PEOPLE:
        of_people: Drawing = catalog.load(OF_PEOPLE[config.show])
        return of_people
    if config.show is not None or any(map(holds_features, runs)):
        of_features: Drawing = catalog.load(FEATURES)
        return of_features
    if config.errors or config.contact_sheet or any(map(holds_seeds, runs)):
        drawing: Drawing = catalog.load(LABEL_MAPS)
        return drawing
    return _of_classes(config, runs) if config.by_class else _of_videos(config, runs)


def _of_classes(config: VisualizeConfig, runs: Sequence[Path]) -> Drawing:
    """Return what draws temporal attention, or, of runs without it, their mean maps."""
    if lack_temporal(runs, config.split):
        return faces.draw_class_means
    if config.data is not None:
        raise UsageError("is about single clips", where="--data", remedy="omit --by-class")
    return classes.draw


def _of_videos(config: VisualizeConfig, runs: Sequence[Path]) -> Drawing:
    """Return what draws videos at their apex or along their time; what suits the runs if unsaid."""
    if config.apex:
        return faces.draw
    try:
        figures = {catalog.method(load(run).method).task.figure for run in runs}
    except AttncliError:  # no run but attention of any origin, or a mistake for others to report
        return clips.draw
    # Label maps are drawn beside the score maps of other runs.
    (figure,) = figures & {LABEL_MAPS} or (figures if len(figures) == 1 else {CLIPS})
    drawing: Drawing = catalog.load(figure)
    return drawing

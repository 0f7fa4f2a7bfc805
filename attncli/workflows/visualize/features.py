"""Draw what is known of transfer features: accuracies of runs fitted to them, or the features."""

from collections.abc import Sequence
from pathlib import Path

from attncli import catalog
from attncli.config.visualize import Show, VisualizeConfig
from attncli.errors import UsageError
from attncli.files.features import holds_features, open_features
from attncli.reporting import Outcome, Reporter
from attncli.workflows.visualize.picture import refuse_what_is_about_clips

OF_RUNS: dict[Show, str] = {
    "table": "attncli.workflows.visualize.accuracies:draw_table",
    "combinations": "attncli.workflows.visualize.accuracies:draw_combinations",
}
"""What draws runs, by the name of the figure."""
OF_FEATURES: dict[Show, str] = {
    "singular-values": "attncli.workflows.visualize.singular_values:draw",
    "maps": "attncli.workflows.visualize.feature_maps:draw",
    "mean-maps": "attncli.workflows.visualize.feature_maps:draw",
}
"""What draws feature directories; imported where it is asked for: only maps need torch."""
CLASS_MAPS = ("cam", "svd-cam")
"""Layers whose maps have a channel a class."""


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw feature directories, or runs fitted to features.

    Args:
        config: What is to be drawn, and where.
        runs: Run directories with an evaluation on the split, or one feature directory.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        A row for each thing drawn, and what could not be read.

    Raises:
        UsageError: A wish cannot be met, or no such picture has such a suffix.
        AttncliError: There is nothing to draw.
    """
    refuse_what_is_about_clips(config)
    drawing = catalog.load(_drawing_of(config, runs))
    outcome: Outcome = drawing(
        config, runs, overwrite=overwrite, dry_run=dry_run, reporter=reporter
    )
    return outcome


def _drawing_of(config: VisualizeConfig, runs: Sequence[Path]) -> str:
    """Return what draws the figure asked for, or else the one that suits what is given.

    Raises:
        UsageError: Runs and feature directories are mixed, or the figure is of the other kind.
    """
    features = [run for run in runs if holds_features(run)]
    if not features:
        return _known(config.show or "table", OF_RUNS, "runs")
    if len(runs) > 1:
        remedy = "name one; it may hold several sources"
        raise UsageError("a figure shows one feature directory", where=features[0], remedy=remedy)
    return _known(config.show or _fitting(config, features[0]), OF_FEATURES, "feature directories")


def _known(show: Show, drawings: dict[Show, str], what: str) -> str:
    if show not in drawings:
        remedy = f"choose {' or '.join(drawings)}, or leave it out"
        raise UsageError(f"is not of {what}", where=f"--show {show}", remedy=remedy)
    return drawings[show]


def _fitting(config: VisualizeConfig, directory: Path) -> Show:
    """Return what is drawn of a feature directory where nobody says: its maps, if it has any."""
    features = open_features(directory)
    has_maps = features.pool == "none" and bool(set(features.layers) & set(CLASS_MAPS))
    return "maps" if has_maps or config.source_classes else "singular-values"

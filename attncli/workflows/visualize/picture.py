"""A picture on disk: its file, the table beside it, and how settings say what is in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from attncli.config.visualize import CLIPS_OF_A_FIGURE, VisualizeConfig
from attncli.errors import UsageError
from attncli.files.atomic import write_text
from attncli.files.outputs import claim_file
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.clips import HeatStyle
from attncli.visualization.colormap import color_table
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.visualization.selection import Wish

FIGURE_SUFFIXES = {".png", ".pdf"}


@dataclass(frozen=True)
class Picture:
    """Where a picture and what belongs to it are written."""

    path: Path
    """Figure or video."""

    @property
    def table(self) -> Path:
        """What the picture says, as a table."""
        return self.path.with_suffix(".csv")

    @property
    def failures(self) -> Path:
        """What could not be read."""
        return self.path.with_suffix(".failures.jsonl")

    def planned(self, rows: Iterable[Row]) -> Outcome:
        """Return what a dry run answers."""
        return Outcome(rows=[{**row, "out": str(self.path)} for row in rows])

    def claim(self, *, overwrite: bool) -> None:
        """Make sure that nothing is lost by writing here.

        Raises:
            AttncliError: There is a picture already, and it may not go.
        """
        for path in (self.path, self.table):
            claim_file(path, overwrite=overwrite)

    def write_table(self, table: pd.DataFrame, texts: Iterable[str], reporter: Reporter) -> None:
        """Write the table of a picture that is drawn, and say so.

        Args:
            table: What the picture says.
            texts: What stands in it.
            reporter: Told of the files, and of letters that no font has.
        """
        warn_of_missing_letters(list(texts), reporter)
        write_text(self.table, table.to_csv(index=False, lineterminator="\n"))
        reporter.note(f"wrote {self.path} and {self.table}")


def figure_of(config: VisualizeConfig) -> Picture:
    """Return where a figure goes; what would fail after all is read is refused now.

    Raises:
        UsageError: No figure has such a suffix, or there is no such colour map.
    """
    if config.picture.suffix.lower() not in FIGURE_SUFFIXES:
        raise UsageError(
            f"no figure has the suffix {config.picture.suffix!r}",
            where=config.picture,
            remedy="choose .png or .pdf",
        )
    color_table(config.colormap)
    return Picture(config.picture)


def refuse_what_is_about_clips(config: VisualizeConfig) -> None:
    """Refuse options about clips where a figure shows images.

    Raises:
        UsageError: One is given.
    """
    given = {
        "--order": config.order not in (None, "random", "first"),
        "--masks": config.masks is not None,
        "--edits": config.edits is not None,
        "--range": config.value_range != "none",
    }
    for flag in (flag for flag, is_given in given.items() if is_given):
        raise UsageError("is about attention in videos", where=flag, remedy="leave it out")


def style_of(config: VisualizeConfig) -> HeatStyle:
    """Return how attention becomes colour."""
    return HeatStyle(
        colormap=config.colormap, opacity=config.opacity, value_range=config.value_range
    )


def wish_of(config: VisualizeConfig) -> Wish:
    """Return which of the clips to show."""
    return Wish(
        ids=config.ids,
        labels=config.classes,
        order=config.order or "random",
        clips=config.clips or (1 if config.is_video else CLIPS_OF_A_FIGURE),
        seed=config.seed,
    )

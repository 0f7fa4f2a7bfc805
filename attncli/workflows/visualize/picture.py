"""A picture on disk: its file, the table beside it, and how settings say what is in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from attncli.config.visualize import CLIPS_OF_A_FIGURE, MOVIE_SUFFIXES, VisualizeConfig
from attncli.errors import UsageError
from attncli.files.atomic import ESCAPED, write_text
from attncli.files.outputs import claim_file
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.clips import HeatStyle
from attncli.visualization.colormap import color_table
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.visualization.saving import save_figure
from attncli.visualization.selection import Wish

FIGURE_SUFFIXES = {".png", ".pdf"}


@dataclass(frozen=True)
class Picture:
    """Where a picture and what belongs to it are written."""

    path: Path
    """Figure or video."""
    overwrite: bool = False
    """An earlier picture may go."""

    @property
    def table(self) -> Path:
        """What the picture says, as a table."""
        return self.path.with_suffix(".csv")

    @property
    def failures(self) -> Path:
        """What could not be read."""
        return self.path.with_suffix(".failures.jsonl")

    def planned(self, rows: Iterable[Row]) -> Outcome:
        """Return what a dry run answers.

        Raises:
            AttncliError: There is a picture already, and it may not go.
        """
        self.claim(dry_run=True)
        return Outcome(rows=[{**row, "out": str(self.path)} for row in rows])

    def claim(self, *, dry_run: bool = False) -> None:
        """Make sure that nothing is lost by writing here.

        A table that belongs to the same picture in another format may stay: whether it says the
        same is seen once there is something to write.

        Args:
            dry_run: Touch nothing.

        Raises:
            AttncliError: There is a picture already, and it may not go.
        """
        claim_file(self.path, overwrite=self.overwrite, dry_run=dry_run)
        if not self._has_other_format:
            claim_file(self.table, overwrite=self.overwrite, dry_run=dry_run)

    def save(
        self, figure: Figure, table: pd.DataFrame, texts: Iterable[str], reporter: Reporter
    ) -> None:
        """Write a figure and its table, as `write` does."""
        self.write(lambda path: save_figure(figure, path), table, texts, reporter)

    def write(
        self,
        draw: Callable[[Path], None],
        table: pd.DataFrame,
        texts: Iterable[str],
        reporter: Reporter,
    ) -> None:
        """Write a picture and its table, and say so.

        Args:
            draw: Writes the picture to a path.
            table: What the picture says.
            texts: What stands in it.
            reporter: Told of the files, and of letters that no font has.

        Raises:
            AttncliError: The table of the same picture in another format says something else.
        """
        content = table.to_csv(index=False, lineterminator="\n")
        if self._has_other_format and not self._holds(content):
            claim_file(self.table, overwrite=self.overwrite)
        warn_of_missing_letters(list(texts), reporter)
        draw(self.path)
        write_text(self.table, content)
        reporter.note(f"wrote {self.path} and {self.table}")

    @property
    def _has_other_format(self) -> bool:
        """Whether the same picture is there in another format."""
        others = (self.path.with_suffix(suffix) for suffix in FIGURE_SUFFIXES | MOVIE_SUFFIXES)
        return any(other != self.path and other.is_file() for other in others)

    def _holds(self, content: str) -> bool:
        """Return whether the table is there and says just that."""
        return self.table.is_file() and self.table.read_bytes() == content.encode("utf-8", ESCAPED)


def figure_of(config: VisualizeConfig, *, overwrite: bool = False) -> Picture:
    """Return where a figure goes; what would fail after all is read is refused now.

    Args:
        config: Where it is to go.
        overwrite: An earlier picture may go.

    Raises:
        UsageError: No figure has such a suffix, or there is no such colour map.
    """
    if config.picture.suffix.lower() not in FIGURE_SUFFIXES:
        raise UsageError(
            f"must end in .png or .pdf, not in {config.picture.suffix!r}",
            where=config.picture,
            remedy="choose another name",
        )
    color_table(config.colormap)
    return Picture(config.picture, overwrite=overwrite)


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

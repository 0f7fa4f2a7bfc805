"""Settings of `attncli edit-temporal`: which clips people edit, and what becomes of their edits."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.runs import SplitCall
from attncli.config.training import require
from attncli.errors import UsageError

USUALLY_BELOW_PERCENT = 50.0


@dataclass(frozen=True, kw_only=True)
class SelectConfig(Checked):
    """How clips are chosen; kept beside them."""

    run: Annotated[Path, ARGUMENT]
    """Run directory, of a method with such attention."""
    split: Literal["train"] = "train"
    """Split of the run's dataset they are from."""
    below_percent: float = USUALLY_BELOW_PERCENT
    """Take classes whose accuracy is below this on training and validation split alike."""
    weakest_classes: Annotated[int | None, Option(least=1)] = None
    """Number of classes to take instead: those with the lowest accuracy, counting the better of
    training and validation split."""
    max_clips: Annotated[int | None, Option(least=1)] = None
    """Most clips, from the classes in turn; all where unset."""

    def __post_init__(self) -> None:
        """Refuse values that choose nothing, or in two ways.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(0 < self.below_percent <= 100, "below_percent", "must be in (0, 100]")
        if self.weakest_classes is not None and self.below_percent != USUALLY_BELOW_PERCENT:
            raise UsageError("exclude each other", where="--weakest-classes and --below-percent")


@dataclass(frozen=True, kw_only=True)
class SelectCall(Checked):
    """Where chosen clips go, and how the network is run that is wrong about them."""

    out: Annotated[Path, Option(short="-o")] = Path("edits")
    """Where to write."""
    batch_size: Annotated[int | None, Option(least=1)] = None
    """Inputs in one pass."""
    workers: Annotated[int | None, Option(short="-j", least=0)] = None
    """Processes that read inputs; one a free core where unset, 0 reads in the main one."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""


@dataclass(frozen=True, kw_only=True)
class EditsCall(Checked):
    """Which edits."""

    edits: Annotated[Path, ARGUMENT]
    """Edit directory, as `edit-temporal select` writes it."""


@dataclass(frozen=True, kw_only=True)
class PageCall(Checked):
    """How a page to edit on is opened."""

    port: Annotated[int, Option(least=0, most=65535)] = 0
    """Port of the page; a free one where 0."""
    browser: bool = True
    """Open the page in the browser."""


@dataclass(frozen=True, kw_only=True)
class ServeCall(EditsCall):
    """Who edits which part of the clips."""

    annotator: Annotated[str | None, Option(metavar="NAME")] = None
    """Who edits: scores go to annotators/NAME.csv, to edits.csv where unset."""
    part: Annotated[str | None, Option(metavar="K/N")] = None
    """Show one part of the clips only, as in 3/74: the third of 74."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""

    def __post_init__(self) -> None:
        """Refuse what is no part.

        Raises:
            UsageError: `part` is none.
        """
        super().__post_init__()
        number, parts = self.part_of or (1, 1)
        if not 1 <= number <= parts:
            raise UsageError(f"must be a part such as 3/74, not {self.part!r}", where="--part")

    @property
    def part_of(self) -> tuple[int, int] | None:
        """Which part of how many; None for all clips."""
        if self.part is None:
            return None
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", self.part)
        return (int(found[1]), int(found[2])) if found else (0, 0)


@dataclass(frozen=True, kw_only=True)
class CheckCall(Checked):
    """Which edits are checked."""

    edits: Annotated[Path, ARGUMENT]
    """Edit directory, or one file of edits."""
    skip_partial: bool = False
    """Leave out clips of which some frames only have a score, as `train --skip-partial` does."""


@dataclass(frozen=True, kw_only=True)
class MergeCall(EditsCall):
    """How the edits of several people become one."""

    rule: Literal["mean", "median", "majority"] = "mean"
    """What a frame gets of the scores people gave it."""


@dataclass(frozen=True, kw_only=True)
class ImportCall(Checked):
    """Where edits kept as vectors are, and where they go: a directory, or a file for a dataset."""

    edits: Annotated[Path | None, ARGUMENT] = None
    """Edit directory to fill, as `edit-temporal select` writes it."""
    vectors: Path
    """Directory of ID.npy, or CLASS/ID.npy as the paper's own editor saves them, with a score for
    every frame of the video."""
    data: Path | None = None
    """Dataset of the videos, where there is no edit directory."""
    out: Annotated[Path | None, Option(short="-o")] = None
    """File to write, where there is no edit directory."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it."""

    def __post_init__(self) -> None:
        """Refuse two places to go to, and none.

        Raises:
            UsageError: There is not one place.
        """
        super().__post_init__()
        for_dataset = (self.data is not None, self.out is not None)
        if for_dataset != (self.edits is None, self.edits is None):
            raise UsageError("name an edit directory, or both --data and --out")


@dataclass(frozen=True, kw_only=True)
class OracleCall(EditsCall):
    """Which edits are made from which truth."""

    truth: Path
    """The toy data's active.csv."""


@dataclass(frozen=True, kw_only=True)
class CompareCall(SplitCall):
    """Which runs are compared with which truth."""

    truth: Path
    """The toy data's active.csv."""

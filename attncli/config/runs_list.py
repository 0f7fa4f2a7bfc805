"""Settings of `attncli runs`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from attncli.config.fields import ARGUMENT, Checked


@dataclass(frozen=True, kw_only=True)
class RunsListCall(Checked):
    """Which runs are listed, and in which order."""

    directories: Annotated[tuple[Path, ...], ARGUMENT] = (Path("runs"),)
    """Directories with runs in them, however deep; `-` reads paths from stdin, one a line."""
    split: str | None = None
    """Split whose figures are listed, such as `val`; each that a run was evaluated on where
    unset."""
    sort: str | None = None
    """Key to sort by, such as `top1`: the greatest figure or newest date first, texts from A to Z;
    by path where unset."""

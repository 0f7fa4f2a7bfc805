"""What commands that read runs are told alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from attncli.config.fields import ARGUMENT, Checked


@dataclass(frozen=True, kw_only=True)
class RunsCall(Checked):
    """Which runs."""

    runs: Annotated[tuple[Path, ...], ARGUMENT]
    """Run directories; `-` reads paths from stdin, one a line."""


@dataclass(frozen=True, kw_only=True)
class SplitCall(RunsCall):
    """Which runs, and of their datasets which part."""

    split: Literal["train", "val"] = "val"
    """Part of the dataset; UCF101's test list is `val`."""

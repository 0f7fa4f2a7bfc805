"""Settings of `attncli entropy`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.runs import SplitCall

Range = Literal["frame", "clip", "none"]


@dataclass(frozen=True, kw_only=True)
class Measure(Checked):
    """How maps are measured; kept beside the tables."""

    bins: Annotated[int, Option(least=2, most=1 << 16)] = 10
    """Bins of the histogram, N of eq. 9."""
    value_range: Annotated[Range, Option(flag="--range")] = "frame"
    """Whose smallest and largest value become 0 and 1: each frame's (the paper), each clip's, or
    none's, which leaves the maps as they are."""
    masks: Path | None = None
    """Mask directory to compare the maps with."""
    threshold: Annotated[float, Option(least=0, most=1)] = 0.5
    """Cells with at least this attention count as attended, for the mask IoU."""


@dataclass(frozen=True, kw_only=True)
class EntropyCall(SplitCall):
    """Which maps are measured, and where the tables go."""

    runs: Annotated[tuple[Path, ...], ARGUMENT]
    """Run directories, or directories with attention maps; `-` reads paths from stdin, one a
    line."""
    out: Annotated[Path | None, Option(short="-o")] = None
    """Directory of the CSV tables over all runs; each run's eval/SPLIT where unset."""

"""Settings of `attncli predict`: which run says what of which files, and what is kept of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.training import Precision
from attncli.config.visualize import HeatMaps


@dataclass(frozen=True, kw_only=True)
class PredictCall(Checked):
    """Which run is asked about which files, and how it is run."""

    run: Annotated[Path, ARGUMENT]
    """Run directory of a network; of a run of folds the directory of one fold."""
    files: Annotated[tuple[Path, ...], ARGUMENT]
    """Videos or directories of frames, of runs on images pictures; `-` reads paths from stdin, one
    a line."""
    top: Annotated[int, Option(least=1)] = 1
    """Classes named a file, the most probable first."""
    out: Annotated[Path | None, Option(short="-o")] = None
    """Directory for predictions.csv, attention/ (of runs on images score_maps/) and
    failures.jsonl; nothing is kept where unset."""
    checkpoint: str = "last"
    """Weights: `last`, `best`, or a file."""
    batch_size: Annotated[int | None, Option(least=1)] = None
    """Inputs in one pass; the run's own where unset."""
    workers: Annotated[int, Option(short="-j", least=0)] = 0
    """Processes that read files; 0 reads in the main process."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""
    precision: Precision | None = None
    """Arithmetic; the run's own where unset."""


@dataclass(frozen=True, kw_only=True)
class OverlayCall(Checked):
    """What is drawn of the attention to one file."""

    heading: ClassVar[str] = "Overlay"

    overlay: Path | None = None
    """Video (.mp4, .avi, .webm) to write of one file: all its frames at its own rate, under the
    attention to each. Windows as long as a clip of the run tile the video, the last one ends with
    it, and frames in several have the mean. Of a picture: a figure (.png, .pdf)."""
    colormap: str = HeatMaps.colormap
    """A matplotlib colour map, whose opacity follows attention; with jet it is 0.5 everywhere."""
    opacity: Annotated[float | None, Option(least=0, most=1)] = None
    """Share of the heat map in the picture where attention is 1, or everywhere with jet; 0.85 and
    0.5 where unset."""

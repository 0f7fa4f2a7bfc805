"""Draw the attention of runs over the frames they saw: a figure, or a video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64

from attncli.config.training import ClipConfig
from attncli.data.frame_rate import frame_rate
from attncli.data.layouts import open_dataset
from attncli.data.samples import Split
from attncli.data.video import VIDEO_SUFFIXES, read_frames, write_video
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.atomic import write_text
from attncli.files.attention import Attention, attention_directory, open_attention
from attncli.files.failures import write_failures
from attncli.files.masks import MaskDirectory
from attncli.files.outputs import claim
from attncli.files.runs import load
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Reporter
from attncli.visualization.animation import animate
from attncli.visualization.clips import ClipAttention, HeatStyle, ShownClip
from attncli.visualization.colormap import color_table
from attncli.visualization.comparison import draw_comparison, save_figure
from attncli.visualization.overlay import cut_view
from attncli.visualization.selection import CommonClip, Wish, choose, common_clips
from attncli.workflows.outcome import Outcome, Row

FIGURE_SUFFIXES = {".png", ".pdf"}
VIEW_PX = 256
"""Height of a clip's pictures before they are placed: that of UCF101's frames, about."""


@dataclass(frozen=True)
class Picture:
    """What is to be drawn, and where to."""

    out: Path
    """Figure (.png, .pdf) or video (.mp4, .avi, .webm) to write; a table goes beside it."""
    style: HeatStyle = field(default_factory=HeatStyle)
    """How attention becomes colour."""
    frames: int = 8
    """Frames a figure shows of each clip; a video shows all."""
    width_in: float = 7.0
    """Greatest width of a figure in inches."""
    dpi: int = 300
    """Pixels an inch of a figure."""
    names: tuple[str, ...] = ()
    """What the runs are called; by their directories where empty."""
    masks: Path | None = None
    """Mask directory whose outlines are shown beside the attention."""

    @property
    def table(self) -> Path:
        """What the picture says, as a table: a row a clip and run."""
        return self.out.with_suffix(".csv")

    @property
    def failures(self) -> Path:
        """Clips that could not be read."""
        return self.out.with_suffix(".failures.jsonl")


@dataclass(frozen=True)
class _Run:
    name: str
    spatial: Float32[np.ndarray, "n t h w"]
    attention: Attention

    def entropies(self, rows: Sequence[int]) -> Float64[np.ndarray, " n"]:
        """Return the entropy of clips in bits, as the paper defines it."""
        return map_entropy(self.spatial[list(rows)]).clip_bits


def visualize_runs(
    runs: Sequence[Path],
    picture: Picture,
    wish: Wish,
    *,
    split: Split = "val",
    data: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw what runs attend to in the same clips; the name of the picture says in which format.

    Args:
        runs: Run directories with an evaluation on `split`.
        picture: What is to be drawn.
        wish: Which clips to draw.
        split: Which evaluation of the runs.
        data: Dataset that holds the videos, instead of the first run's own.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a clip and run, and the clips that could not be read.

    Raises:
        UsageError: A wish cannot be met, or no picture has such a suffix.
        AttncliError: A run has no attention maps, or the runs have no clip in common.
    """
    _require_drawable(picture)
    opened = _open_runs(runs, picture.names, split)
    clips = common_clips([run.attention.clips for run in opened])
    chosen = choose(clips, wish, lambda some: _entropies(opened, some).mean(axis=0))
    bits = _entropies(opened, chosen)
    rows = [_row(run, clip, bits[i, j]) for j, clip in enumerate(chosen) for i, run in enumerate(opened)]
    if dry_run:
        return Outcome(rows=[{**row, "out": str(picture.out)} for row in rows])
    for path in (picture.out, picture.table):
        claim(path, overwrite=overwrite)
    paths = _video_paths(chosen, runs[0], data)
    shown, failures = [], []
    for j, clip in enumerate(reporter.track(chosen, label="read clips", unit="clips")):
        try:
            shown.append(_read(clip, paths[clip.id], opened, bits[:, j], picture.masks))
        except (AttncliError, IndexError) as error:
            failures.append(Failure(id=clip.id, path=str(paths[clip.id]), error=str(error)))
    write_failures(picture.failures, failures)
    lost = {failure.id for failure in failures}
    rows = [row for row in rows if row["id"] not in lost]
    if shown:
        _draw(picture, shown, [run.name for run in opened], paths[shown[0].id])
        write_text(picture.table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        reporter.note(f"wrote {picture.out} and {picture.table}")
    return Outcome(rows=rows, failures=failures)


def _require_drawable(picture: Picture) -> None:
    """Refuse, before anything is read, what would fail after it."""
    suffix = picture.out.suffix.lower()
    if suffix not in FIGURE_SUFFIXES | VIDEO_SUFFIXES:
        raise UsageError(
            f"no picture has the suffix {suffix!r}",
            where=picture.out,
            remedy="choose .png, .pdf or .mp4",
        )
    color_table(picture.style.colormap)


def _open_runs(runs: Sequence[Path], names: Sequence[str], split: str) -> list[_Run]:
    if names and len(names) != len(runs):
        raise UsageError(
            f"{len(names)} names for {len(runs)} runs", where="--name", remedy="give one a run"
        )
    distinct = len({run.resolve().name for run in runs}) == len(runs)
    names = names or [run.resolve().name if distinct else str(run) for run in runs]
    return [_open(run, name, split) for run, name in zip(runs, names, strict=True)]


def _open(run: Path, name: str, split: str) -> _Run:
    directory = attention_directory(run, split)
    attention = open_attention(directory)
    if attention.spatial is None:
        raise AttncliError(
            "there is no spatial attention to draw", where=directory, remedy="leave out this run"
        )
    return _Run(path=run, name=name, spatial=attention.spatial, attention=attention)


def _entropies(runs: Sequence[_Run], clips: Sequence[CommonClip]) -> Float64[np.ndarray, "r n"]:
    """Return the entropy of each run's maps of each clip in bits, as the paper defines it."""
    rows = [[clip.rows[number] for clip in clips] for number in range(len(runs))]
    return np.stack(
        [map_entropy(run.spatial[r]).clip_bits for run, r in zip(runs, rows, strict=True)]
    )



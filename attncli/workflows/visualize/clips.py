"""Draw the attention of runs over the frames they saw: a figure, or a video."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float64

from attncli.data.samples import Split
from attncli.data.video.frame_rate import frame_rate
from attncli.data.video.reading import write_video
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.atomic import write_text
from attncli.files.failures import write_failures
from attncli.files.outputs import claim_file
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.animation import animate
from attncli.visualization.clips import HeatStyle, ShownClip
from attncli.visualization.colormap import color_table
from attncli.visualization.comparison import draw_comparison
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.visualization.saving import save_figure
from attncli.visualization.selection import CommonClip, Wish, choose, common_clips
from attncli.workflows.visualize.attention import NamedAttention, open_runs
from attncli.workflows.visualize.views import read_view, video_samples

FIGURE_SUFFIXES = {".png", ".pdf"}
MOVIE_SUFFIXES = {".mp4", ".avi", ".webm", ".mkv", ".mov"}


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
    edits: Path | None = None
    """Temporal attention people gave; only clips that it edits are shown."""

    @property
    def is_video(self) -> bool:
        """Whether `out` names a video."""
        return self.out.suffix.lower() in MOVIE_SUFFIXES

    @property
    def table(self) -> Path:
        """What the picture says, as a table: a row a clip and run."""
        return self.out.with_suffix(".csv")

    @property
    def failures(self) -> Path:
        """Clips that could not be read."""
        return self.out.with_suffix(".failures.jsonl")


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
        AttncliError: A run has no attention maps, a line of its `clips.csv` says no clip, or the
            runs have no clip in common.
    """
    _require_drawable(picture)
    opened = open_runs(runs, picture.names, split, needs="spatial")
    edits = None if picture.edits is None else read_temporal_edits(picture.edits)
    clips = _edited(common_clips([run.attention for run in opened]), edits)
    chosen = choose(clips, wish, lambda some: _entropies(opened, some).mean(axis=0))
    bits = _entropies(opened, chosen)
    rows = [
        _row(run, clip.rows[i], float(bits[i, j]))
        for j, clip in enumerate(chosen)
        for i, run in enumerate(opened)
    ]
    if dry_run:
        return Outcome(rows=[{**row, "out": str(picture.out)} for row in rows])
    for path in (picture.out, picture.table):
        claim_file(path, overwrite=overwrite)
    samples = video_samples(chosen, runs[0], data)
    shown: list[ShownClip] = []
    failures: list[Failure] = []
    for j, clip in enumerate(reporter.track(chosen, label="read clips", unit="clips")):
        sample, masks = samples[clip.id], picture.masks
        try:
            shown.append(read_view(clip, sample, opened, bits[:, j], masks=masks, edits=edits))
        except (AttncliError, IndexError) as error:
            failures.append(Failure(id=clip.id, path=str(sample.path), error=str(error)))
    write_failures(picture.failures, failures)
    lost = {failure.id for failure in failures}
    rows = [row for row in rows if row["id"] not in lost]
    if shown:
        names = [run.name for run in opened]
        _draw(picture, shown, names, samples[shown[0].id].path)
        written = [str(row[of] or "") for row in rows for of in ("id", "label", "predicted")]
        warn_of_missing_letters([*names, *written], reporter)
        write_text(picture.table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        reporter.note(f"wrote {picture.out} and {picture.table}")
    return Outcome(rows=rows, failures=failures)


def _require_drawable(picture: Picture) -> None:
    """Refuse, before anything is read, what would fail after it."""
    suffix = picture.out.suffix.lower()
    if not picture.is_video and suffix not in FIGURE_SUFFIXES:
        raise UsageError(
            f"no picture has the suffix {suffix!r}",
            where=picture.out,
            remedy="choose .png, .pdf or .mp4",
        )
    color_table(picture.style.colormap)
    if picture.masks is not None and not picture.masks.is_dir():
        raise AttncliError("no such directory", where=picture.masks, remedy="check --masks")


def _edited(clips: Sequence[CommonClip], edits: TemporalEdits | None) -> Sequence[CommonClip]:
    if edits is None:
        return clips
    edited = set(edits.ids)
    found = [clip for clip in clips if clip.id in edited]
    if not found:
        raise AttncliError(
            "edits none of the clips that all runs have",
            where=edits.path,
            remedy="evaluate the runs with --split train, and pass it here too",
        )
    return found


def _entropies(
    runs: Sequence[NamedAttention], clips: Sequence[CommonClip]
) -> Float64[np.ndarray, "r n"]:
    """Return the entropy of each run's maps of each clip in bits, as the paper defines it."""
    maps = [cast(np.ndarray, run.attention.spatial) for run in runs]
    rows = [[clip.rows[number] for clip in clips] for number in range(len(runs))]
    return np.stack([map_entropy(m[r]).clip_bits for m, r in zip(maps, rows, strict=True)])


def _row(run: NamedAttention, row: int, bits: float) -> Row:
    record = run.attention.record(row)
    return {
        "id": record.id,
        "label": record.label or None,
        "run": str(run.path),
        "predicted": record.predicted,
        "entropy": bits,
    }


def _draw(picture: Picture, clips: Sequence[ShownClip], names: Sequence[str], video: Path) -> None:
    if picture.is_video:
        rate = frame_rate(video) / _stride(clips[0].frame_indices)
        write_video(picture.out, animate(clips, names, picture.style), rate)
        return
    figure = draw_comparison(
        clips,
        names,
        style=picture.style,
        frames=picture.frames,
        width_in=picture.width_in,
        dpi=picture.dpi,
    )
    save_figure(figure, picture.out)


def _stride(frame_indices: Sequence[int]) -> int:
    """Return every how many-th frame a clip holds; a short video's clip may start over."""
    steps = [later - earlier for earlier, later in pairwise(frame_indices) if later > earlier]
    return min(steps, default=1)

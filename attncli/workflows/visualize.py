"""Draw the attention of runs over the frames they saw: a figure, or a video."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64

from attncli.config.training import ClipConfig
from attncli.data.frame_rate import frame_rate
from attncli.data.layouts import open_dataset
from attncli.data.samples import Split
from attncli.data.video import read_frames, write_video
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
MOVIE_SUFFIXES = {".mp4", ".avi", ".webm", ".mkv", ".mov"}
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


@dataclass(frozen=True)
class _Run:
    path: Path
    name: str
    attention: Attention
    spatial: Float32[np.ndarray, "n t h w"]


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
    opened = _open_runs(runs, picture.names, split)
    clips = common_clips([run.attention for run in opened])
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
        claim(path, overwrite=overwrite)
    paths = _video_paths(chosen, runs[0], data)
    shown: list[ShownClip] = []
    failures: list[Failure] = []
    for j, clip in enumerate(reporter.track(chosen, label="read clips", unit="clips")):
        path = paths[clip.id]
        try:
            shown.append(_read(clip, path, opened, bits[:, j], picture.masks))
        except (AttncliError, IndexError) as error:
            failures.append(Failure(id=clip.id, path=str(path), error=str(error)))
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
    if not picture.is_video and suffix not in FIGURE_SUFFIXES:
        raise UsageError(
            f"no picture has the suffix {suffix!r}",
            where=picture.out,
            remedy="choose .png, .pdf or .mp4",
        )
    color_table(picture.style.colormap)
    if picture.masks is not None and not picture.masks.is_dir():
        raise AttncliError("no such directory", where=picture.masks, remedy="check --masks")


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
    frames = {len(frames.split()) for frames in attention.clips["frames"]}
    if frames - {attention.spatial.shape[1]}:
        raise AttncliError(
            "a clip has another number of frames than of maps",
            where=directory,
            remedy="evaluate the run again",
        )
    return _Run(path=run, name=name, spatial=attention.spatial, attention=attention)


def _entropies(runs: Sequence[_Run], clips: Sequence[CommonClip]) -> Float64[np.ndarray, "r n"]:
    """Return the entropy of each run's maps of each clip in bits, as the paper defines it."""
    rows = [[clip.rows[number] for clip in clips] for number in range(len(runs))]
    return np.stack(
        [map_entropy(run.spatial[r]).clip_bits for run, r in zip(runs, rows, strict=True)]
    )


def _row(run: _Run, row: int, bits: float) -> Row:
    record = run.attention.record(row)
    return {
        "id": record.id,
        "label": record.label or None,
        "run": str(run.path),
        "predicted": record.predicted,
        "entropy": bits,
    }


def _video_paths(clips: Sequence[CommonClip], run: Path, data: Path | None) -> dict[str, Path]:
    """Return where each clip's video is, in `data` or else in the dataset of `run`."""
    if data is None:
        config = cast(ClipConfig, load(run).config)
        dataset = open_dataset(config.data, layout=config.layout, split="all")
    else:
        dataset = open_dataset(data, split="all")
    paths = {sample.id: sample.path for sample in dataset.samples}
    for clip in clips:
        if clip.id not in paths:
            raise AttncliError(
                f"there is no video {clip.id}",
                where=dataset.root,
                remedy="give the dataset the runs were evaluated on with --data",
            )
    return paths


def _read(
    clip: CommonClip,
    path: Path,
    runs: Sequence[_Run],
    bits: Float64[np.ndarray, " r"],
    masks: Path | None,
) -> ShownClip:
    record = runs[0].attention.record(clip.rows[0])
    frames = read_frames(path, record.frames)
    _require_inside(record.crop, frames.shape[1:3], path)
    view = partial(cut_view, box_xyxy=record.crop, flip=record.flip, height_px=VIEW_PX)
    unions = None
    if masks is not None:
        source = MaskDirectory(masks).read(clip.id, record.frames)
        _require_same_size(source.shape[1:], frames.shape[1:3], masks, clip)
        unions = view(source.astype(np.uint8) * 255) >= 128  # at least half of the pixel
    return ShownClip(
        id=clip.id,
        true_class=record.label or None,
        frame_indices=record.frames,
        frames=view(frames),
        runs=tuple(
            _answer(run, row, float(b)) for run, row, b in zip(runs, clip.rows, bits, strict=True)
        ),
        masks=unions,
    )


def _require_inside(
    crop: tuple[float, float, float, float], size_hw: Sequence[int], path: Path
) -> None:
    height, width = size_hw
    if crop[2] > width + 1 or crop[3] > height + 1:
        raise AttncliError(
            f"frames of {width}x{height} pixels do not hold the clip's crop",
            where=path,
            remedy="give the dataset the runs were evaluated on with --data",
        )


def _require_same_size(
    masks_hw: Sequence[int], frames_hw: Sequence[int], masks: Path, clip: CommonClip
) -> None:
    if tuple(masks_hw) != tuple(frames_hw):
        raise AttncliError(
            f"masks are {masks_hw[1]}x{masks_hw[0]}, the video is {frames_hw[1]}x{frames_hw[0]}",
            where=MaskDirectory(masks).path(clip.id),
            remedy="segment this video again",
        )


def _answer(run: _Run, row: int, bits: float) -> ClipAttention:
    record = run.attention.record(row)
    return ClipAttention(
        predicted=record.predicted,
        correct=record.predicted == record.label if record.label else None,
        entropy_bits=bits,
        attention=np.asarray(run.spatial[row]),
    )


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

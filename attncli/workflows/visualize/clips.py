"""Draw the attention of runs over the frames they saw: a figure, or a video."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float64

from attncli.config.visualize import VisualizeConfig
from attncli.data.samples import VideoSample
from attncli.data.video.reading import write_video
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.failures import write_failures
from attncli.files.temporal_edits import TemporalEdits, read_temporal_edits
from attncli.metrics.entropy import map_entropy
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.animation import Film, animate
from attncli.visualization.clips import ShownClip
from attncli.visualization.colormap import color_table
from attncli.visualization.comparison import draw_comparison
from attncli.visualization.saving import save_figure
from attncli.visualization.selection import CommonClip, choose, common_clips
from attncli.workflows.visualize.attention import NamedAttention, open_runs
from attncli.workflows.visualize.picture import FIGURE_SUFFIXES, Picture, style_of, wish_of
from attncli.workflows.visualize.views import film_of, read_view, video_samples


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw what runs attend to in the same clips; the name of the picture says in which format.

    Args:
        config: What is to be drawn, and where.
        runs: Run directories with an evaluation on the split.
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
    _require_drawable(config)
    picture = Picture(config.picture, overwrite=overwrite)
    opened = open_runs(runs, config.names, config.split, needs="spatial")
    edits = None if config.edits is None else read_temporal_edits(config.edits, allow_partial=True)
    clips = _edited(common_clips([run.attention for run in opened]), edits)
    chosen = choose(clips, wish_of(config), lambda some: _entropies(opened, some).mean(axis=0))
    bits = _entropies(opened, chosen)
    rows = [
        _row(run, clip.rows[i], float(bits[i, j]))
        for j, clip in enumerate(chosen)
        for i, run in enumerate(opened)
    ]
    if dry_run:
        return picture.planned(rows)
    picture.claim()
    samples = video_samples(chosen, runs[0], config.data)
    shown: list[ShownClip] = []
    failures: list[Failure] = []
    for j, clip in enumerate(reporter.track(chosen, label="read clips", unit="clips")):
        sample, masks = samples[clip.id], config.masks
        try:
            shown.append(read_view(clip, sample, opened, bits[:, j], masks=masks, edits=edits))
        except (AttncliError, IndexError) as error:
            failures.append(Failure(id=clip.id, path=str(sample.path), error=str(error)))
    write_failures(picture.failures, failures)
    lost = {failure.id for failure in failures}
    rows = [row for row in rows if row["id"] not in lost]
    if shown:
        names = [run.name for run in opened]
        films = [_film(opened, chosen, one, samples[one.id], config.masks) for one in shown]
        written = [str(row[of] or "") for row in rows for of in ("id", "label", "predicted")]
        draw_to = partial(_draw, config, films, names)
        picture.write(draw_to, pd.DataFrame(rows), [*names, *written], reporter)
    return Outcome(rows=rows, failures=failures)


def _require_drawable(config: VisualizeConfig) -> None:
    """Refuse, before anything is read, what would fail after it."""
    suffix = config.picture.suffix.lower()
    if not config.is_video and suffix not in FIGURE_SUFFIXES:
        raise UsageError(
            f"must end in .png, .pdf, .mp4, .avi or .webm, not in {suffix!r}",
            where=config.picture,
            remedy="choose another name",
        )
    color_table(config.colormap)
    if config.masks is not None and not config.masks.is_dir():
        raise AttncliError("no such directory", where=config.masks, remedy="check --masks")


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


def _film(
    runs: Sequence[NamedAttention],
    clips: Sequence[CommonClip],
    shown: ShownClip,
    sample: VideoSample,
    masks: Path | None,
) -> Film:
    """Return the whole video of a clip; none of it is read yet."""
    (row,) = (clip.rows[0] for clip in clips if clip.id == shown.id)
    return film_of(shown, runs[0].attention.record(row), sample, masks=masks)


def _draw(config: VisualizeConfig, films: Sequence[Film], names: Sequence[str], path: Path) -> None:
    style = style_of(config)
    if config.is_video:
        write_video(path, animate(films, names, style), films[0].rate)
        return
    figure = draw_comparison(
        [film.clip for film in films],
        names,
        style=style,
        frames=config.frames,
        width_in=config.layout_in,
        dpi=config.dpi,
    )
    save_figure(figure, path)

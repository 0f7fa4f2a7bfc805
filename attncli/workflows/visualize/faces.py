"""Draw what runs attend to in faces at the apex of an expression: of one sequence, or on average.

The apex is a sequence's last frame, where the expression is strongest.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8

from attncli.config.visualize import VisualizeConfig
from attncli.data.samples import VideoSample
from attncli.errors import AttncliError, Failure
from attncli.files.failures import write_failures
from attncli.metrics.entropy import map_entropy
from attncli.metrics.value_range import Range, stretched
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.face_grid import (
    FaceColumn,
    FaceMap,
    columns_on_a_page,
    draw_face_grid,
    mean_picture,
)
from attncli.workflows.visualize import clips
from attncli.workflows.visualize.apexes import (
    Apex,
    by_class,
    choose_apexes,
    class_names,
    find_apexes,
)
from attncli.workflows.visualize.attention import NamedAttention, open_runs
from attncli.workflows.visualize.picture import Picture, figure_of, style_of, wish_of
from attncli.workflows.visualize.views import read_still, video_samples


def draw(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw one sequence a class at its apex, whether or not it is recognised, and its maps.

    Options about single clips, and videos, ask for their time instead, unless `apex` is given.

    Args:
        config: What is to be drawn, and where: the sequences of its ids, or one of each class, or
            of each of its classes, drawn by its seed; `clips` and `order` do not matter.
        runs: Run directories with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a sequence and run, with mean and entropy of the one map; and the sequences that
        could not be read.

    Raises:
        UsageError: A wish cannot be met, or no figure has such a suffix.
        AttncliError: A run has no attention maps, or the runs have no sequence in common.
    """
    if not config.apex and (config.about_clips or config.is_video):
        return clips.draw(config, runs, overwrite=overwrite, dry_run=dry_run, reporter=reporter)
    picture = figure_of(config, overwrite=overwrite)
    opened = open_runs(runs, config.names, config.split, needs="spatial")
    chosen = choose_apexes(find_apexes(opened), class_names(runs), wish_of(config))
    if not config.ids and not config.classes:
        chosen = chosen[: _on_a_page(config, len(chosen), len(opened), reporter)]
    rows = {apex.clip.id: _apex_rows(opened, apex) for apex in chosen}
    if dry_run:
        return picture.planned(row for lines in rows.values() for row in lines)
    picture.claim()
    samples = video_samples([apex.clip for apex in chosen], runs[0], config.data)
    tracked = reporter.track(chosen, label="read faces", unit="sequences")
    faces, failures = _read_faces(tracked, samples)
    columns = [
        _apex_column(opened, apex, faces[apex.clip.id], config.value_range)
        for apex in chosen
        if apex.clip.id in faces
    ]
    drawn = [row for id_, lines in rows.items() if id_ in faces for row in lines]
    names = [run.name for run in opened]
    _write(config, picture, columns, names, drawn, failures, reporter, face_name="face")
    return Outcome(rows=drawn, failures=failures)


def draw_class_means(
    config: VisualizeConfig,
    runs: Sequence[Path],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw for each class the mean face at the apex of all its sequences, and the mean maps.

    Maps are scaled to their range before their mean is taken. Faces are brought to one size; they
    are as well aligned as their crops are.

    Args:
        config: What is to be drawn, and where: its classes in this order, or all in their own.
        runs: Run directories with an evaluation on the split.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a class and run, with the means of what `draw` says of each sequence; and the
        sequences that could not be read, which are left out.

    Raises:
        UsageError: No sequence is of a class asked for, or no figure has such a suffix.
        AttncliError: A run has no attention maps, or the runs have no sequence in common.
    """
    picture = figure_of(config, overwrite=overwrite)
    opened = open_runs(runs, config.names, config.split, needs="spatial")
    groups = by_class(find_apexes(opened), class_names(runs), config.classes)
    if not config.classes:
        limit = _on_a_page(config, len(groups), len(opened), reporter)
        groups = dict(list(groups.items())[:limit])
    if dry_run:
        rows = [_mean_rows(opened, label, group) for label, group in groups.items()]
        return picture.planned(row for lines in rows for row in lines)
    picture.claim()
    every = [apex for group in groups.values() for apex in group]
    samples = video_samples([apex.clip for apex in every], runs[0], config.data)
    columns: list[FaceColumn] = []
    drawn: list[Row] = []
    failures: list[Failure] = []
    tracked = reporter.track(every, label="read faces", unit="sequences")
    for label, group in groupby(tracked, key=lambda apex: apex.clip.label):
        faces, lost = _read_faces(group, samples)
        failures += lost
        if faces:
            kept = [apex for apex in groups[label] if apex.clip.id in faces]
            mean = mean_picture(list(faces.values()))
            columns.append(_mean_column(opened, label, kept, mean, config.value_range))
            drawn += _mean_rows(opened, label, kept)
    names = [run.name for run in opened]
    _write(config, picture, columns, names, drawn, failures, reporter, face_name="mean face")
    return Outcome(rows=drawn, failures=failures)


def _on_a_page(config: VisualizeConfig, classes: int, runs: int, reporter: Reporter) -> int:
    """Return how many classes fit a page, and say so where they are not all."""
    limit = columns_on_a_page(config.layout_in, runs)
    if classes > limit:
        reporter.note(f"{limit} of {classes} classes fit a page; --class draws others")
    return limit


def _read_faces(
    apexes: Iterable[Apex], samples: Mapping[str, VideoSample]
) -> tuple[dict[str, UInt8[np.ndarray, "_ _ 3"]], list[Failure]]:
    """Return the face of each sequence that can be read, and those that cannot."""
    faces: dict[str, UInt8[np.ndarray, "_ _ 3"]] = {}
    failures: list[Failure] = []
    for apex in apexes:
        sample = samples[apex.clip.id]
        try:
            faces[apex.clip.id] = read_still(apex.record, sample, apex.frame)
        except (AttncliError, IndexError) as error:
            failures.append(Failure(id=sample.id, path=str(sample.path), error=str(error)))
    return faces, failures


def _maps(
    run: NamedAttention, number: int, apexes: Sequence[Apex], value_range: Range = "none"
) -> Float32[np.ndarray, "n hm wm"]:
    """Return the map of each apex by the run of a number, scaled."""
    spatial, where = cast(np.ndarray, run.attention.spatial), str(run.path)
    maps = []
    for apex in apexes:
        row = apex.clip.rows[number]
        clip = np.asarray(spatial[row : row + 1])
        maps.append(stretched(clip, value_range, first_row=row, where=where)[0, apex.step])
    return np.stack(maps)


def _apex_column(
    runs: Sequence[NamedAttention],
    apex: Apex,
    face: UInt8[np.ndarray, "h w 3"],
    value_range: Range,
) -> FaceColumn:
    maps = []
    for number, run in enumerate(runs):
        predicted = run.attention.record(apex.clip.rows[number]).predicted
        (drawn,) = _maps(run, number, [apex], value_range)
        correct = predicted == apex.clip.label if apex.clip.label else None
        maps.append(FaceMap(drawn, predicted, correct))
    return FaceColumn(apex.clip.label, face, tuple(maps), apex.clip.id)


def _mean_column(
    runs: Sequence[NamedAttention],
    label: str,
    apexes: Sequence[Apex],
    face: UInt8[np.ndarray, "h w 3"],
    value_range: Range,
) -> FaceColumn:
    means = [
        _maps(run, number, apexes, value_range).mean(axis=0) for number, run in enumerate(runs)
    ]
    return FaceColumn(label, face, tuple(map(FaceMap, means)), f"n = {len(apexes)}")


def _apex_rows(runs: Sequence[NamedAttention], apex: Apex) -> list[Row]:
    rows: list[Row] = []
    for number, run in enumerate(runs):
        record, maps = run.attention.record(apex.clip.rows[number]), _maps(run, number, [apex])
        rows.append(
            {
                "id": apex.clip.id,
                "label": apex.clip.label or None,
                "run": str(run.path),
                "predicted": record.predicted,
                "frame": apex.frame,
                "mean": float(maps.mean(dtype=np.float64)),
                "entropy": float(map_entropy(maps[:, None]).clip_bits[0]),
            }
        )
    return rows


def _mean_rows(runs: Sequence[NamedAttention], label: str, apexes: Sequence[Apex]) -> list[Row]:
    rows: list[Row] = []
    for number, run in enumerate(runs):
        maps = _maps(run, number, apexes)
        rows.append(
            {
                "class": label,
                "run": str(run.path),
                "sequences": len(apexes),
                "mean": float(maps.mean(dtype=np.float64)),
                "entropy": float(map_entropy(maps[:, None]).clip_bits.mean()),
            }
        )
    return rows


def _write(
    config: VisualizeConfig,
    picture: Picture,
    columns: Sequence[FaceColumn],
    names: Sequence[str],
    rows: Sequence[Row],
    failures: Sequence[Failure],
    reporter: Reporter,
    *,
    face_name: str,
) -> None:
    """Write the figure and its table, unless nothing could be read, and what failed."""
    write_failures(picture.failures, failures)
    if not columns:
        return
    figure = draw_face_grid(
        columns,
        names,
        style=style_of(config),
        face_name=face_name,
        width_in=config.layout_in,
        dpi=config.dpi,
    )
    written = [text for c in columns for text in (c.title, c.caption, *(m.caption for m in c.maps))]
    picture.save(figure, pd.DataFrame(rows), [*names, *written], reporter)

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

from attncli import catalog
from attncli.data.samples import Split, VideoSample
from attncli.errors import AttncliError, Failure, UsageError
from attncli.files.atomic import write_text
from attncli.files.attention import attention_directory, open_attention
from attncli.files.failures import write_failures
from attncli.files.outputs import claim_file
from attncli.files.runs import load
from attncli.metrics.entropy import map_entropy
from attncli.metrics.value_range import Range, stretched
from attncli.reporting import Outcome, Reporter, Row
from attncli.visualization.colormap import color_table
from attncli.visualization.face_grid import (
    FaceColumn,
    FaceMap,
    columns_on_a_page,
    draw_face_grid,
    mean_picture,
)
from attncli.visualization.fonts import warn_of_missing_letters
from attncli.visualization.saving import save_figure
from attncli.visualization.selection import CommonClip, Wish
from attncli.workflows.visualize.apexes import (
    Apex,
    by_class,
    choose_apexes,
    class_names,
    find_apexes,
)
from attncli.workflows.visualize.attention import NamedAttention, open_runs
from attncli.workflows.visualize.clips import FIGURE_SUFFIXES, Picture
from attncli.workflows.visualize.views import read_still, video_samples


def are_of_faces(runs: Sequence[Path]) -> bool:
    """Return whether all runs are of methods for the expression of faces."""
    try:
        papers = {catalog.method(load(run).method).paper.key for run in runs}
    except AttncliError:  # no run but attention of any origin, or a mistake for others to report
        return False
    return papers == {catalog.RAM.key}


def lack_temporal(runs: Sequence[Path], split: Split) -> bool:
    """Return whether all runs have spatial attention, and none of them temporal attention."""
    try:
        opened = [open_attention(attention_directory(run, split)) for run in runs]
    except AttncliError:  # for others to report
        return False
    return all(attention.temporal is None for attention in opened)


def visualize_apex(
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
    """Draw one sequence a class at its apex, whether or not it is recognised, and its maps.

    Args:
        runs: Run directories with an evaluation on `split`.
        picture: What is to be drawn.
        wish: Which sequences: those of its ids, or one of each class, or of each of its classes,
            drawn by its seed; the rest of it does not matter.
        split: Which evaluation of the runs.
        data: Dataset that holds the sequences, instead of the first run's own.
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
    _require_drawable(picture)
    opened = open_runs(runs, picture.names, split, needs="spatial")
    chosen = choose_apexes(find_apexes(opened), class_names(runs), wish)
    limit = columns_on_a_page(picture.width_in, len(opened))
    if not wish.ids and not wish.labels:
        _note_left_out(reporter, len(chosen), limit)
        chosen = chosen[:limit]
    rows = {apex.clip.id: _apex_rows(opened, apex) for apex in chosen}
    if dry_run:
        return Outcome(rows=_planned(list(rows.values()), picture))
    _claim(picture, overwrite)
    samples = video_samples(_clips(chosen), runs[0], data)
    tracked = reporter.track(chosen, label="read faces", unit="sequences")
    faces, failures = _read_faces(tracked, samples)
    columns = [
        _apex_column(opened, apex, faces[apex.clip.id], picture.style.value_range)
        for apex in chosen
        if apex.clip.id in faces
    ]
    drawn = [row for id_, lines in rows.items() if id_ in faces for row in lines]
    _write(picture, columns, [run.name for run in opened], drawn, failures, reporter)
    return Outcome(rows=drawn, failures=failures)


def visualize_class_means(
    runs: Sequence[Path],
    picture: Picture,
    *,
    classes: Sequence[str] = (),
    split: Split = "val",
    data: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Draw for each class the mean face at the apex of all its sequences, and the mean maps.

    Maps are scaled as the picture's style says before their mean is taken. Faces are brought to
    one size; they are as well aligned as their crops are.

    Args:
        runs: Run directories with an evaluation on `split`.
        picture: What is to be drawn.
        classes: Classes to draw, in this order; all in their own order where empty.
        split: Which evaluation of the runs.
        data: Dataset that holds the sequences, instead of the first run's own.
        overwrite: An earlier picture may go.
        dry_run: Say what would be drawn, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a class and run, with the means of what `visualize_apex` says of each sequence;
        and the sequences that could not be read, which are left out.

    Raises:
        UsageError: No sequence is of a class asked for, or no figure has such a suffix.
        AttncliError: A run has no attention maps, or the runs have no sequence in common.
    """
    _require_drawable(picture)
    opened = open_runs(runs, picture.names, split, needs="spatial")
    groups = by_class(find_apexes(opened), class_names(runs), classes)
    limit = columns_on_a_page(picture.width_in, len(opened))
    if not classes:
        _note_left_out(reporter, len(groups), limit)
        groups = dict(list(groups.items())[:limit])
    if dry_run:
        rows = [_mean_rows(opened, label, group) for label, group in groups.items()]
        return Outcome(rows=_planned(rows, picture))
    _claim(picture, overwrite)
    every = [apex for group in groups.values() for apex in group]
    samples = video_samples(_clips(every), runs[0], data)
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
            columns.append(_mean_column(opened, label, kept, mean, picture.style.value_range))
            drawn += _mean_rows(opened, label, kept)
    names = [run.name for run in opened]
    _write(picture, columns, names, drawn, failures, reporter, face_name="mean face")
    return Outcome(rows=drawn, failures=failures)


def _require_drawable(picture: Picture) -> None:
    """Refuse, before anything is read, what would fail after it."""
    if picture.out.suffix.lower() not in FIGURE_SUFFIXES:
        raise UsageError(
            f"no figure has the suffix {picture.out.suffix!r}",
            where=picture.out,
            remedy="choose .png or .pdf",
        )
    color_table(picture.style.colormap)


def _clips(apexes: Sequence[Apex]) -> list[CommonClip]:
    return [apex.clip for apex in apexes]


def _note_left_out(reporter: Reporter, classes: int, limit: int) -> None:
    if classes > limit:
        reporter.note(f"{limit} of {classes} classes fit a page; --class draws others")


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


def _planned(rows: Sequence[Sequence[Row]], picture: Picture) -> list[Row]:
    return [{**row, "out": str(picture.out)} for lines in rows for row in lines]


def _claim(picture: Picture, overwrite: bool) -> None:
    for path in (picture.out, picture.table):
        claim_file(path, overwrite=overwrite)


def _write(
    picture: Picture,
    columns: Sequence[FaceColumn],
    names: Sequence[str],
    rows: Sequence[Row],
    failures: Sequence[Failure],
    reporter: Reporter,
    *,
    face_name: str = "face",
) -> None:
    """Write the figure and its table, unless nothing could be read, and what failed."""
    write_failures(picture.failures, failures)
    if not columns:
        return
    figure = draw_face_grid(
        columns,
        names,
        style=picture.style,
        face_name=face_name,
        width_in=picture.width_in,
        dpi=picture.dpi,
    )
    save_figure(figure, picture.out)
    written = [text for c in columns for text in (c.title, c.caption, *(m.caption for m in c.maps))]
    warn_of_missing_letters([*names, *written], reporter)
    write_text(picture.table, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    reporter.note(f"wrote {picture.out} and {picture.table}")

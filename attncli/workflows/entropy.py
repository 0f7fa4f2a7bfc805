"""Measure attention maps on disk: their sharpness, and their agreement with masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from attncli.config.entropy import Measure
from attncli.config.toml import dump
from attncli.errors import AttncliError, Failure
from attncli.files.atomic import ESCAPED, replacing, write_text
from attncli.files.attention import (
    SPATIAL,
    Attention,
    ClipRecord,
    attention_directory,
    open_attention,
)
from attncli.files.failures import write_failures
from attncli.files.masks import MaskDirectory
from attncli.files.metrics import read_metrics
from attncli.files.outputs import SETTINGS, claim
from attncli.metrics.agreement import covered_share, mask_agreement
from attncli.metrics.entropy import map_entropy
from attncli.metrics.value_range import stretched
from attncli.reporting import Outcome, Reporter, Row
from attncli.workflows.runs.several import runs_of, with_means

MASK_FIGURES = ("mask_iou", "inside_percent", "pointing_percent")
MASK_COLUMNS = (*MASK_FIGURES, "empty_frames")
CROP_ROUNDING_PX = 0.5


def measure_entropy(
    runs: Sequence[Path],
    measure: Measure,
    *,
    split: str = "val",
    out: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    reporter: Reporter,
) -> Outcome:
    """Measure the attention of runs; write one CSV line a clip, and one a class.

    Args:
        runs: Run directories, or directories with attention maps; of one with a run for each of
            several seeds, all of these are measured.
        measure: How maps are measured.
        split: Which evaluation of each run.
        out: Directory of `entropy.csv` and `entropy_by_class.csv` over all runs; where None each
            run gets its own beside its attention maps.
        overwrite: Whether what is in `out` may go.
        dry_run: Say what would be measured, and touch nothing.
        reporter: Shows progress.

    Returns:
        One row a run, after those of several seeds their means and spreads; clips whose masks
        could not be used are its failures.

    Raises:
        AttncliError: A run has no maps, or maps with values that cannot be measured.
    """
    if measure.masks is not None and not measure.masks.is_dir():
        raise AttncliError("no such directory", where=measure.masks, remedy="check --masks")
    members = {path: runs_of(path) for path in runs}
    sources = [_open(run, split) for own in members.values() for run in own]
    if out is not None:
        inputs = [source.directory for source in sources]
        inputs += [] if measure.masks is None else [measure.masks]
        claim(out, overwrite=overwrite, inputs=inputs, dry_run=dry_run)
    if dry_run:
        return Outcome(rows=[{**s.row, "out": str(out or s.directory.parent)} for s in sources])
    if out is not None:
        write_text(out / SETTINGS, dump(measure))
    tables, failures = [], []
    for source in sources:
        table, failed = _clip_table(source, measure, reporter)
        tables.append(table)
        failures += failed
        if out is None:
            _write_tables(source.directory.parent, table, failed, reporter)
    if out is not None:
        names = [source.row["run"] for source in sources]
        together = pd.concat(tables, keys=names, names=["run"]).reset_index(level="run")
        _write_tables(out, together, failures, reporter)
    rows = [_summary(source, table) for source, table in zip(sources, tables, strict=True)]
    return Outcome(with_means(members, rows), failures, inputs=sum(map(len, tables)))


@dataclass(frozen=True)
class _Source:
    """The maps of one run, and what is known of them."""

    directory: Path
    attention: Attention
    spatial: Float[np.ndarray, "n t h w"]
    row: Row


def _open(run: Path, split: str) -> _Source:
    directory = attention_directory(run, split)
    attention = open_attention(directory)
    if attention.spatial is None or len(attention.spatial) == 0:
        raise AttncliError(
            "holds no spatial attention maps", where=directory, remedy="leave out this run"
        )
    metrics_path = directory.parent / "metrics.json"
    known = read_metrics(metrics_path) if metrics_path.exists() else {}
    row: Row = {
        "run": str(run),
        "method": known.get("method"),
        "split": known.get("split"),
        "clips": len(attention.spatial),
    }
    return _Source(directory, attention, attention.spatial, row)


def _clip_table(
    source: _Source, measure: Measure, reporter: Reporter
) -> tuple[pd.DataFrame, list[Failure]]:
    """Return one line a clip, and the clips whose masks could not be used."""
    path = str(source.directory / SPATIAL)
    entropy = map_entropy(
        source.spatial, bins=measure.bins, value_range=measure.value_range, where=path
    )
    table = source.attention.clips[["id", "label"]].copy()
    table["entropy"] = entropy.clip_bits
    table["flat"] = entropy.flat_frames
    if measure.masks is None:
        return table, []
    masks, lines, failures = MaskDirectory(measure.masks), [], []
    label = f"masks of {source.row['run']}"
    for row in reporter.track(range(len(table)), label=label, unit="clips"):
        record = source.attention.record(row)
        maps = stretched(source.spatial[row : row + 1], measure.value_range, where=path)[0]
        try:
            lines.append(_agreement(record, maps, masks, measure.threshold))
        except AttncliError as error:
            failures.append(
                Failure(id=record.id, path=str(masks.path(record.id)), error=str(error))
            )
            lines.append({})
    return pd.concat([table, pd.DataFrame(lines, columns=MASK_COLUMNS)], axis=1), failures


def _agreement(
    record: ClipRecord, maps: np.ndarray, masks: MaskDirectory, threshold: float
) -> dict[str, float]:
    """Return a clip's agreement with its masks, in percent."""
    source = masks.read(record.id, np.array(record.frames))
    rows, columns = source.shape[1:]
    if record.crop[2] > columns + CROP_ROUNDING_PX or record.crop[3] > rows + CROP_ROUNDING_PX:
        raise AttncliError(
            f"masks are {columns}x{rows}, smaller than the part of the video the clip shows",
            where=record.id,
            remedy="segment this video again",
        )
    covered = covered_share(source, record.crop, flip=record.flip, grid_hw=maps.shape[1:])
    found = mask_agreement(maps, covered, threshold=threshold)
    shares = (100 * found.iou, 100 * found.inside, 100 * found.pointing)
    return dict(zip(MASK_COLUMNS, (*shares, found.empty_frames), strict=True))


def _summary(source: _Source, table: pd.DataFrame) -> Row:
    """Return a run's figures: means over its clips; over those with objects for the masks'."""
    row = {
        **source.row,
        "entropy": float(table["entropy"].mean()),
        "entropy_std": _figure(table["entropy"].std()),
        "flat": int(table["flat"].sum()),
    }
    if MASK_FIGURES[0] in table:
        row |= {name: _figure(table[name].mean()) for name in MASK_FIGURES}
        row["empty_frames"] = int(table["empty_frames"].sum())
    return row


def _figure(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write_tables(
    directory: Path, clips: pd.DataFrame, failures: list[Failure], reporter: Reporter
) -> None:
    keys = [name for name in ("run", "label") if name in clips]
    groups = clips.groupby(keys, sort=True)
    classes = groups[[name for name in ("entropy", *MASK_FIGURES) if name in clips]].mean()
    classes.insert(0, "clips", groups.size())
    classes.insert(2, "entropy_std", groups["entropy"].std())
    classes.insert(3, "flat", groups["flat"].sum())
    for name, table in (("entropy", clips), ("entropy_by_class", classes.reset_index())):
        with replacing(directory / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n", errors=ESCAPED)
    write_failures(directory / "entropy_failures.jsonl", failures)
    reporter.note(f"wrote {directory / 'entropy.csv'} and {directory / 'entropy_by_class.csv'}")

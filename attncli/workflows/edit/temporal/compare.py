"""Compare temporal attention with when the action really takes place, where that is known.

People are not asked here, nor is a network: the evaluation's attention lies on disk.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from attncli.data.samples import Split
from attncli.errors import AttncliError
from attncli.files.active_intervals import ActiveInterval, read_active_intervals
from attncli.files.attention import Attention, attention_directory, open_attention
from attncli.reporting import Outcome, Reporter, Row


def compare_with_truth(
    runs: Sequence[Path], *, truth: Path, split: Split = "val", reporter: Reporter
) -> Outcome:
    """Measure the temporal attention of runs inside and outside the true interval of the action.

    Args:
        runs: Run directories that were evaluated on `split`.
        truth: `active.csv` of the dataset.
        split: Which evaluation of each run.
        reporter: Told of clips that have no frame inside, or none outside.

    Returns:
        One row a run: `inside` and `outside` are the mean attention of a clip's frames there,
        averaged over clips; `inside_higher_percent` is the share of clips in which it is higher
        inside than outside.

    Raises:
        AttncliError: A run has no temporal attention, or a clip is not in `truth`.
    """
    intervals = read_active_intervals(truth)
    return Outcome(rows=[_row(run, split, truth, intervals, reporter) for run in runs])


def _row(
    run: Path,
    split: Split,
    truth: Path,
    intervals: dict[str, ActiveInterval],
    reporter: Reporter,
) -> Row:
    directory = attention_directory(run, split)
    attention = open_attention(directory)
    if attention.temporal is None or len(attention.temporal) == 0:
        raise AttncliError("holds no temporal attention", where=run, remedy="leave it out")
    inside = _active_frames(attention, intervals, truth)
    usable = inside.any(axis=1) & ~inside.all(axis=1)
    if not usable.any():
        raise AttncliError(
            "no clip has frames inside and outside the action",
            where=directory,
            remedy=f"check that {truth} is of the same dataset",
        )
    if not usable.all():
        reporter.warn(f"{run}: {(~usable).sum()} clips are all action or all idle; left out")
    temporal = np.asarray(attention.temporal, dtype=np.float64)[usable]
    within = _clip_means(temporal, inside[usable])
    without = _clip_means(temporal, ~inside[usable])
    return {
        "run": str(run),
        "split": split,
        "clips": int(usable.sum()),
        "inside": float(within.mean()),
        "outside": float(without.mean()),
        "inside_higher_percent": float(100 * (within > without).mean()),
    }


def _active_frames(
    attention: Attention, intervals: dict[str, ActiveInterval], truth: Path
) -> Bool[np.ndarray, "n t"]:
    """Return which frames of each clip show its action."""
    rows = []
    for row in range(len(attention.clips)):
        record = attention.record(row)
        if record.id not in intervals:
            raise AttncliError(
                f"no such clip: {record.id!r}",
                where=truth,
                remedy="name the active.csv of the data the run was evaluated on",
            )
        interval, frames = intervals[record.id], np.array(record.frames)
        rows.append((frames >= interval.first) & (frames <= interval.last))
    return np.stack(rows)


def _clip_means(
    values: Float[np.ndarray, "n t"], chosen: Bool[np.ndarray, "n t"]
) -> Float[np.ndarray, " n"]:
    """Return the mean over the chosen frames of each clip, which has at least one."""
    return np.where(chosen, values, 0.0).sum(axis=1) / chosen.sum(axis=1)

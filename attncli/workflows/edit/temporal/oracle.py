"""Edits of toy data from its own truth, in the place of people."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from attncli.errors import AttncliError
from attncli.files.active_intervals import ActiveInterval, read_active_intervals
from attncli.files.edit_directory import EditClip, open_edit_directory
from attncli.reporting import Outcome, Reporter
from attncli.workflows.edit.temporal.filling import filled, summary

NOT_NEEDED, NEEDED, DECISIVE = 0.0, 0.5, 1.0


def edit_by_truth(
    path: Path, truth: Path, *, overwrite: bool, dry_run: bool, reporter: Reporter
) -> Outcome:
    """Give every frame the score that an annotator who knows all would.

    Args:
        path: Edit directory with clips of a toy dataset.
        truth: The dataset's `active.csv`.
        overwrite: Whether clips that have scores already may get others.
        dry_run: Touch nothing.
        reporter: Told where these edits are from.

    Returns:
        One row: what the edits hold.

    Raises:
        AttncliError: The truth of a clip is missing or does not fit it, or a clip has scores
            already.
    """
    directory = open_edit_directory(path)
    intervals = read_active_intervals(truth)
    vectors = {}
    for clip in directory.read_clips().values():
        if clip.id not in intervals or intervals[clip.id].last >= clip.frames:
            problem = "ends after" if clip.id in intervals else "is missing for"
            raise AttncliError(
                f"the action {problem} clip {clip.id!r} of {clip.frames} frames",
                where=truth,
                remedy="name the active.csv of the toy data these clips are from",
            )
        vectors[clip.id] = _scores(clip, intervals[clip.id])
    edits = filled(directory, vectors, overwrite=overwrite, dry_run=dry_run)
    reporter.warn(f"no person made these edits: they are the toy data's own truth, {truth}")
    return Outcome(rows=[summary(edits)])


def _scores(clip: EditClip, interval: ActiveInterval) -> Float32[np.ndarray, " n"]:
    scores = np.full(clip.frames, NOT_NEEDED, dtype=np.float32)
    scores[interval.first : interval.last + 1] = NEEDED
    scores[interval.key_first : interval.key_last + 1] = DECISIVE
    return scores

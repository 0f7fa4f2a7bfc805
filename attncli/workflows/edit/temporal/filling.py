"""What goes into the `edits.csv` of an edit directory, and what can be said about it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32

from attncli.errors import AttncliError
from attncli.files.edit_directory import EditDirectory
from attncli.files.temporal_edits import LEVELS, TemporalEdits, write_temporal_edits
from attncli.reporting import Row


def filled(
    directory: EditDirectory,
    vectors: Mapping[str, Float32[np.ndarray, " n"]],
    *,
    overwrite: bool,
    dry_run: bool,
) -> TemporalEdits:
    """Return the edits with the vectors of some clips put in; `edits.csv` holds them by then.

    Args:
        directory: Where `edits.csv` is; a new one is made where it is missing.
        vectors: Scores in [0, 1] of every frame of a chosen clip, by id.
        overwrite: Whether clips with scores may get others.
        dry_run: Leave the file as it is.

    Raises:
        AttncliError: A clip has scores already, and may not get others.
    """
    path = directory.edits_path
    clips = directory.read_clips().values()
    scores = {clip.id: np.full(clip.frames, np.nan, dtype=np.float32) for clip in clips}
    if path.exists():
        scores |= directory.read_edits(allow_partial=True).scores
    taken = [id_ for id_ in vectors if not np.isnan(scores[id_]).all()]
    if taken and not overwrite:
        what = already_edited(taken)
        raise AttncliError(what, where=path, remedy="pass --overwrite to replace these edits")
    scores |= vectors
    if not dry_run:
        write_temporal_edits(path, scores)
    return TemporalEdits(path, scores)


def already_edited(clips: Sequence[str]) -> str:
    """Return in words that clips are edited.

    >>> already_edited(["17"]), already_edited(["17", "3"])
    ("clip '17' is edited already", "2 clips are edited already, such as '17'")
    """
    if len(clips) == 1:
        return f"clip {clips[0]!r} is edited already"
    return f"{len(clips)} clips are edited already, such as {clips[0]!r}"


def summary(edits: TemporalEdits) -> Row:
    """Return what a file of edits holds: clips, frames with a score, and which scores."""
    scores = np.concatenate([*edits.scores.values(), np.empty(0, np.float32)])
    given = scores[~np.isnan(scores)]
    zero, half, one = (
        float(100 * np.mean(given == level)) if len(given) else None for level in LEVELS
    )
    other = float(100 * np.mean(~np.isin(given, LEVELS))) if len(given) else None
    return {
        "file": str(edits.path),
        "clips": len(edits.scores),
        "edited": len(edits.ids),
        "partly_edited": len(edits.partly_edited),
        "unedited": len(edits.unedited),
        "frames": len(given),
        "mean_score": float(given.mean()) if len(given) else None,
        "zero_percent": zero,
        "half_percent": half,
        "one_percent": one,
        "other_percent": other,
    }

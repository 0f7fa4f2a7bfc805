"""Find out whether edits of spatial attention are whole and what they hold."""

from pathlib import Path

import numpy as np

from attncli.files.spatial_edits import SpatialEditDirectory, open_spatial_edits
from attncli.reporting import Outcome, Row


def check_edits(path: Path) -> Outcome:
    """Check the edits in a directory, and count them in one row.

    Raises:
        AttncliError: The first thing that is wrong, with its file and frame.
    """
    directory = open_spatial_edits(path)
    for clip in directory.read_clips().values():
        directory.read_attention(clip)
    return Outcome(rows=[summary(directory)])


def summary(directory: SpatialEditDirectory) -> Row:
    """Return what the edits hold: clips, frames, and how much of a frame is covered."""
    clips = directory.read_clips()
    ids = directory.read_edits().ids
    shares = [
        float(masks.union().mean())
        for id_ in ids
        for masks in directory.read_frames(clips[id_]).values()
    ]
    return {
        "edits": str(directory.path),
        "clips": len(clips),
        "edited": len(ids),
        "unedited": len(clips) - len(ids),
        "frames": sum(clip.frames for clip in clips.values()),
        "edited_frames": len(shares),
        "empty_frames": shares.count(0.0),
        "covered_percent": 100 * float(np.mean(shares)) if shares else None,
    }

"""Write toy datasets."""

from pathlib import Path
from typing import Literal

from attncli.data.toy.scenes import MOTIONS
from attncli.data.toy.ucf101 import SMALLEST_SIDE_PX, TEST_GROUPS, make_ucf101, toy_videos
from attncli.errors import UsageError
from attncli.files.outputs import claim
from attncli.reporting import Reporter
from attncli.workflows.outcome import Outcome, Row


def write_toy_data(
    layout: Literal["ucf101"],
    directory: Path,
    *,
    size: int,
    seed: int,
    frames: int,
    size_hw: tuple[int, int],
    dry_run: bool,
    overwrite: bool,
    reporter: Reporter,
) -> Outcome:
    """Write videos of moving bodies, with their masks, and count them.

    Args:
        layout: Dataset whose layout to write.
        directory: Where to write.
        size: Videos of each class, at least 3.
        seed: Seed of every random draw.
        frames: Frames of each video.
        size_hw: Rows and columns of each frame.
        dry_run: Only count what would be written.
        overwrite: Replace what is there.
        reporter: Told of progress and of where files went.

    Raises:
        AttncliError: The directory holds something already, or cannot be written.
        UsageError: The frames are too small to draw on.
    """
    if min(size_hw) < SMALLEST_SIDE_PX:
        raise UsageError(f"must be at least {SMALLEST_SIDE_PX} pixels each", where="--frame-hw")
    if not dry_run:
        claim(directory, overwrite=overwrite)
        make_ucf101(
            directory, size=size, seed=seed, reporter=reporter, frames=frames, size_hw=size_hw
        )
        reporter.note(f"videos, split files and masks are in {directory}")
    videos = toy_videos(size)
    val = sum(video.group in TEST_GROUPS[1] for video in videos)
    row: Row = {
        "data": str(directory),
        "layout": layout,
        "classes": len(MOTIONS),
        "train": len(videos) - val,
        "val": val,
        "frames": frames * len(videos),
    }
    return Outcome(rows=[row])

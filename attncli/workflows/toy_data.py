"""Write toy datasets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attncli.data.toy import ckplus, ssv2
from attncli.data.toy.painting import SMALLEST_SIDE_PX
from attncli.data.toy.ucf101 import count_ucf101, make_ucf101
from attncli.errors import UsageError
from attncli.files.outputs import claim
from attncli.reporting import Outcome, Reporter

Layout = Literal["ucf101", "ssv2", "ckplus"]


@dataclass(frozen=True)
class _Toy:
    """How one layout's toy dataset is made, and what it is like where nothing else is said."""

    make: Callable[..., object]
    count: Callable[..., dict[str, int]]
    frames: int
    size_hw: tuple[int, int]
    size: int = 24
    fewest_frames: int = 1
    parts: str = "videos, split files and masks"


_TOYS = {
    "ucf101": _Toy(make_ucf101, count_ucf101, frames=72, size_hw=(120, 160)),
    "ssv2": _Toy(
        ssv2.make_ssv2,
        ssv2.count_ssv2,
        frames=48,
        size_hw=(96, 112),
        fewest_frames=ssv2.FEWEST_FRAMES,
    ),
    "ckplus": _Toy(
        ckplus.make_ckplus,
        ckplus.count_ckplus,
        frames=14,
        size_hw=(144, 160),
        size=40,
        fewest_frames=ckplus.FEWEST_FRAMES,
        parts="image sequences, emotions, landmarks and masks",
    ),
}


def write_toy_data(
    layout: Layout,
    directory: Path,
    *,
    size: int | None,
    seed: int,
    frames: int | None,
    size_hw: tuple[int, int] | None,
    others: int | None = None,
    dry_run: bool,
    overwrite: bool,
    reporter: Reporter,
) -> Outcome:
    """Write videos of moving bodies or faces, with their masks, and count them.

    Args:
        layout: Dataset whose layout to write.
        directory: Where to write.
        size: Videos of each class, or people for ckplus, at least 3; the layout's default for None.
        seed: Seed of every random draw.
        frames: Frames of each video, or of a video of usual length; the layout's default for None.
        size_hw: Rows and columns of each frame; the layout's default for None.
        others: Most bodies that act beside the one that counts, for ssv2 alone; the layout's
            default for None.
        dry_run: Only count what would be written.
        overwrite: Replace what is there.
        reporter: Told of progress and of where files went.

    Raises:
        AttncliError: The directory holds something already, or cannot be written.
        UsageError: The frames are too small to draw on, or too few, or `others` does not apply.
    """
    toy = _TOYS[layout]
    size, frames, size_hw = size or toy.size, frames or toy.frames, size_hw or toy.size_hw
    if min(size_hw) < SMALLEST_SIDE_PX:
        raise UsageError(f"must be at least {SMALLEST_SIDE_PX} pixels each", where="--frame-hw")
    if frames < toy.fewest_frames:
        raise UsageError(f"must be at least {toy.fewest_frames} for {layout}", where="--frames")
    if others is not None and layout != "ssv2":
        raise UsageError("is for ssv2 alone", where="--others")
    if not dry_run:
        claim(directory, overwrite=overwrite)
        drawing = {"size": size, "seed": seed, "frames": frames, "size_hw": size_hw}
        drawing |= {} if others is None else {"others": others}
        toy.make(directory, **drawing, reporter=reporter)
        reporter.note(f"{toy.parts} are in {directory}")
    counts = toy.count(size=size, seed=seed, frames=frames)
    return Outcome(rows=[{"data": str(directory), "layout": layout, **counts}])

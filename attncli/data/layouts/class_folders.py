"""A directory a class and no lists: enough to go through all videos, not to train on them."""

from pathlib import Path

from attncli.data.layouts.video_tree import (
    Videos,
    notes_on_left_out,
    require_videos,
    videos_by_class,
    without_collections,
)
from attncli.data.samples import Split, VideoDataset, VideoSample
from attncli.errors import AttncliError

LOOKS_LIKE = "class directories with videos, files or directories of numbered frames"


def fits(root: Path) -> bool:
    """Return whether directories in `root` hold videos, not collections of single images."""
    return root.is_dir() and any(videos.by_name for videos in _classes(root).values())


def open_split(root: Path, split: Split) -> VideoDataset:
    """Return all videos; classes are the directories in the natural order of their names.

    Raises:
        AttncliError: A split is asked for, of which this layout has none, or a class is empty.
    """
    if split != "all":
        raise AttncliError(
            f"has videos by class but no lists that say which are for split {split!r}",
            where=root,
            remedy="add the lists it came with, ucfTrainTestlist/ or"
            " something-something-v2-labels.json and those beside it, or write a manifest with a"
            " split column",
        )
    classes = _classes(root)
    require_videos(root, classes)
    samples = tuple(
        VideoSample(id=f"{name}/{video}", path=path, label=label)
        for label, (name, videos) in enumerate(classes.items())
        for video, path in videos.by_name.items()
    )
    notes = notes_on_left_out([p for videos in classes.values() for p in videos.left_out])
    return VideoDataset("class-folders", root, tuple(classes), samples, notes)


def _classes(root: Path) -> dict[str, Videos]:
    return without_collections(videos_by_class(root))

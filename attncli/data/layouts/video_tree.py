"""Directories of classes that hold videos, whatever lists may lie beside them."""

from collections.abc import Mapping
from pathlib import Path

from attncli.data.frame_folders import IMAGE_SUFFIXES, natural_order
from attncli.data.video import VIDEO_SUFFIXES
from attncli.errors import AttncliError

Videos = Mapping[str, Path]
"""Videos of a class by their names without suffix."""


def videos_by_class(root: Path) -> dict[str, Videos]:
    """Return what each directory in `root` holds, both in natural order; it may be nothing.

    Video files count, and directories of images whatever their name; of two with the same name
    without suffix the file is taken. Hidden entries are left out.
    """
    directories = {d.name: d for d in root.iterdir() if not d.name.startswith(".") and d.is_dir()}
    return {name: _videos_in(directories[name]) for name in sorted(directories, key=natural_order)}


def require_videos(root: Path, classes: Mapping[str, Videos]) -> None:
    """Refuse a class without a video.

    Raises:
        AttncliError: A class in `root` is empty.
    """
    for name, videos in classes.items():
        if not videos:
            raise AttncliError(
                "class without a video",
                where=root / name,
                remedy="add its videos or remove the directory",
            )


def _videos_in(directory: Path) -> Videos:
    found: dict[str, Path] = {}
    for entry in directory.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.suffix.lower() in VIDEO_SUFFIXES:
            found[entry.stem] = entry
        elif entry.is_dir() and _holds_images(entry):
            found.setdefault(entry.name, entry)
    return {name: found[name] for name in sorted(found, key=natural_order)}


def _holds_images(directory: Path) -> bool:
    return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in directory.iterdir())

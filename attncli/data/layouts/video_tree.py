"""Directories of classes that hold videos, whatever lists may lie beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.video.frame_folders import (
    FRAME_NUMBER,
    IMAGE_SUFFIXES,
    by_series,
    image_files,
    natural_order,
)
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError

_OF_CLASSES_OF_IMAGES = frozenset(
    {"images", "train", "training", "val", "valid", "validation", "test"}
)
"""Directories with classes of single images, numbered or not: CUB-200-2011, Indoor67, ImageNet."""
_OF_IMAGES = frozenset(
    {"JPEGImages", "SegmentationClass", "SegmentationClassAug", "SegmentationObject"}
)
"""Directories of single images that PASCAL VOC and others like it have."""


@dataclass(frozen=True)
class Videos:
    """What the directory of a class holds."""

    by_name: Mapping[str, Path]
    """Videos by their names without suffix."""
    left_out: tuple[Path, ...]
    """What else is there, and is no video by its name or content."""


def videos_by_class(root: Path) -> dict[str, Videos]:
    """Return what each directory in `root` holds, both in natural order; it may be nothing.

    Video files count, and directories of images whatever their name; of a file and a directory with
    the same name without suffix the file is taken. Hidden entries are left out.

    Raises:
        AttncliError: Two files differ in their suffix alone.
    """
    directories = {d.name: d for d in root.iterdir() if not d.name.startswith(".") and d.is_dir()}
    return {name: _videos_in(directories[name]) for name in sorted(directories, key=natural_order)}


def require_videos(root: Path, classes: Mapping[str, Videos]) -> None:
    """Refuse a class without a video.

    Raises:
        AttncliError: A class in `root` is empty.
    """
    for name, videos in classes.items():
        if not videos.by_name:
            raise AttncliError(
                "class has no video",
                where=root / name,
                remedy="add its videos or remove the directory",
            )


def notes_on_left_out(left_out: Sequence[Path], kind: str = "videos") -> tuple[str, ...]:
    """Return what to say of entries that are no videos, or of another kind; nothing of none."""
    if not left_out:
        return ()
    n = len(left_out)
    entries = "entry" if n == 1 else "entries"
    return (f"{n} {entries} left out (not {kind}), such as {left_out[0]}",)


def require_one_file(earlier: Path | None, later: Path) -> None:
    """Refuse two files that differ in their suffix alone.

    Raises:
        AttncliError: There was an earlier one.
    """
    if earlier is not None:
        raise AttncliError(
            f"{earlier.name} exists too: both would have the same name",
            where=later,
            remedy="keep one of them, or rename it",
        )


def without_collections(classes: Mapping[str, Videos]) -> dict[str, Videos]:
    """Return classes without the directories of single images, which no list says are videos.

    They are left out: those in a directory that datasets of images have, such as `images`, and
    those whose names are no numbered series of frames.
    """
    return {name: _without_collections(name, videos) for name, videos in classes.items()}


def _without_collections(name: str, videos: Videos) -> Videos:
    is_of_images = name.casefold() in _OF_CLASSES_OF_IMAGES
    collections = {
        path
        for path in videos.by_name.values()
        if path.suffix.lower() not in VIDEO_SUFFIXES
        and (is_of_images or path.name in _OF_IMAGES or not _is_numbered_series(path))
    }
    kept = {video: path for video, path in videos.by_name.items() if path not in collections}
    return Videos(kept, (*videos.left_out, *sorted(collections)))


def _is_numbered_series(directory: Path) -> bool:
    """Return whether the images of a directory are frames by their names.

    Frames of several series, as optical flow beside them, are refused only when they are read.
    """
    try:
        images = image_files(directory)
    except PermissionError:
        return True  # so that reading it fails by name
    numbered = [image for image in images if FRAME_NUMBER.search(image.stem)]
    n_series = len(by_series(numbered))
    return n_series == 1 or (n_series > 1 and len(numbered) >= 2 * n_series)


def _videos_in(directory: Path) -> Videos:
    files: dict[str, Path] = {}
    folders: dict[str, Path] = {}
    left_out: list[Path] = []
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.suffix.lower() in VIDEO_SUFFIXES:
            require_one_file(files.get(entry.stem), entry)
            files[entry.stem] = entry
        elif entry.is_dir() and _holds_images(entry):
            folders[entry.name] = entry
        else:
            left_out.append(entry)
    found = {**folders, **files}
    ordered = {name: found[name] for name in sorted(found, key=natural_order)}
    return Videos(ordered, tuple(left_out))


def _holds_images(directory: Path) -> bool:
    try:
        return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in directory.iterdir())
    except PermissionError:
        return True  # so that reading it fails by name

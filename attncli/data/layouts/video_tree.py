"""Directories of classes that hold videos, whatever lists may lie beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.video.frame_folders import IMAGE_SUFFIXES, natural_order
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError


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
                "class without a video",
                where=root / name,
                remedy="add its videos or remove the directory",
            )


def notes_on_left_out(left_out: Sequence[Path]) -> tuple[str, ...]:
    """Return what to say of entries that are no videos; nothing where there are none."""
    if not left_out:
        return ()
    n = len(left_out)
    return (f"{n} {'entry' if n == 1 else 'entries'} left out as no videos, such as {left_out[0]}",)


def require_one_file(earlier: Path | None, later: Path) -> None:
    """Refuse two video files that differ in their suffix alone.

    Raises:
        AttncliError: There was an earlier one.
    """
    if earlier is not None:
        raise AttncliError(
            f"{earlier.name} is there too: both would have the same name",
            where=later,
            remedy="keep one of them, or rename it",
        )


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

"""Manifests: files that list any videos.

CSV with a header, or JSON lines: `path` and, where known, `id`, `label` (name or number from 0),
`split` and `subject` (who is to be seen); further keys are left for others. Text files hold
`path label` a line. Relative paths start at the manifest. In place of a `split` key, a directory
may hold a list a split: `train` and `val`, with the suffix `.csv`, `.jsonl` or `.txt`.

A path is a video file, whatever its suffix, or a directory of frames. An image file is refused: it
would be decoded as a video of one frame.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.layouts.listed_rows import LOOKS_LIKE, Row, class_names, find_lists, read_rows
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset, VideoSample
from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError

__all__ = ["LOOKS_LIKE", "fits", "open_split"]


@dataclass(frozen=True)
class _Video:
    row: Row
    """What manifests of images have as well."""
    label: str | None
    """Class by name or number; None where it is not known."""


def fits(root: Path) -> bool:
    """Return whether `root` is a list, or a directory with lists of the expected names."""
    return bool(find_lists(root))


def open_split(root: Path, split: Split) -> VideoDataset:
    """Return the videos of a split in the order of the manifest.

    Labels that are all numbers are taken as they are; names are numbered in alphabetical order,
    over all splits.

    Raises:
        AttncliError: A list is missing or malformed, names an image or a video twice, or has no
            such split.
    """
    files = find_lists(root)
    if not files:
        raise AttncliError(f"not a manifest, looked for {LOOKS_LIKE}", where=root)
    videos = [video for file in files for video in _read(file)]
    chosen = [video for video in videos if split in ("all", video.row.split)]
    if not chosen:
        raise AttncliError(
            f"lists no video of split {split!r}",
            where=root,
            remedy=f"add a list {split}.csv, or give each video its split under the key `split`",
        )
    classes = class_names(video.label for video in videos if video.label is not None)
    samples = _samples(chosen, files[0].parent, classes, split)
    return VideoDataset("manifest", root, classes, samples)


def _read(file: Path) -> Iterator[_Video]:
    for row in read_rows(file):
        label = row.text("label")
        _require_no_image(row, file.parent)
        yield _Video(row, label)


def _require_no_image(row: Row, folder: Path) -> None:
    """Refuse what is an image by its name; a directory of frames may be called like one."""
    is_called_so = Path(row.path).suffix.lower() in IMAGE_SUFFIXES
    # Unlike a Path, this answers where a name is too long or a directory is closed.
    if is_called_so and not os.path.isdir(folder / row.path):  # noqa: PTH112
        raise AttncliError(
            f"`path` {row.path!r} is an image by its name, not a video",
            where=row.place,
            remedy="list videos or directories of frames, or use a method for images",
        )


def _samples(
    videos: Sequence[_Video], folder: Path, classes: tuple[str, ...], split: Split
) -> tuple[VideoSample, ...]:
    labels = {name: label for label, name in enumerate(classes)}
    samples: dict[str, VideoSample] = {}
    for video in videos:
        row = video.row
        id_ = row.id_below(folder, VIDEO_SUFFIXES)
        if id_ in samples and split != "all":
            raise AttncliError(f"video {id_!r} is listed twice", where=row.place)
        label = UNKNOWN_LABEL if video.label is None else labels[video.label]
        sample = VideoSample(id_, folder / row.path, label, row.subject)
        if samples.setdefault(id_, sample) != sample:
            what = f"video {id_!r} is listed twice, with another path, label or subject"
            raise AttncliError(what, where=row.place)
    return tuple(samples.values())

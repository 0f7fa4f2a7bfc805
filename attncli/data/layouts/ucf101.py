"""UCF101 as it is distributed: a directory of videos a class, and lists of three divisions.

`classInd.txt` numbers the classes from 1, so that labels stay the same where only some class
directories are there. `trainlistNN.txt` gives path and class number, `testlistNN.txt` the path
alone; the test list is the validation split. A video's class is its directory's name and never read
off the file: `HandstandPushups/v_HandStandPushups_g01_c01.avi`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from attncli.data.layouts.video_tree import (
    Videos,
    notes_on_left_out,
    require_videos,
    videos_by_class,
)
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset, VideoSample
from attncli.errors import AttncliError, UsageError
from attncli.files.text import lines_of, read_text, words_of

LOOKS_LIKE = "UCF-101/ or videos/ with ucfTrainTestlist/classInd.txt or annotations/classInd.txt"

REMEDY = "correct it or take UCF101's own"

_VIDEO_DIRECTORIES = ("UCF-101", "UCF101", "videos", ".")
_LIST_DIRECTORIES = (
    "ucfTrainTestlist",
    "annotations",
    ".",
    "../ucfTrainTestlist",
    "../annotations",
)
_LIST_PREFIX = {"train": "trainlist", "val": "testlist"}
NAMED_CLASSES = 5
"""Classes without a directory that are named."""


@dataclass(frozen=True)
class _Line:
    file: Path
    number: int
    words: list[str]

    def error(self, what: str) -> AttncliError:
        return AttncliError(what, where=f"{self.file}, line {self.number}", remedy=REMEDY)


def fits(root: Path) -> bool:
    """Return whether `classInd.txt` is in one of the places where UCF101 may keep it."""
    return root.is_dir() and any(_has_lists(root / name) for name in _LIST_DIRECTORIES)


def open_split(root: Path, split: Split, split_number: int) -> VideoDataset:
    """Return the videos of a split in the order of its list, or all there are by class.

    Listed videos of a class that has no directory at all are left out: the dataset is then a subset
    of UCF101, and `notes` says so.

    Raises:
        UsageError: There is no list of that number.
        AttncliError: A list is missing or malformed, or a class directory is empty.
    """
    videos = next(root / d for d in _VIDEO_DIRECTORIES if d == "." or (root / d).is_dir())
    lists = next((root / d for d in _LIST_DIRECTORIES if _has_lists(root / d)), None)
    if lists is None:
        raise AttncliError(f"not in UCF101's layout, looked for {LOOKS_LIKE}", where=root)
    labels = _read_classes(lists / "classInd.txt")
    present = {
        name: found
        for name, found in videos_by_class(videos).items()
        if name in labels or (found.by_name and split == "all")
    }
    require_videos(videos, present)
    if split == "all":
        samples = tuple(
            VideoSample(f"{name}/{video}", path, labels.get(name, UNKNOWN_LABEL))
            for name, found in present.items()
            for video, path in found.by_name.items()
        )
    else:
        listed = _list_file(lists, split, split_number)
        samples = tuple(_read_list(listed, videos, labels, present))
    left_out = [path for found in present.values() for path in found.left_out]
    notes = (*_notes(videos, labels, present), *notes_on_left_out(left_out))
    return VideoDataset("ucf101", root, tuple(labels), samples, notes)


def _has_lists(directory: Path) -> bool:
    return (directory / "classInd.txt").is_file()


def _read_classes(file: Path) -> dict[str, int]:
    labels: dict[str, int] = {}
    for line in _lines(file):
        if len(line.words) != 2 or line.words[0] != str(len(labels) + 1) or line.words[1] in labels:
            raise line.error(f"expected `{len(labels) + 1} ClassName`")
        labels[line.words[1]] = len(labels)
    if not labels:
        raise AttncliError("names no classes", where=file, remedy=REMEDY)
    return labels


def _list_file(lists: Path, split: Split, number: int) -> Path:
    prefix = _LIST_PREFIX[split]
    file = lists / f"{prefix}{number:02d}.txt"
    if file.exists():
        return file
    names = (re.fullmatch(rf"{prefix}(\d+)\.txt", entry.name) for entry in lists.iterdir())
    there = ", ".join(str(n) for n in sorted(int(name[1]) for name in names if name))
    if not there:
        raise AttncliError(
            f"has no list of split {split!r}",
            where=lists,
            remedy=f"add {file.name} of UCF101's split files",
        )
    raise UsageError(
        f"no such list: {file.name} in {lists}", where="--split-number", remedy=f"there is {there}"
    )


def _read_list(
    file: Path, videos: Path, labels: Mapping[str, int], present: Mapping[str, Videos]
) -> Iterator[VideoSample]:
    listed: set[PurePosixPath] = set()
    for line in _lines(file):
        path = PurePosixPath(line.words[0].replace("\\", "/"))
        name = path.parent.name
        if len(path.parts) != 2 or len(line.words) > 2:
            raise line.error(
                "expected `ClassName/video.avi`, with or without the class number after it"
            )
        if name not in labels:
            raise line.error(f"class {name!r} is not in classInd.txt")
        if len(line.words) == 2 and line.words[1] != str(labels[name] + 1):
            raise line.error(f"class number {line.words[1]!r} is not that of {name!r}")
        if path in listed:
            raise line.error(f"video {str(path)!r} is listed twice")
        listed.add(path)
        if name in present:
            there = present[name].by_name.get(path.stem, videos / path)
            yield VideoSample(f"{name}/{path.stem}", there, labels[name])


def _lines(file: Path) -> Iterator[_Line]:
    for number, line in enumerate(lines_of(read_text(file, remedy=REMEDY)), start=1):
        if words := words_of(line):
            yield _Line(file, number, words)


def _notes(
    videos: Path, labels: Mapping[str, int], present: Mapping[str, Videos]
) -> tuple[str, ...]:
    absent = [name for name in labels if name not in present]
    if not absent:
        return ()
    first, more = absent[:NAMED_CLASSES], len(absent) - NAMED_CLASSES
    named = f"{', '.join(first)}{f' and {more} more' if more > 0 else ''}"
    return (
        f"{videos}: no directory for {len(absent)} of {len(labels)} classes ({named}); networks"
        " have an output for them all the same, --classes leaves them out",
    )

"""Something-Something v2 as it is distributed: WebM files and JSON lists.

`something-something-v2-labels.json` (`labels/labels.json` in later downloads) numbers the classes;
`-train.json` and `-validation.json` (`labels/train.json`, `labels/validation.json`) give each
video's id and template, whose brackets left out name its class. The videos of `-test.json` have no
labels and are in neither split. In place of a WebM file there may be a directory with an image a
frame, and in place of the JSON lists those that TSM and mmaction make of them: `id [frames] label`.

Whoever has a part of the videos works with that part: listed videos that are not there are left
out, and `notes` says how many.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attncli.data.frame_folders import natural_order
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset, VideoSample
from attncli.data.video import VIDEO_SUFFIXES
from attncli.errors import AttncliError

LOOKS_LIKE = (
    "something-something-v2-labels.json or labels/labels.json with the lists of train and"
    " validation beside it"
)

REMEDY = "correct it or take Something-Something v2's own"

_VIDEO_DIRECTORIES = (
    "20bn-something-something-v2",
    "videos",
    "20bn-something-something-v2-frames",
    "frames",
    "rawframes",
    ".",
)
_LIST_DIRECTORIES = (
    ".",
    "labels",
    "annotations",
    "20bn-something-something-download-package-labels/labels",
    "..",
    "../labels",
    "../annotations",
)
_CLASSES = ("something-something-v2-labels.json", "labels.json", "category.txt", "label_map.txt")
_LISTS = {
    "train": (
        "something-something-v2-train.json",
        "train.json",
        "train_videofolder.txt",
        "sthv2_train_list_videos.txt",
        "sthv2_train_list_rawframes.txt",
    ),
    "val": (
        "something-something-v2-validation.json",
        "validation.json",
        "val_videofolder.txt",
        "sthv2_val_list_videos.txt",
        "sthv2_val_list_rawframes.txt",
    ),
}


@dataclass(frozen=True)
class _Videos:
    directory: Path
    names: Mapping[str, str]
    """File or directory of images of each video, by its id."""

    def samples(self, labels: Iterable[tuple[str, int]]) -> tuple[VideoSample, ...]:
        return tuple(
            VideoSample(id_, self.directory / self.names[id_], label)
            for id_, label in labels
            if id_ in self.names
        )


def fits(root: Path) -> bool:
    """Return whether there are class names and a list of videos, by the names they may have."""
    return root.is_dir() and bool(_find(root, _CLASSES) and any(_list_files(root)))


def open_split(root: Path, split: Split) -> VideoDataset:
    """Return the videos of a split in the order of its list, or all there are in that of their ids.

    Raises:
        AttncliError: A list is missing or malformed, or none of its videos is there.
    """
    classes_file = _find(root, _CLASSES)
    if classes_file is None:
        raise AttncliError(
            f"not in Something-Something v2's layout, looked for {LOOKS_LIKE}", where=root
        )
    classes = _read_classes(classes_file)
    videos = _find_videos(root)
    if split == "all":
        listed = {id_: n for file in _list_files(root) for id_, n in _read_list(file, classes)}
        ids = sorted(videos.names, key=natural_order)
        samples = videos.samples((id_, listed.get(id_, UNKNOWN_LABEL)) for id_ in ids)
        return VideoDataset("ssv2", root, tuple(classes), samples)
    file = _find(root, _LISTS[split])
    if file is None:
        raise AttncliError(
            f"has no list of split {split!r}", where=root, remedy=f"add {_LISTS[split][0]}"
        )
    listed = dict(_read_list(file, classes))
    samples = videos.samples(listed.items())
    return VideoDataset("ssv2", root, tuple(classes), samples, _notes(file, listed, videos))


def _find(root: Path, names: Iterable[str]) -> Path | None:
    places = (root / directory / name for name in names for directory in _LIST_DIRECTORIES)
    return next((place for place in places if place.is_file()), None)


def _list_files(root: Path) -> Iterator[Path]:
    return (file for names in _LISTS.values() if (file := _find(root, names)))


def _find_videos(root: Path) -> _Videos:
    for name in _VIDEO_DIRECTORIES:
        directory = root / name
        if directory.is_dir() and (names := _videos_in(directory)):
            return _Videos(directory, names)
    raise AttncliError(
        "holds no videos",
        where=root,
        remedy=f"put WebM files, or a directory of images a video, into {_VIDEO_DIRECTORIES[0]}/",
    )


def _videos_in(directory: Path) -> dict[str, str]:
    """List the directory, which may hold 220,847 entries, without a look at each."""
    names: dict[str, str] = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - a Path is much slower
            if suffix.lower() in VIDEO_SUFFIXES and not stem.startswith("."):
                names[stem] = entry.name
            elif entry.name.isdecimal() and entry.is_dir():
                names.setdefault(entry.name, entry.name)
    return names


def _read_classes(file: Path) -> dict[str, int]:
    """Return the label of each class name in the order of labels."""
    if file.suffix == ".json":
        numbers = _read_json(file)
        if not isinstance(numbers, dict):
            raise AttncliError("expected a JSON object", where=file, remedy=REMEDY)
        by_number = {str(number): _class_name(name) for name, number in numbers.items()}
    else:
        names = [name for line in _read_text(file).splitlines() if (name := line.strip())]
        numbers = by_number = {str(number): name for number, name in enumerate(names)}
    labels = {by_number.get(str(label), ""): label for label in range(len(numbers))}
    if "" in labels or len(labels) < len(numbers) or not labels:
        raise AttncliError(
            f"does not number {len(numbers)} different classes from 0 on", where=file, remedy=REMEDY
        )
    return labels


def _read_list(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield id and label of each video."""
    seen: set[str] = set()
    read = _json_entries if file.suffix == ".json" else _text_entries
    for place, id_, label in read(file, classes):
        where = f"{file}, {place}"
        if "/" in id_ or "\\" in id_ or id_ in ("", ".", ".."):
            raise AttncliError(f"id {id_!r} is no file name", where=where, remedy=REMEDY)
        if id_ in seen:
            raise AttncliError(f"video {id_!r} is listed twice", where=where, remedy=REMEDY)
        seen.add(id_)
        yield id_, label


def _json_entries(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    entries = _read_json(file)
    if not isinstance(entries, list):
        raise AttncliError("expected a JSON list", where=file, remedy=REMEDY)
    for number, entry in enumerate(entries, start=1):
        place = f"entry {number}"
        match entry:
            case {"id": str() | int() as id_, "template": str() as template}:
                name = _class_name(template)
            case _:
                raise AttncliError(
                    "expected an object with `id` and `template`",
                    where=f"{file}, {place}",
                    remedy=REMEDY,
                )
        if name not in classes:
            raise AttncliError(
                f"template {template!r} of video {id_} is no class of the labels file",
                where=f"{file}, {place}",
                remedy=REMEDY,
            )
        yield place, str(id_), classes[name]


def _text_entries(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    for number, line in enumerate(_read_text(file).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        place = f"line {number}"
        if len(words) not in (2, 3) or not words[-1].isdecimal():
            raise AttncliError(
                "expected `id [frames] label`", where=f"{file}, {place}", remedy=REMEDY
            )
        if int(words[-1]) >= len(classes):
            raise AttncliError(
                f"label {words[-1]} of video {words[0]} is none of {len(classes)} classes",
                where=f"{file}, {place}",
                remedy=REMEDY,
            )
        stem, suffix = os.path.splitext(words[0])  # noqa: PTH122 - a Path is much slower
        yield place, stem if suffix.lower() in VIDEO_SUFFIXES else words[0], int(words[-1])


def _class_name(template: str) -> str:
    return template.replace("[", "").replace("]", "")


def _read_json(file: Path) -> Any:
    try:
        return json.loads(_read_text(file))
    except json.JSONDecodeError as error:
        raise AttncliError(
            f"no JSON ({error.msg})", where=f"{file}, line {error.lineno}", remedy=REMEDY
        ) from error
    except (ValueError, RecursionError) as error:  # a number too long, or lists in lists in lists
        raise AttncliError(f"cannot be read ({error})", where=file, remedy=REMEDY) from error


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # Windows editors put a mark before it
    except (OSError, UnicodeDecodeError) as error:
        raise AttncliError(f"cannot be read ({error})", where=file, remedy=REMEDY) from error


def _notes(file: Path, listed: Mapping[str, int], videos: _Videos) -> tuple[str, ...]:
    """Say how many listed videos are not there.

    Raises:
        AttncliError: None is, or none is listed.
    """
    if not listed:
        raise AttncliError("lists no video", where=file, remedy=REMEDY)
    absent = [id_ for id_ in listed if id_ not in videos.names]
    if len(absent) == len(listed):
        raise AttncliError(
            f"none of the {len(listed)} videos of {file.name} is there",
            where=videos.directory,
            remedy="check --data",
        )
    if not absent:
        return ()
    return (
        f"{videos.directory}: {len(absent)} of the {len(listed)} videos of {file.name} are not"
        f" there, such as {absent[0]}, and left out",
    )

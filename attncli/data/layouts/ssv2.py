"""Something-Something v2 as it is distributed: WebM files and JSON lists.

`something-something-v2-labels.json` (`labels/labels.json` in later downloads) numbers the classes;
`-train.json` and `-validation.json` (`labels/train.json`, `labels/validation.json`) give each
video's id and template, whose brackets left out name its class. The videos of `-test.json` have no
labels and are in neither split. In place of a WebM file there may be a directory with an image a
frame, and in place of the JSON lists those that TSM and mmaction make of them: `id [frames] label`.

Whoever has a part of the videos works with that part: listed videos that are not there are left
out, and `notes` says how many.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.layouts.video_tree import notes_on_left_out, require_one_file
from attncli.data.samples import UNKNOWN_LABEL, Split, VideoDataset, VideoSample
from attncli.data.video.frame_folders import natural_order
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError
from attncli.files.text import lines_of, parse_json, read_text, words_of

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
_LIST_SUFFIXES = (".json", ".txt", ".csv")
_NUMBER = re.compile("[0-9]{1,9}")
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
class _Listed:
    """What a list says of a video."""

    label: int = UNKNOWN_LABEL
    frames: int | None = None


@dataclass(frozen=True)
class _Videos:
    directory: Path
    names: Mapping[str, str]
    """File or directory of images of each video, by its id."""
    left_out: Sequence[str] = ()
    """Files that are no videos by their names."""

    def samples(self, listed: Mapping[str, _Listed]) -> tuple[VideoSample, ...]:
        return tuple(
            VideoSample(id_, self.directory / name, it.label, listed_frames=frames)
            for id_, it in listed.items()
            if (name := self.names.get(id_)) is not None
            # Of files the list may be older: what they hold is counted anyway.
            for frames in [it.frames if name == id_ else None]
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which files were left out."""
        left_out = [self.directory / name for name in self.left_out]
        return notes_on_left_out(left_out)


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
        listed = {id_: it for file in _list_files(root) for id_, it in _read_list(file, classes)}
        ids = sorted(videos.names, key=natural_order)
        samples = videos.samples({id_: listed.get(id_, _Listed()) for id_ in ids})
        return VideoDataset("ssv2", root, tuple(classes), samples, videos.notes)
    file = _find(root, _LISTS[split])
    if file is None:
        raise AttncliError(
            f"has no list of split {split!r}", where=root, remedy=f"add {_LISTS[split][0]}"
        )
    listed = dict(_read_list(file, classes))
    notes = (*_notes(file, listed, videos), *videos.notes)
    return VideoDataset("ssv2", root, tuple(classes), videos.samples(listed), notes)


def _find(root: Path, names: Iterable[str]) -> Path | None:
    places = (root / directory / name for name in names for directory in _LIST_DIRECTORIES)
    return next((place for place in places if place.is_file()), None)


def _list_files(root: Path) -> Iterator[Path]:
    return (file for names in _LISTS.values() if (file := _find(root, names)))


def _find_videos(root: Path) -> _Videos:
    for name in _VIDEO_DIRECTORIES:
        directory = root / name
        if directory.is_dir() and (videos := _videos_in(directory)).names:
            return videos
    raise AttncliError(
        "holds no videos",
        where=root,
        remedy=f"put WebM files, or a directory of images a video, into {_VIDEO_DIRECTORIES[0]}/",
    )


def _videos_in(directory: Path) -> _Videos:
    """List the directory, which may hold 220,847 entries, without a look at each.

    Raises:
        AttncliError: Two files differ in their suffix alone.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    left_out: list[str] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - a Path is much slower
            if stem.startswith("."):
                continue
            if suffix.lower() in VIDEO_SUFFIXES:
                earlier = files.setdefault(stem, entry.name)
                require_one_file(
                    None if earlier == entry.name else directory / earlier, directory / entry.name
                )
            elif entry.is_dir():
                if entry.name.isdecimal():
                    folders[entry.name] = entry.name
            elif suffix not in _LIST_SUFFIXES:
                left_out.append(entry.name)
    return _Videos(directory, {**folders, **files}, sorted(left_out))


def _read_classes(file: Path) -> dict[str, int]:
    """Return the label of each class name in the order of labels."""
    if file.suffix == ".json":
        numbers = parse_json(read_text(file, remedy=REMEDY), where=file, remedy=REMEDY)
        if not isinstance(numbers, dict):
            raise AttncliError("expected a JSON object", where=file, remedy=REMEDY)
        by_number = {str(number): _class_name(name) for name, number in numbers.items()}
    else:
        text = read_text(file, remedy=REMEDY)
        names = [name for line in lines_of(text) if (name := line.strip(" \t"))]
        numbers = by_number = {str(number): name for number, name in enumerate(names)}
    labels = {by_number.get(str(label), ""): label for label in range(len(numbers))}
    if "" in labels or len(labels) < len(numbers) or not labels:
        raise AttncliError(
            f"does not number its {len(numbers)} classes from 0, each name once",
            where=file,
            remedy=REMEDY,
        )
    return labels


def _read_list(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, _Listed]]:
    """Yield id of each video, and what is said of it."""
    seen: set[str] = set()
    read = _json_entries if file.suffix == ".json" else _text_entries
    for place, id_, listed in read(file, classes):
        where = f"{file}, {place}"
        if "/" in id_ or "\\" in id_ or id_ in ("", ".", ".."):
            raise AttncliError(f"id {id_!r} cannot be a file name", where=where, remedy=REMEDY)
        if id_ in seen:
            raise AttncliError(f"video {id_!r} is listed twice", where=where, remedy=REMEDY)
        seen.add(id_)
        yield id_, listed


def _json_entries(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, str, _Listed]]:
    entries = parse_json(read_text(file, remedy=REMEDY), where=file, remedy=REMEDY)
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
                f"template {template!r} of video {id_} is not in the labels file",
                where=f"{file}, {place}",
                remedy=REMEDY,
            )
        yield place, str(id_), _Listed(classes[name])


def _text_entries(file: Path, classes: Mapping[str, int]) -> Iterator[tuple[str, str, _Listed]]:
    for number, line in enumerate(lines_of(read_text(file, remedy=REMEDY)), start=1):
        words = words_of(line)
        if not words:
            continue
        place = f"line {number}"
        if len(words) not in (2, 3) or not all(_NUMBER.fullmatch(word) for word in words[1:]):
            raise AttncliError(
                "expected `id [frames] label`", where=f"{file}, {place}", remedy=REMEDY
            )
        if int(words[-1]) >= len(classes):
            raise AttncliError(
                f"label {words[-1]} of video {words[0]} is not one of the {len(classes)} classes",
                where=f"{file}, {place}",
                remedy=REMEDY,
            )
        stem, suffix = os.path.splitext(words[0])  # noqa: PTH122 - a Path is much slower
        frames = int(words[1]) if len(words) == 3 else None
        id_ = stem if suffix.lower() in VIDEO_SUFFIXES else words[0]
        yield place, id_, _Listed(int(words[-1]), frames)


def _class_name(template: str) -> str:
    return template.replace("[", "").replace("]", "")


def _notes(file: Path, listed: Mapping[str, _Listed], videos: _Videos) -> tuple[str, ...]:
    """Say how many listed videos are not there.

    Raises:
        AttncliError: None is, or none is listed.
    """
    if not listed:
        raise AttncliError("lists no video", where=file, remedy=REMEDY)
    absent = [id_ for id_ in listed if id_ not in videos.names]
    if len(absent) == len(listed):
        raise AttncliError(
            f"none of the {len(listed)} videos of {file.name} exists",
            where=videos.directory,
            remedy="check --data",
        )
    if not absent:
        return ()
    return (
        f"{videos.directory}: {len(absent)} of the {len(listed)} videos of {file.name} do not"
        f" exist, such as {absent[0]}, and are left out",
    )

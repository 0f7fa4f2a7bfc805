"""Market-1501 as it is distributed: people seen by six cameras, a file name a box.

`bounding_box_train/` holds the images to learn from, `query/` the queries and `bounding_box_test/`
the gallery, which are the validation split. Names are `0002_c1s1_000451_03.jpg`: person, camera,
sequence, frame and box. In the gallery, person -1 is junk, such as half a person, and left out;
0000 is nobody of the queries, and stays as a wrong answer. `gt_bbox/`, where it is there, holds all
boxes of the people who are looked for that were drawn by hand: those of a person and camera make
one query together. The archive has all that in `Market-1501-v15.09.15/`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attncli.data.layouts.video_tree import notes_on_left_out
from attncli.data.samples import MULTI_QUERY, ImageDataset, ImageSample, Role, Split
from attncli.data.video.frame_folders import IMAGE_SUFFIXES, natural_order
from attncli.errors import AttncliError

LOOKS_LIKE = "bounding_box_train/, bounding_box_test/ and query/ of Market-1501"

_HOMES = (".", "Market-1501-v15.09.15")
_TRAIN, _GALLERY, _QUERY, _BY_HAND = "bounding_box_train", "bounding_box_test", "query", "gt_bbox"
_NAME = re.compile(r"(?P<person>-1|[0-9]+)_c(?P<camera>[0-9]+)s[0-9]+_[0-9]+_[0-9]+")
_JUNK = "-1"
_REMEDY = "get the dataset again, or list the images in a manifest"


@dataclass(frozen=True)
class _Box:
    path: Path
    """Where the image lies."""
    person: str
    """Who it shows, as the name says; `-1` is junk."""
    camera: str
    """Number of the camera that took it."""

    @property
    def id(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def is_nobody(self) -> bool:
        return int(self.person) <= 0

    @property
    def subject(self) -> str | None:
        return None if self.is_nobody else self.person


@dataclass(frozen=True)
class _Folder:
    boxes: tuple[_Box, ...]
    """Its images in the natural order of their names."""
    left_out: tuple[Path, ...]
    """What else is there."""


def fits(root: Path) -> bool:
    """Return whether there are the directories of training and gallery."""
    return _home(root) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images to learn from, or queries and then gallery; of all, those of train first.

    Classes are the people of the training images. Queries and gallery have no class, but a
    `subject` (None for 0000) and a `role`.

    Args:
        root: The dataset, or the directory it was unpacked into.
        split: `train`, `val` or `all`.

    Raises:
        AttncliError: A name does not parse, a directory is not there or empty, or a query shows
            nobody.
    """
    home = _require_home(root)
    train = _read(home / _TRAIN)
    _require_people(train, "training image")
    classes = tuple(sorted({box.person for box in train.boxes}, key=lambda person: int(person)))
    samples: list[ImageSample] = []
    notes: tuple[str, ...] = ()
    if split in ("all", "train"):
        samples += _training_samples(train, classes)
        notes += notes_on_left_out(train.left_out, "images")
    if split in ("all", "val"):
        queries, gallery = _queries(home), _read(home / _GALLERY)
        samples += _samples(queries, "query")
        samples += _samples(gallery, "gallery")
        notes += _notes(queries, gallery)
    return ImageDataset("market1501", root, classes, tuple(samples), "file names", notes)


def multi_queries(root: Path) -> tuple[ImageSample, ...]:
    """Return the images in `gt_bbox/` of every person and camera that is in `query/`.

    Their `role` says that those of one person and camera are one query.

    Raises:
        AttncliError: The directory is not there, a name does not parse, or a query has no image.
    """
    home = _require_home(root)
    if not (home / _BY_HAND).is_dir():
        what = "no such directory: several images per query are those drawn by hand"
        raise AttncliError(what, where=home / _BY_HAND, remedy="leave out --multi-query")
    asked = {(box.person, box.camera) for box in _queries(home).boxes}
    by_hand = _read(home / _BY_HAND)
    boxes = tuple(box for box in by_hand.boxes if (box.person, box.camera) in asked)
    if missing := asked - {(box.person, box.camera) for box in boxes}:
        person, camera = min(missing)
        what = f"has no image of person {person} from camera {camera}, who is in {_QUERY}/"
        raise AttncliError(what, where=home / _BY_HAND, remedy="leave out --multi-query")
    return tuple(_samples(_Folder(boxes, by_hand.left_out), MULTI_QUERY))


def _home(root: Path) -> Path | None:
    homes = (root / name for name in _HOMES)
    return next((h for h in homes if (h / _TRAIN).is_dir() and (h / _GALLERY).is_dir()), None)


def _require_home(root: Path) -> Path:
    home = _home(root)
    if home is None:
        raise AttncliError(f"not in Market-1501's layout, looked for {LOOKS_LIKE}", where=root)
    return home


def _queries(home: Path) -> _Folder:
    queries = _read(home / _QUERY)
    _require_people(queries, "query")
    return queries


def _read(folder: Path) -> _Folder:
    """Return the images in a directory.

    Raises:
        AttncliError: It is not there, holds no image, or one whose name does not parse.
    """
    if not folder.is_dir():
        raise AttncliError("no such directory", where=folder, remedy=_REMEDY)
    boxes, left_out = [], []
    for file in _files(folder):
        if file.suffix.lower() in IMAGE_SUFFIXES:
            boxes.append(_parse(file))
        else:
            left_out.append(file)
    if not boxes:
        raise AttncliError("holds no image", where=folder, remedy=_REMEDY)
    return _Folder(tuple(boxes), tuple(left_out))


def _files(folder: Path) -> Iterator[Path]:
    files = (file for file in folder.iterdir() if not file.name.startswith("."))
    return iter(sorted(files, key=lambda file: natural_order(file.name)))


def _parse(file: Path) -> _Box:
    found = _NAME.fullmatch(file.stem)
    if found is None:
        what = "name is not PERSON_cCAMERAsSEQUENCE_FRAME_BOX, such as 0002_c1s1_000451_03"
        raise AttncliError(what, where=file, remedy=_REMEDY)
    return _Box(file, found["person"], str(int(found["camera"])))


def _require_people(folder: _Folder, kind: str) -> None:
    for box in folder.boxes:
        if box.is_nobody:
            raise AttncliError(f"{kind} shows nobody, by its name", where=box.path, remedy=_REMEDY)


def _training_samples(train: _Folder, classes: tuple[str, ...]) -> list[ImageSample]:
    labels = {person: frozenset({label}) for label, person in enumerate(classes)}
    return [
        ImageSample(
            box.id, box.path, labels[box.person], subject=box.subject, camera=box.camera, role=None
        )
        for box in train.boxes
    ]


def _samples(folder: _Folder, role: Role) -> list[ImageSample]:
    return [
        ImageSample(box.id, box.path, None, subject=box.subject, camera=box.camera, role=role)
        for box in folder.boxes
        if box.person != _JUNK
    ]


def _notes(queries: _Folder, gallery: _Folder) -> tuple[str, ...]:
    n_junk = sum(box.person == _JUNK for box in gallery.boxes)
    junk = (f"{n_junk} images of the gallery left out as junk, by their names",) if n_junk else ()
    return (*junk, *notes_on_left_out([*queries.left_out, *gallery.left_out], "images"))

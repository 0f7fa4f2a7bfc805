"""MSMT17 as it is distributed: people seen by fifteen cameras, listed in text files.

`list_train.txt` lists the images to learn from, below `train/`; `list_query.txt` the queries and
`list_gallery.txt` the gallery, below `test/`, which are the validation split. The second version,
whose faces are blurred, has `mask_train_v2/` and `mask_test_v2/` instead. A line names an image and
the number of its person: `0000/0000_000_01_0303morning_0008_0.jpg 0`. Fields of a file name are
person, image, camera, date with time of day, and two numbers more. People of `test/` are others
than those of `train/`, though numbers are the same. Images of `list_val.txt` show people of
`list_train.txt`: most published results learn without them, and they are left out here. The archive
has all that in `MSMT17_V1/` or `MSMT17_V2/`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from attncli.data.layouts.image_lists import REMEDY, Line, image_below, read_lines
from attncli.data.samples import ImageDataset, ImageSample, Role, Split
from attncli.errors import AttncliError

LOOKS_LIKE = "list_query.txt and list_gallery.txt of MSMT17"

_HOMES = (".", "MSMT17", "MSMT17_V1", "MSMT17_V2")
_TRAIN, _QUERY, _GALLERY = "list_train.txt", "list_query.txt", "list_gallery.txt"
_UNUSED = "list_val.txt"
_FOLDERS = (("train", "test"), ("mask_train_v2", "mask_test_v2"))
"""Directories of the images to learn from and of others, by version."""
_NAME = re.compile(r"(?P<person>[0-9]+)_[0-9]+_(?P<camera>[0-9]+)_.+")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class _Set:
    home: Path
    """Where its lists are."""
    train: Path
    """Directory of the images to learn from."""
    test: Path
    """Directory of queries and gallery."""


@dataclass(frozen=True)
class _Image:
    line: Line
    """What lists it."""
    path: Path
    """Where it lies."""
    number: int
    """Its person, as the list says."""
    camera: str
    """Number of the camera that took it."""

    @property
    def id(self) -> str:
        return f"{self.path.parent.parent.name}/{self.path.parent.name}/{self.path.stem}"

    @property
    def person(self) -> str:
        """Who it shows, of all people in the set."""
        return f"{self.path.parent.parent.name}-{self.path.parent.name}"


def fits(root: Path) -> bool:
    """Return whether there are the lists of queries and gallery."""
    return _home(root) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images to learn from, or queries and then gallery; of all, those of train first.

    Classes are the people of the training images, such as `train-0000`. Queries and gallery have no
    class, but a `subject`, such as `test-0000`, and a `role`.

    Args:
        root: The dataset, or the directory it was unpacked into.
        split: `train`, `val` or `all`.

    Raises:
        AttncliError: A list or directory is not there, or a line does not parse, names an image
            twice or a person by two numbers.
    """
    home = _home(root)
    if home is None:
        raise AttncliError(f"not in MSMT17's layout, looked for {LOOKS_LIKE}", where=root)
    whole = _opened(home)
    train = _read(home / _TRAIN, whole.train)
    _require_consistent(train)
    classes = tuple(dict.fromkeys(image.person for image in sorted(train, key=lambda i: i.number)))
    samples: list[ImageSample] = []
    notes: tuple[str, ...] = ()
    if split in ("all", "train"):
        samples += _training_samples(train, classes)
        notes = _notes(home)
    if split in ("all", "val"):
        queries, gallery = (_read(home / name, whole.test) for name in (_QUERY, _GALLERY))
        _require_consistent([*queries, *gallery])
        samples += _samples(queries, "query") + _samples(gallery, "gallery")
    return ImageDataset("msmt17", root, classes, tuple(samples), "lists", notes)


def _home(root: Path) -> Path | None:
    homes = (root / name for name in _HOMES)
    return next((h for h in homes if all((h / n).is_file() for n in (_QUERY, _GALLERY))), None)


def _opened(home: Path) -> _Set:
    for train, test in _FOLDERS:
        if (home / train).is_dir() and (home / test).is_dir():
            return _Set(home, home / train, home / test)
    wanted = " or ".join(f"{train}/ and {test}/" for train, test in _FOLDERS)
    what = f"has no images: looked for {wanted}"
    raise AttncliError(what, where=home, remedy="unpack them beside the lists")


def _read(file: Path, folder: Path) -> list[_Image]:
    """Return the images that a list names.

    Raises:
        AttncliError: It is not there or lists nothing, or a line does not parse.
    """
    if not file.is_file():
        raise AttncliError("no such list", where=file, remedy=REMEDY)
    return [_parse(line, folder) for line in read_lines(file)]


def _parse(line: Line, folder: Path) -> _Image:
    if len(line.words) != 2 or not _NUMBER.fullmatch(line.words[1]):
        raise line.error(f"expected PERSON/IMAGE NUMBER, not {line.text!r}")
    name, number = line.words
    path = image_below(line, name, depth=1)
    found = _NAME.fullmatch(path.stem)
    if found is None or found["person"] != path.parent.name:
        wanted = "PERSON/PERSON_IMAGE_CAMERA_..., as 0000/0000_000_01_0303morning_0008_0.jpg"
        raise line.error(f"{name!r} is not {wanted}")
    return _Image(line, folder / path, int(number), str(int(found["camera"])))


def _require_consistent(images: Sequence[_Image]) -> None:
    """Make sure that each image is listed once, and each person by one number.

    Raises:
        AttncliError: It is not so of an image, whose line is named.
    """
    seen: set[str] = set()
    numbers: dict[str, int] = {}
    people: dict[int, str] = {}
    for image in images:
        if image.id in seen:
            raise image.line.error(f"{image.id} is listed twice, here or in another list")
        seen.add(image.id)
        if numbers.setdefault(image.person, image.number) != image.number:
            other = numbers[image.person]
            raise image.line.error(
                f"person {image.person} has number {image.number} here, {other} before"
            )
        if people.setdefault(image.number, image.person) != image.person:
            what = f"{image.number} is person {image.person} here, {people[image.number]} before"
            raise image.line.error(what)


def _training_samples(train: Sequence[_Image], classes: Sequence[str]) -> list[ImageSample]:
    labels: Mapping[str, frozenset[int]] = {
        person: frozenset({label}) for label, person in enumerate(classes)
    }
    return [
        ImageSample(i.id, i.path, labels[i.person], subject=i.person, camera=i.camera)
        for i in train
    ]


def _samples(images: Sequence[_Image], role: Role) -> list[ImageSample]:
    return [
        ImageSample(i.id, i.path, None, subject=i.person, camera=i.camera, role=role)
        for i in images
    ]


def _notes(home: Path) -> tuple[str, ...]:
    if not (home / _UNUSED).is_file():
        return ()
    n_images = sum(1 for _ in read_lines(home / _UNUSED))
    return (f"{n_images} images of {_UNUSED} left out: they show people to learn from",)

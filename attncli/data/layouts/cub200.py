"""Caltech-UCSD Birds-200-2011 as it is distributed.

`images/` holds the images by class. `images.txt` numbers them, `image_class_labels.txt` gives the
number of each one's class, `train_test_split.txt` says 1 of those for training and 0 of the others,
and `classes.txt` names the classes, which count from 1. Images for testing are the validation
split. The archive has all that in `CUB_200_2011/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from attncli.data.layouts.image_lists import REMEDY, Line, image_below, read_lines
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.errors import AttncliError

LOOKS_LIKE = "images.txt, image_class_labels.txt and train_test_split.txt of CUB-200-2011"

_HOMES = (".", "CUB_200_2011")
_IMAGES, _LABELS, _SPLIT = _LISTS = (
    "images.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
)


@dataclass(frozen=True)
class _Listed:
    line: Line
    """Where it is listed."""
    path: PurePosixPath
    """Where it lies below `images/`."""


def fits(root: Path) -> bool:
    """Return whether there are the lists of images, of their labels and of the splits."""
    return _home(root) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images of a split in the order of `images.txt`; of all, those of train first.

    Names of classes are those of `classes.txt`, such as `001.Black_footed_Albatross`; where it is
    not there, those of the directories.

    Raises:
        AttncliError: A list is missing or malformed, or says nothing of some image.
    """
    home = _home(root)
    if home is None:
        raise AttncliError(f"not in CUB-200-2011's layout, looked for {LOOKS_LIKE}", where=root)
    images = _read_images(home / _IMAGES)
    labels = _read_numbers(home / _LABELS, images, _class_number)
    in_train = _read_numbers(home / _SPLIT, images, _zero_or_one)
    classes = _class_names(home, images, labels)
    samples = [
        ImageSample(
            id=image.path.with_suffix("").as_posix(),
            path=home / "images" / image.path,
            labels=frozenset({labels[number] - 1}),
        )
        for part in ("train", "val")
        for number, image in images.items()
        if split in ("all", part) and in_train[number] == (part == "train")
    ]
    return ImageDataset("cub200", root, classes, tuple(samples), labels_from=_LABELS)


def _home(root: Path) -> Path | None:
    homes = (root / name for name in _HOMES)
    return next((home for home in homes if all((home / n).is_file() for n in _LISTS)), None)


def _read_images(file: Path) -> dict[str, _Listed]:
    """Return images by their numbers, as they are written."""
    images: dict[str, _Listed] = {}
    listed: set[PurePosixPath] = set()
    for line in read_lines(file):
        number, name = _two_words(line, "`number CLASS/IMAGE`")
        path = image_below(line, name, depth=1)
        if number in images:
            raise line.error(f"number {number!r} is given twice")
        if path.with_suffix("") in listed:
            raise line.error(f"image {name!r} is listed twice")
        listed.add(path.with_suffix(""))
        images[number] = _Listed(line, path)
    return images


def _read_numbers(
    file: Path, images: Mapping[str, _Listed], parse: Callable[[Line, str], int]
) -> dict[str, int]:
    """Return what a list says of each image, by the image's number."""
    found: dict[str, int] = {}
    for line in read_lines(file):
        number, word = _two_words(line, "the number of an image, and another number")
        if number not in images:
            raise line.error(f"no image {number!r} in {_IMAGES}")
        if number in found:
            raise line.error(f"image {number!r} is listed twice")
        found[number] = parse(line, word)
    for number in images:
        if number not in found:
            raise AttncliError(f"has no line for image {number!r}", where=file, remedy=REMEDY)
    return found


def _two_words(line: Line, wanted: str) -> tuple[str, str]:
    if len(line.words) != 2:
        raise line.error(f"expected {wanted}")
    first, second = line.words
    return first, second


def _class_number(line: Line, word: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word) < 100_000):
        raise line.error(f"expected the number of a class, from 1, not {word!r}")
    return int(word)


def _zero_or_one(line: Line, word: str) -> int:
    if word not in ("0", "1"):
        raise line.error(f"expected 1 (train) or 0 (test), not {word!r}")
    return int(word)


def _class_names(
    home: Path, images: Mapping[str, _Listed], labels: Mapping[str, int]
) -> tuple[str, ...]:
    """Return the names of all classes in the order of their numbers.

    Raises:
        AttncliError: A label has no name.
    """
    file = home / "classes.txt"
    if not file.is_file():
        return _directories(home, images, labels)
    names = _read_classes(file)
    for number, label in labels.items():
        if label > len(names):
            what = f"image {number!r} is of class {label}, {file.name} names {len(names)}"
            raise AttncliError(what, where=home / _LABELS, remedy=REMEDY)
    return names


def _read_classes(file: Path) -> tuple[str, ...]:
    names: list[str] = []
    for line in read_lines(file):
        number, name = _two_words(line, f"`{len(names) + 1} NAME`")
        if number != str(len(names) + 1) or name in names:
            raise line.error(f"expected `{len(names) + 1} NAME`, with another name than before")
        names.append(name)
    return tuple(names)


def _directories(
    home: Path, images: Mapping[str, _Listed], labels: Mapping[str, int]
) -> tuple[str, ...]:
    """Return the directory of each class; its images lie in no other, and no others in it."""
    names: dict[int, str] = {}
    numbers: dict[str, int] = {}
    for number, image in images.items():
        label, name = labels[number], image.path.parent.name
        if names.setdefault(label, name) != name or numbers.setdefault(name, label) != label:
            raise image.line.error(f"{name!r} is not class {label} in other lines")
    for label in range(1, max(names) + 1):
        if label not in names:
            remedy = "add classes.txt, which names the classes"
            raise AttncliError(f"class {label} has no image", where=home / _LABELS, remedy=remedy)
    return tuple(names[label] for label in sorted(names))

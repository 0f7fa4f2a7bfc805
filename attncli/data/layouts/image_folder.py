"""Images by class, a directory each, as torchvision's `ImageFolder` takes them.

`train/CLASS/` holds the training images, `val/CLASS/`, or one called `valid`, `validation` or
`test`, those for validation. Images may lie in directories below that of their class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attncli.data.layouts.video_tree import notes_on_left_out, require_one_file
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.data.video.frame_folders import IMAGE_SUFFIXES, natural_order
from attncli.errors import AttncliError

LOOKS_LIKE = "train/CLASS/ with images, and val/ or test/ like it"

_FOLDERS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "test")}
"""What the directory of a split may be called; the first one that is there is taken."""


@dataclass(frozen=True)
class _Images:
    by_name: Mapping[str, Path]
    """Images by their paths below the directory of a class, without suffix, in natural order."""
    left_out: tuple[Path, ...]
    """Other files there."""


def fits(root: Path) -> bool:
    """Return whether the directory of a split has directories that hold images."""
    return any(
        file.suffix.lower() in IMAGE_SUFFIXES
        for folder in _split_folders(root).values()
        for class_folder in _class_folders(folder).values()
        for file in class_folder.rglob("*")
    )


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images of a split by class; classes are in the order of torchvision, by letters.

    Ids begin with the directory of the split, so that no two images share one.

    Raises:
        AttncliError: The split has no directory, a class of it no image, or two images one name.
    """
    folders = _split_folders(root)
    chosen = [folder for part, folder in folders.items() if split in ("all", part)]
    if not chosen:
        names = ", ".join(f"{name}/" for names in _FOLDERS.values() for name in names)
        wanted = _FOLDERS.get(split, ())
        raise AttncliError(
            f"has no directory for split {split!r}",
            where=root,
            remedy=f"add {' or '.join(f'{name}/' for name in wanted) or names} with a directory for"
            " each class",
        )
    classes = tuple(
        sorted({name for folder in folders.values() for name in _class_folders(folder)})
    )
    samples: list[ImageSample] = []
    left_out: list[Path] = []
    for folder in chosen:
        for name, class_folder in sorted(_class_folders(folder).items()):
            images = _images_in(class_folder)
            left_out += images.left_out
            samples += [
                ImageSample(f"{folder.name}/{name}/{id_}", path, frozenset({classes.index(name)}))
                for id_, path in images.by_name.items()
            ]
    notes = (*_notes(folders, classes), *notes_on_left_out(left_out, "images"))
    return ImageDataset("image-folder", root, classes, tuple(samples), "folders", notes)


def _split_folders(root: Path) -> dict[str, Path]:
    """Return the directory of each split that has one."""
    found = {
        part: next((root / name for name in names if (root / name).is_dir()), None)
        for part, names in _FOLDERS.items()
    }
    return {part: folder for part, folder in found.items() if folder is not None}


def _class_folders(folder: Path) -> dict[str, Path]:
    return {
        each.name: each
        for each in folder.iterdir()
        if each.is_dir() and not each.name.startswith(".")
    }


def _images_in(folder: Path) -> _Images:
    """Return what the directory of a class holds.

    Raises:
        AttncliError: It holds no image, or two whose names differ in their suffix alone.
    """
    images: dict[str, Path] = {}
    left_out: list[Path] = []
    for file in sorted(folder.rglob("*"), key=lambda file: natural_order(file.as_posix())):
        place = file.relative_to(folder)
        if any(part.startswith(".") for part in place.parts) or file.is_dir():
            continue
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            left_out.append(file)
            continue
        id_ = place.with_suffix("").as_posix()
        require_one_file(images.get(id_), file)
        images[id_] = file
    if not images:
        raise AttncliError(
            "class has no image",
            where=folder,
            remedy="add its images or remove the directory",
        )
    return _Images(images, tuple(left_out))


def _notes(folders: Mapping[str, Path], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return which split has no directory of some classes."""
    notes = []
    for folder in folders.values():
        absent = [name for name in classes if not (folder / name).is_dir()]
        if absent:
            n, first = f"{len(absent)} of {len(classes)} classes", absent[0]
            notes.append(f"{folder}: no directory for {n}, such as {first!r}")
    return tuple(notes)

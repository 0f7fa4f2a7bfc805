"""Stanford 40 Actions as it is distributed: all images in one directory, two lists a class.

`JPEGImages/` holds the images, `ImageSplits/ACTION_train.txt` and `ACTION_test.txt` list those of
each action, `IMAGE` a line. Images for testing are the validation split. `train.txt`, `test.txt`
and `actions.txt` there say nothing new and are not read.
"""

from pathlib import Path

from attncli.data.layouts.image_lists import image_below, read_lines
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.errors import AttncliError

LOOKS_LIKE = "JPEGImages/ with ImageSplits/ACTION_train.txt"

_HOMES = (".", "Stanford40")
_IMAGES, _LISTS = "JPEGImages", "ImageSplits"
_ENDINGS = {"train": "_train.txt", "val": "_test.txt"}


def fits(root: Path) -> bool:
    """Return whether there are images and lists of actions where Stanford 40 has them."""
    return _home(root) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images of a split by action, in the order of its list; of all, train first.

    Classes are the actions that have lists, by letters.

    Raises:
        AttncliError: An action has but one list, a list is malformed, or an image is listed twice.
    """
    home = _home(root)
    if home is None:
        raise AttncliError(f"not in Stanford 40's layout, looked for {LOOKS_LIKE}", where=root)
    classes = _actions(home / _LISTS)
    listed: set[str] = set()
    samples = []
    for part, ending in _ENDINGS.items():
        for label, name in enumerate(classes):
            read = _read_list(home / _LISTS / f"{name}{ending}", listed)
            if split in ("all", part):
                samples += [
                    ImageSample(id_, home / _IMAGES / file, frozenset({label}))
                    for id_, file in read.items()
                ]
    return ImageDataset("stanford40", root, classes, tuple(samples), labels_from=_LISTS)


def _home(root: Path) -> Path | None:
    homes = (root / name for name in _HOMES)
    return next((h for h in homes if (h / _IMAGES).is_dir() and _first_list(h / _LISTS)), None)


def _first_list(folder: Path) -> Path | None:
    return next(folder.glob(f"?*{_ENDINGS['train']}"), None)


def _actions(lists: Path) -> tuple[str, ...]:
    """Return the names of the actions, each of which has two lists."""
    names = {
        file.name.removesuffix(ending)
        for ending in _ENDINGS.values()
        for file in lists.glob(f"?*{ending}")
    }
    for file in (lists / f"{name}{ending}" for name in names for ending in _ENDINGS.values()):
        if not file.is_file():
            remedy = "get it: each action has two lists"
            raise AttncliError("no such list", where=file, remedy=remedy)
    return tuple(sorted(names))


def _read_list(file: Path, listed: set[str]) -> dict[str, str]:
    """Return the images of a list by their ids, and add these to those `listed`."""
    images: dict[str, str] = {}
    for line in read_lines(file):
        path = image_below(line, line.text, depth=0)
        if path.stem in listed:
            raise line.error(f"image {line.text!r} is listed twice, here or in another list")
        listed.add(path.stem)
        images[path.stem] = path.name
    return images

"""MIT Indoor67 as it is distributed: scenes by class, and one list a split.

`Images/CLASS/` holds the images. `TrainImages.txt` and `TestImages.txt` list 80 and 20 images of
each class, `CLASS/IMAGE` a line; the others belong to no split. Images for testing are the
validation split. Lists may lie beside `indoorCVPR_09/`, which the images' archive makes.
"""

from pathlib import Path

from attncli.data.layouts.image_lists import image_below, read_lines
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.errors import AttncliError

LOOKS_LIKE = "Images/ with TrainImages.txt or TestImages.txt"

_FOLDER = "indoorCVPR_09"
_LISTS = {"train": "TrainImages.txt", "val": "TestImages.txt"}


def fits(root: Path) -> bool:
    """Return whether there are images and a list where Indoor67 has them."""
    home = _home(root)
    return home is not None and _images(home) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images of a split in the order of its list; of all, those of train first.

    Classes are those of both lists, by letters.

    Raises:
        AttncliError: A list is missing or malformed, or both name one image.
    """
    home = _home(root)
    images = None if home is None else _images(home)
    if home is None or images is None:
        raise AttncliError(f"not in Indoor67's layout, looked for {LOOKS_LIKE}", where=root)
    listed = _read_lists(home)
    classes = tuple(sorted({id_.split("/")[0] for id_, _ in listed}))
    samples = [
        ImageSample(id_, images / name, frozenset({classes.index(id_.split("/")[0])}))
        for (id_, name), part in listed.items()
        if split in ("all", part)
    ]
    return ImageDataset("indoor67", root, classes, tuple(samples), labels_from="folders")


def _home(root: Path) -> Path | None:
    """Return the directory of the lists."""
    homes = (root, root / _FOLDER)
    return next((h for h in homes if any((h / n).is_file() for n in _LISTS.values())), None)


def _images(home: Path) -> Path | None:
    places = (home / "Images", home / _FOLDER / "Images")
    return next((place for place in places if place.is_dir()), None)


def _read_lists(home: Path) -> dict[tuple[str, str], str]:
    """Return the split of each image, by its id and its path below that of all images."""
    found: dict[str, tuple[str, str]] = {}
    for part, list_name in _LISTS.items():
        file = home / list_name
        if not file.is_file():
            remedy = "get it: both lists together name all classes"
            raise AttncliError("no such list", where=file, remedy=remedy)
        for line in read_lines(file):
            path = image_below(line, line.text, depth=1)
            id_ = path.with_suffix("").as_posix()
            if id_ in found:
                raise line.error(f"image {line.text!r} is listed twice, here or in another list")
            found[id_] = (path.as_posix(), part)
    return {(id_, name): part for id_, (name, part) in found.items()}

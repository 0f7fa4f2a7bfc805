"""PASCAL VOC 2012 as it is distributed, with or without the label maps added to it later.

`JPEGImages/` holds the images, `ImageSets/Segmentation/` the lists, `SegmentationClass/` and
`SegmentationClassAug/` label maps, `Annotations/` what is to be seen in each image. Lists name an
id a line, or, as those of PSA and DeepLab, an image and its label map, both below the dataset:
`/JPEGImages/2007_000032.jpg /SegmentationClassAug/2007_000032.png`.
"""

from dataclasses import replace
from pathlib import Path, PurePosixPath

from attncli.data.images.labels import labelled
from attncli.data.samples import ImageDataset, ImageSample, Split
from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.errors import AttncliError, UsageError
from attncli.files.text import has_control_characters, lines_of, read_text, words_of

LOOKS_LIKE = "JPEGImages/ with ImageSets/Segmentation/"
REMEDY = "write an id a line, or an image and its label map, both with their folders"

CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
"""The classes in their official order: labels 1 to 20 of label maps."""

NOWHERE = "nowhere"
"""Where the labels of images are from that have none."""
_HOMES = (".", "VOC2012", "VOCdevkit/VOC2012")
_LISTS = "ImageSets/Segmentation"
_IMAGES = "JPEGImages"
_LABEL_MAPS = ("SegmentationClass", "SegmentationClassAug")
_SUFFIXES = (".jpg", ".jpeg", ".png")
"""Suffixes of images that are named by ids; the first one where there is no such file."""
_TRAIN_LISTS = ("train_aug", "train")


def fits(root: Path) -> bool:
    """Return whether there are images and lists where VOC2012 has them."""
    return _home(root) is not None


def open_split(
    root: Path, split: Split, *, labels: str = "auto", train_list: str | None = None
) -> ImageDataset:
    """Return the images of a split in the order of its list; `all` are those of train and val.

    Of the images of `test` nothing is read but their names, whatever else is there.

    Args:
        root: VOC2012, or the directory that holds it.
        split: Which list.
        labels: Where image labels are from, see `attncli.data.images.labels.labelled`; `none`
            reads none.
        train_list: Name of the training list, or a file; `train_aug`, else `train`, where None.

    Raises:
        UsageError: There is no list of that name.
        AttncliError: A list is missing or malformed, or labels cannot be read.
    """
    home = _home(root)
    if home is None:
        raise AttncliError(f"not in VOC2012's layout, looked for {LOOKS_LIKE}", where=root)
    listed: dict[str, ImageSample] = {}
    for file in _list_files(home, split, train_list):
        for id_, sample in _read_list(file, home).items():
            listed.setdefault(id_, sample)
    samples, origin = tuple(listed.values()), NOWHERE
    if split == "test":
        samples = tuple(replace(sample, label_map=None) for sample in samples)
    elif labels != "none":
        annotations = home / "Annotations"
        samples, origin = labelled(samples, CLASSES, labels=labels, annotations=annotations)
    return ImageDataset("voc2012", root, CLASSES, samples, labels_from=origin)


def _home(root: Path) -> Path | None:
    """Return the directory of images and lists; None where there is none."""
    homes = (root / name for name in _HOMES)
    return next((h for h in homes if (h / _IMAGES).is_dir() and (h / _LISTS).is_dir()), None)


def _list_files(home: Path, split: Split, train_list: str | None) -> list[Path]:
    lists = home / _LISTS
    train = _train_list(lists, train_list)
    val = lists / "val.txt"
    if split == "train":
        return [train or _missing(lists, "train")]
    if split != "all":
        file = lists / f"{split}.txt"
        return [file if file.is_file() else _missing(lists, split)]
    both = [file for file in (train, val, lists / "trainval.txt") if file and file.is_file()]
    return both or [_missing(lists, "trainval")]


def _train_list(lists: Path, name: str | None) -> Path | None:
    if name is None:
        files = (lists / f"{own}.txt" for own in _TRAIN_LISTS)
        return next((file for file in files if file.is_file()), None)
    for file in (lists / f"{name}.txt", lists / name, Path(name)):
        if file.is_file():
            return file
    there = ", ".join(sorted(file.stem for file in lists.glob("*.txt"))) or "none"
    what, remedy = f"no such list: {name!r} in {lists}", f"name a file or one of these: {there}"
    raise UsageError(what, where="--train-list", remedy=remedy)


def _missing(lists: Path, name: str) -> Path:
    there = ", ".join(sorted(file.name for file in lists.glob("*.txt"))) or "none"
    remedy = f"add {name}.txt; there is {there}"
    raise AttncliError(f"has no list of split {name!r}", where=lists, remedy=remedy)


def _read_list(file: Path, home: Path) -> dict[str, ImageSample]:
    samples: dict[str, ImageSample] = {}
    for number, line in enumerate(lines_of(read_text(file, remedy=REMEDY)), start=1):
        words = words_of(line)
        if not words:
            continue
        try:
            sample = _sample(words, home)
        except ValueError as error:
            where = f"{file}, line {number}"
            raise AttncliError(str(error), where=where, remedy=REMEDY) from error
        if sample.id in samples:
            what = f"image {sample.id!r} is listed twice"
            raise AttncliError(what, where=f"{file}, line {number}", remedy="keep one of the lines")
        samples[sample.id] = sample
    return samples


def _sample(words: list[str], home: Path) -> ImageSample:
    """Return what a line names.

    Raises:
        ValueError: It names neither an id nor an image and its label map.
    """
    paths = [PurePosixPath(word.replace("\\", "/").lstrip("/")) for word in words]
    if len(paths) > 2 or any(".." in path.parts or not path.parts for path in paths):
        raise ValueError("expected an id, or an image and its label map below the dataset")
    if any(has_control_characters(str(path)) for path in paths):
        raise ValueError(f"{words!r} has a control character")
    image = paths[0]
    if len(paths) == 1 and image.suffix.lower() not in IMAGE_SUFFIXES:
        return ImageSample(
            id=str(image),
            path=_there([home / _IMAGES / f"{image}{suffix}" for suffix in _SUFFIXES]),
            labels=None,
            label_map=_label_map(str(image), home),
        )
    if any(path.suffix.lower() not in IMAGE_SUFFIXES for path in paths):
        raise ValueError(f"{words[-1]!r} is not an image by its name")
    folders = image.parent.parts[1:]  # the first one holds all images
    id_ = str(PurePosixPath(*folders, image.stem))
    label_map = _label_map(id_, home) if len(paths) == 1 else home / paths[1]
    return ImageSample(id=id_, path=home / image, labels=None, label_map=label_map)


def _there(files: list[Path]) -> Path:
    return next((file for file in files if file.is_file()), files[0])


def _label_map(id_: str, home: Path) -> Path | None:
    files = (home / folder / f"{id_}.png" for folder in _LABEL_MAPS)
    return next((file for file in files if file.is_file()), None)

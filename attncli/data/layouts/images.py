"""How datasets of images lie on disk: each layout is recognised by what is in its directory."""

from dataclasses import replace
from pathlib import Path

from attncli.data.layouts import voc2012
from attncli.data.layouts.kinds import (
    IMAGE_LAYOUTS,
    MULTI_QUERIES,
    fitting,
    require_no_videos,
)
from attncli.data.samples import MULTI_QUERY, ImageDataset, Split
from attncli.errors import AttncliError, UsageError
from attncli.files.text import has_control_characters

NO_LABELS = "none"
"""Where image labels are from that nobody asks for."""


def recognise(root: Path) -> str:
    """Return the name of the layout that the dataset of images at `root` is in.

    Raises:
        AttncliError: There is nothing at `root`, or nothing that is recognised, or videos.
    """
    _require(root)
    if (name := fitting(IMAGE_LAYOUTS, root)) is not None:
        return name
    require_no_videos(root)
    looked_for = "; ".join(layout.LOOKS_LIKE for layout in IMAGE_LAYOUTS.values())
    raise AttncliError(f"layout of images not recognised, looked for {looked_for}", where=root)


def open_images(
    root: Path,
    *,
    layout: str = "auto",
    split: Split,
    labels: str = "auto",
    train_list: str | None = None,
    multi_query: bool = False,
) -> ImageDataset:
    """Return the images of one split of the dataset at `root`.

    Images that a list names but that are not there are kept, so that reading them fails by name;
    only where none of them is there the dataset is refused.

    Args:
        root: Dataset directory, or manifest file.
        layout: `voc2012`, `cub200`, `indoor67`, `stanford40`, `market1501`, `msmt17`,
            `two-views`, `manifest` or `image-folder`; `auto` recognises it.
        split: `train` or `val` as the dataset's lists divide it, `all` for every image listed.
        labels: Where image labels of VOC2012 are from: `annotations`, `label-maps`, a CSV file, or
            `auto`; other layouts have one place for them. `none` leaves all images without.
        train_list: Name or file of VOC2012's training list; `train_aug`, else `train`, where None.
        multi_query: Return images that are queries together, too, where the dataset has any and
            they are of the split.

    Raises:
        UsageError: There is no layout or list of that name, or the layout has no such choice.
        AttncliError: The dataset is missing, malformed or one of videos; the message names file and
            line.
    """
    _require(root)
    name = recognise(root) if layout == "auto" else layout
    if name not in IMAGE_LAYOUTS:
        known = ", ".join(("auto", *IMAGE_LAYOUTS))
        raise UsageError(
            f"no such layout: {layout!r}", where="--layout", remedy=f"use one of {known}"
        )
    if layout != "auto" and not IMAGE_LAYOUTS[name].fits(root):
        require_no_videos(root)
    if name == "voc2012":
        dataset = voc2012.open_split(root, split, labels=labels, train_list=train_list)
    else:
        if split == "test":
            what = f"no such split: layout {name} has train and val only"
            raise UsageError(what, where="--split test")
        if labels not in ("auto", NO_LABELS):
            raise UsageError("is for VOC2012 only", where="--labels", remedy="leave it out")
        if train_list is not None:
            raise UsageError("is for VOC2012 only", where="--train-list", remedy="leave it out")
        dataset = IMAGE_LAYOUTS[name].open_split(root, split)
        if labels == NO_LABELS:
            samples = tuple(replace(sample, labels=None) for sample in dataset.samples)
            dataset = replace(dataset, samples=samples)
        dataset = _with_multi_queries(dataset, split, wanted=multi_query)
    _require_usable(dataset, split)
    return dataset


def _with_multi_queries(dataset: ImageDataset, split: Split, *, wanted: bool) -> ImageDataset:
    """Return a dataset with the images that are queries together, or without them."""
    samples = dataset.samples
    if not wanted:
        return replace(dataset, samples=tuple(s for s in samples if s.role != MULTI_QUERY))
    if dataset.layout in MULTI_QUERIES and split != "train":
        samples += MULTI_QUERIES[dataset.layout](dataset.root)
    return replace(dataset, samples=samples)


def _require_usable(dataset: ImageDataset, split: Split) -> None:
    root, n = dataset.root, len(dataset.samples)
    for name in dataset.classes:
        if has_control_characters(name):
            what = f"class {name!r} has a control character"
            raise AttncliError(what, where=root, remedy="rename the class")
    if not dataset.samples:
        what = f"lists no image of split {split!r}"
        raise AttncliError(what, where=root, remedy="check --data and its lists")
    if not any(_is_there(sample.path) for sample in dataset.samples):
        what = f"none of the {n} images of split {split!r} exists"
        raise AttncliError(what, where=root, remedy="check --data")


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long, which reading will say
        return False


def _require(root: Path) -> None:
    if not root.exists():
        raise AttncliError("no such file or directory", where=root, remedy="check --data")

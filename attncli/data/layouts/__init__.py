"""How datasets lie on disk: each layout is recognised by what is in its directory."""

from pathlib import Path

from attncli.data.layouts import ucf101
from attncli.data.layouts.kinds import VIDEO_LAYOUTS, fitting, require_no_images
from attncli.data.samples import Split, VideoDataset
from attncli.errors import AttncliError, UsageError
from attncli.files.text import has_control_characters


def recognise(root: Path) -> str:
    """Return the name of the layout that the dataset at `root` is in.

    Raises:
        AttncliError: There is nothing at `root`, or nothing that is recognised, or single images.
    """
    _require(root)
    if (name := fitting(VIDEO_LAYOUTS, root)) is not None:
        return name
    require_no_images(root)
    looked_for = "; ".join(layout.LOOKS_LIKE for layout in VIDEO_LAYOUTS.values())
    raise AttncliError(f"layout not recognised, looked for {looked_for}", where=root)


def open_dataset(
    root: Path, *, layout: str = "auto", split: Split, split_number: int = 1
) -> VideoDataset:
    """Return the videos of one split of the dataset at `root`.

    Videos that a list names but that are not there are kept, so that reading them fails by name;
    only where none of them is there the dataset is refused. Of UCF101 classes without a directory,
    of Something-Something v2 all videos that are not there are left out instead, which `notes` of
    the dataset says: a part of them is a dataset too.

    Args:
        root: Dataset directory, or manifest file.
        layout: `ucf101`, `ssv2`, `manifest`, `ckplus` or `class-folders`; `auto` recognises it.
        split: `train` or `val` as the dataset's lists divide it, `all` for every video there is.
        split_number: Which of UCF101's divisions to use, from 1; other layouts have only one.

    Raises:
        UsageError: There is no layout of that name, or no division of that number.
        AttncliError: The dataset is missing, malformed or one of images; the message names file and
            line.
    """
    _require(root)
    if split == "test":
        raise UsageError(
            "no such split: datasets of videos have train and val only", where="--split test"
        )
    name = recognise(root) if layout == "auto" else layout
    if name not in VIDEO_LAYOUTS:
        known = ", ".join(("auto", *VIDEO_LAYOUTS))
        raise UsageError(
            f"no such layout: {layout!r}", where="--layout", remedy=f"use one of {known}"
        )
    if layout != "auto" and not VIDEO_LAYOUTS[name].fits(root):
        require_no_images(root)
    if name == "ucf101":
        dataset = ucf101.open_split(root, split, split_number)
    elif split_number != 1:
        raise UsageError(f"{root} has only one division", where="--split-number", remedy="use 1")
    else:
        dataset = VIDEO_LAYOUTS[name].open_split(root, split)
    _require_usable(name, dataset, split)
    return dataset


def _require_usable(name: str, dataset: VideoDataset, split: Split) -> None:
    root = dataset.root
    for name_ in dataset.classes:
        if name != "class-folders" and has_control_characters(name_):
            what = f"class {name_!r} has a control character"
            raise AttncliError(what, where=root, remedy="rename the class")
    if not dataset.samples:
        what = "; ".join((f"lists no video of split {split!r} that exists", *dataset.notes))
        raise AttncliError(what, where=root, remedy="check --data and its lists")
    if not any(_is_there(sample.path) for sample in dataset.samples):
        raise AttncliError(
            f"none of the {len(dataset.samples)} videos of split {split!r} exists",
            where=root,
            remedy="check --data",
        )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long, which reading will say
        return False


def _require(root: Path) -> None:
    if not root.exists():
        raise AttncliError("no such file or directory", where=root, remedy="check --data")

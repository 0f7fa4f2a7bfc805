"""Which kind of data lies in a directory: videos, or single images."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import ModuleType

from attncli.data.layouts import (
    ckplus,
    class_folders,
    cub200,
    image_folder,
    image_manifest,
    indoor67,
    manifest,
    market1501,
    msmt17,
    ssv2,
    stanford40,
    two_views,
    ucf101,
    voc2012,
)
from attncli.data.samples import ImageSample
from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError

VIDEO_LAYOUTS = {
    "ucf101": ucf101,
    "ssv2": ssv2,
    "manifest": manifest,
    "ckplus": ckplus,
    "class-folders": class_folders,
}
"""Layouts of videos, those that say most of a dataset first."""
IMAGE_LAYOUTS = {
    "voc2012": voc2012,
    "cub200": cub200,
    "indoor67": indoor67,
    "stanford40": stanford40,
    "market1501": market1501,
    "msmt17": msmt17,
    "two-views": two_views,
    "manifest": image_manifest,
    "image-folder": image_folder,
}
"""Layouts of images, likewise."""
MULTI_QUERIES: Mapping[str, Callable[[Path], tuple[ImageSample, ...]]] = {
    "market1501": market1501.multi_queries
}
"""What opens images that are queries together, of layouts that have them besides all splits."""

_DEEPEST = 4
"""Directories between a dataset and its files, as of `data/CUB_200_2011/images/001.Albatross/`."""
_MOST_ENTRIES = 100_000
"""After how many names enough is seen; the largest datasets have millions."""


def fitting(layouts: Mapping[str, ModuleType], root: Path) -> str | None:
    """Return the name of the first layout that a dataset is in; None where it is in none."""
    return next((name for name, layout in layouts.items() if layout.fits(root)), None)


def require_no_images(root: Path) -> None:
    """Refuse a directory of single images where videos are wanted.

    Whatever is in a layout of videos passes, and so does what holds neither images nor videos.

    Raises:
        AttncliError: There are images and no video; the message names the layout or an image.
    """
    image = _first(root, IMAGE_SUFFIXES, without=VIDEO_SUFFIXES)
    if image is None or fitting(VIDEO_LAYOUTS, root) is not None:
        return
    layout = fitting(IMAGE_LAYOUTS, root)
    raise AttncliError(
        f"holds images ({_such_as(image, layout)}), no videos",
        where=root,
        remedy="use a method for images; where they are frames of videos, put them into"
        " CLASS/VIDEO/ or list the directories of frames in a manifest",
    )


def require_no_videos(root: Path) -> None:
    """Refuse a directory of videos where single images are wanted.

    Whatever is in a layout of images passes, and so does what holds neither images nor videos.

    Raises:
        AttncliError: There are videos, and no images but frames of them; the message names the
            layout or a video.
    """
    if fitting(IMAGE_LAYOUTS, root) is not None:
        return
    layout = fitting(VIDEO_LAYOUTS, root)
    video = _first(root, VIDEO_SUFFIXES, without=IMAGE_SUFFIXES)
    if layout is None and video is None:
        return
    raise AttncliError(
        f"holds videos ({_such_as(video, layout)}), no single images",
        where=root,
        remedy="use a method for videos; single images belong in train/CLASS/ and val/CLASS/, or"
        " into a manifest",
    )


def _such_as(file: Path | None, layout: str | None) -> str:
    return f"such as {file}" if layout is None else f"layout {layout}"


def _first(root: Path, suffixes: Collection[str], *, without: Collection[str]) -> Path | None:
    """Return the first file of one kind; None where there is none, or one of the other kind."""
    first = None
    for file in islice(_files(root), _MOST_ENTRIES):
        suffix = file.suffix.lower()
        if suffix in without:
            return None
        if first is None and suffix in suffixes:
            first = file
    return first


def _files(root: Path) -> Iterator[Path]:
    """Yield all files down to a depth in the order of their names, hidden ones left out."""
    for folder, names, files in os.walk(root, followlinks=True):
        depth = len(Path(folder).relative_to(root).parts)
        here = () if depth >= _DEEPEST else names
        names[:] = sorted(name for name in here if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))

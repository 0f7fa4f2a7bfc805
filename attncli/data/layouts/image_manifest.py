"""Manifests of images: CSV with a header, JSON lines, or text with `path label` a line.

Keys are those of manifests of videos, with two differences: `label` may name several classes,
separated by `;` or as a JSON list, and `label_map` the image that says of what class each pixel is.
An image without `label` is of unknown classes; an empty JSON list says that it shows none. Where
people are to be found again, `camera` says which camera took an image of the `subject`, and `role`
whether it is a `query` or in the `gallery`; images of role `multi-query` of one person and camera
are a query together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from attncli.data.layouts.listed_rows import (
    LOOKS_LIKE,
    Row,
    class_names,
    find_lists,
    read_rows,
    text_of,
)
from attncli.data.samples import ImageDataset, ImageSample, Role, Split
from attncli.data.video.frame_folders import IMAGE_SUFFIXES
from attncli.data.video.reading import VIDEO_SUFFIXES
from attncli.errors import AttncliError

__all__ = ["LOOKS_LIKE", "fits", "open_split"]


@dataclass(frozen=True)
class _Image:
    row: Row
    """What manifests of videos have as well."""
    labels: tuple[str, ...] | None
    """Classes by name; None where they are not known."""
    label_map: str | None
    """Path of the label map."""


def fits(root: Path) -> bool:
    """Return whether `root` is a list, or a directory with lists of the expected names."""
    return bool(find_lists(root))


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return the images of a split in the order of the manifest.

    Labels that are all numbers are taken as they are, from 0; names are numbered in alphabetical
    order, over all splits.

    Raises:
        AttncliError: A list is missing or malformed, names an image twice, or has no such split.
    """
    files = find_lists(root)
    if not files:
        raise AttncliError(f"not a manifest, looked for {LOOKS_LIKE}", where=root)
    images = [image for file in files for image in _read(file)]
    chosen = [image for image in images if split in ("all", image.row.split)]
    if not chosen:
        raise AttncliError(
            f"lists no image of split {split!r}",
            where=root,
            remedy=f"add a list {split}.csv, or give each image its split under the key `split`",
        )
    classes = class_names(name for image in images for name in image.labels or ())
    samples = _samples(chosen, files[0].parent, classes, split)
    return ImageDataset("manifest", root, classes, samples, labels_from="manifest")


def _read(file: Path) -> Iterator[_Image]:
    for row in read_rows(file):
        if Path(row.path).suffix.lower() in VIDEO_SUFFIXES:
            what = f"`path` {row.path!r} is a video by its name, not an image"
            remedy = "list images, or use a method for videos"
            raise AttncliError(what, where=row.place, remedy=remedy)
        label_map = row.text("label_map")
        if label_map is not None and "\0" in label_map:
            raise AttncliError("`label_map` has a NUL character", where=row.place)
        yield _Image(row, _labels(row), label_map)


def _labels(row: Row) -> tuple[str, ...] | None:
    """Return the names in the field of labels; None where there is nothing."""
    value = row.fields.get("label")
    if isinstance(value, list):
        names = [text_of(row.place, "label", each) for each in value]
        if None in names:
            raise AttncliError("`label` has an entry without a name", where=row.place)
        return tuple(name for name in names if name is not None)
    written = row.text("label") or ""
    names_in_text = tuple(name.strip() for name in written.split(";") if name.strip())
    return names_in_text or None


def _role(row: Row) -> Role | None:
    role = row.text("role")
    if role is not None and role not in get_args(Role):
        raise AttncliError(
            f"role must be one of {', '.join(get_args(Role))}, not {role!r}", where=row.place
        )
    return cast(Role | None, role)


def _samples(
    images: Sequence[_Image], folder: Path, classes: tuple[str, ...], split: Split
) -> tuple[ImageSample, ...]:
    positions = {name: position for position, name in enumerate(classes)}
    samples: dict[str, ImageSample] = {}
    for image in images:
        row = image.row
        id_ = row.id_below(folder, IMAGE_SUFFIXES)
        if id_ in samples and split != "all":
            raise AttncliError(f"image {id_!r} is listed twice", where=row.place)
        sample = ImageSample(
            id=id_,
            path=folder / row.path,
            labels=None if image.labels is None else frozenset(positions[n] for n in image.labels),
            label_map=None if image.label_map is None else folder / image.label_map,
            subject=row.subject,
            camera=row.text("camera"),
            role=_role(row),
        )
        if samples.setdefault(id_, sample) != sample:
            others = "path, label, map, subject, camera or role"
            what = f"image {id_!r} is listed twice, with another {others}"
            raise AttncliError(what, where=row.place)
    return tuple(samples.values())

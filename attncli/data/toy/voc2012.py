"""A small dataset in PASCAL VOC 2012's layout whose classes are textures; colour often misleads.

The four classes have names of the real dataset's, and so its labels. Label maps are the truth of
every pixel: none is ignored at borders, as in the real ones, since what is to be learned here is
where borders are. Image labels are in `Annotations/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import tomli_w
from jaxtyping import UInt8
from PIL import Image

from attncli.data.layouts.voc2012 import CLASSES
from attncli.data.toy.stills import TEXTURES, Still, render_still
from attncli.errors import UsageError
from attncli.files.atomic import replacing_directory, write_text
from attncli.files.label_maps import write_label_map
from attncli.reporting import Reporter

SHOWN = ("bird", "cat", "cow", "sheep")
"""Class of each of `TEXTURES`."""
COINCIDENCE = 0.9
"""Usual probability that colour misleads about an object."""
PAIRS = 0.4
"""Probability that an image shows two objects, of different classes."""
EVERY_VALIDATION = 5
"""One of so many images is for validation."""
QUALITY = 95
"""Of JPEG, whose colours are kept at full size: textures stay as strong as they are drawn."""

ListName = Literal["train", "val"]


@dataclass(frozen=True)
class ToyImage:
    """What one image is called and made from."""

    number: int
    """Its place, from 0."""
    list_name: ListName
    """List it is in."""
    textures: tuple[int, ...]
    """Positions in `TEXTURES` and `SHOWN` of its objects."""

    @property
    def id(self) -> str:
        """A year and a number, as the images of the real dataset are called."""
        return f"2012_{self.number + 1:06d}"

    @property
    def labels(self) -> tuple[int, ...]:
        """What its label map calls its objects."""
        return tuple(1 + CLASSES.index(SHOWN[texture]) for texture in self.textures)


def toy_images(size: int, seed: int, more_val: int = 0) -> list[ToyImage]:
    """Return images; the class of their first object comes round.

    Of the first `size` the last of five is for validation, and so are all `more_val` after them.
    """
    val = {number for number in range(size) if number % EVERY_VALIDATION == EVERY_VALIDATION - 1}
    val.update(range(size, size + more_val))
    return [
        ToyImage(number, "val" if number in val else "train", _textures(number, seed))
        for number in range(size + more_val)
    ]


def count_voc2012(*, size: int, seed: int, more_val: int = 0) -> dict[str, int]:
    """Return how many classes, images of each list and objects there will be."""
    images = toy_images(size, seed, more_val)
    n_val = sum(image.list_name == "val" for image in images)
    return {
        "classes": len(SHOWN),
        "train": len(images) - n_val,
        "val": n_val,
        "objects": sum(len(image.textures) for image in images),
    }


def make_voc2012(
    directory: Path,
    *,
    size: int,
    seed: int,
    size_hw: tuple[int, int],
    coincidence: float = COINCIDENCE,
    more_val: int = 0,
    reporter: Reporter,
) -> list[ToyImage]:
    """Write the dataset: images, lists, annotations and label maps.

    The directory appears whole or not at all, and replaces what was there. An image depends only
    on the seed and its number, not on how many there are; `coincidence` changes its colours alone.

    Args:
        directory: Where to write.
        size: Images, at least `EVERY_VALIDATION`.
        seed: Seed of every random draw.
        size_hw: Rows and columns of each image.
        coincidence: Probability that colour misleads about an object, see `render_still`.
        more_val: Images for validation alone, beside `size`.
        reporter: Told of progress.

    Returns:
        The images written.

    Raises:
        UsageError: There are too few images to fill the lists.
    """
    if size < EVERY_VALIDATION:
        what = f"must be at least {EVERY_VALIDATION}, so that one is for validation"
        raise UsageError(what, where="--size")
    images = toy_images(size, seed, more_val)
    with replacing_directory(directory.resolve()) as root:
        for name in ("JPEGImages", "Annotations", "ImageSets/Segmentation"):
            (root / name).mkdir(parents=True)
        for image in reporter.track(images, label="drawing toy images", unit="images"):
            still = draw(image, seed=seed, size_hw=size_hw, coincidence=coincidence)
            _write_image(root, image, still)
        _write_lists(root / "ImageSets/Segmentation", images)
        amount = {"size": size, "more_val": more_val, "seed": seed}
        look = {"coincidence": coincidence, "frame_hw": list(size_hw)}
        write_text(root / "config.toml", tomli_w.dumps({"format_version": 1, **amount, **look}))
    return images


def draw(
    image: ToyImage, *, seed: int, size_hw: tuple[int, int], coincidence: float = COINCIDENCE
) -> Still:
    """Return an image and its truth."""
    return render_still(
        image.labels,
        textures=image.textures,
        size_hw=size_hw,
        coincidence=coincidence,
        rng=_generator(image.number, seed, "look"),
    )


def _generator(number: int, seed: int, purpose: Literal["plan", "look"]) -> np.random.Generator:
    """Return the source of what an image shows, or of how it looks."""
    return np.random.default_rng(np.random.SeedSequence((seed, number, purpose == "look")))


def _textures(number: int, seed: int) -> tuple[int, ...]:
    """Return what an image shows: the next class, and maybe one of the others."""
    rng = _generator(number, seed, "plan")
    first = number % len(TEXTURES)
    other = (first + int(rng.integers(1, len(TEXTURES)))) % len(TEXTURES)
    return (first, other) if rng.random() < PAIRS else (first,)


def _write_image(root: Path, image: ToyImage, still: Still) -> None:
    file = root / "JPEGImages" / f"{image.id}.jpg"
    Image.fromarray(still.image).save(file, quality=QUALITY, subsampling=0)
    write_label_map(root / "SegmentationClass" / f"{image.id}.png", still.labels)
    annotation = _annotation(image, still.labels)
    ElementTree.indent(annotation, "\t")
    text = ElementTree.tostring(annotation, encoding="unicode")
    write_text(root / "Annotations" / f"{image.id}.xml", text + "\n")


def _annotation(image: ToyImage, labels: UInt8[np.ndarray, "h w"]) -> ElementTree.Element:
    """Return an annotation as those of the real dataset are."""
    height, width = labels.shape
    root = ElementTree.Element("annotation")
    _tell(root, {"folder": "VOC2012", "filename": f"{image.id}.jpg"})
    _tell(ElementTree.SubElement(root, "source"), {"database": "attncli toy-data"})
    size = {"width": width, "height": height, "depth": 3}
    _tell(ElementTree.SubElement(root, "size"), size)
    _tell(root, {"segmented": 1})
    for texture, label in zip(image.textures, image.labels, strict=True):
        thing = ElementTree.SubElement(root, "object")
        _tell(thing, {"name": SHOWN[texture], "pose": "Unspecified"})
        _tell(thing, {"truncated": 0, "difficult": 0})
        _tell(ElementTree.SubElement(thing, "bndbox"), _box(labels == label))
    return root


def _tell(element: ElementTree.Element, texts: dict[str, str] | dict[str, int]) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(element, name).text = str(text)


def _box(mask: np.ndarray) -> dict[str, int]:
    """Return the corners of a mask; pixels count from 1."""
    rows, columns = np.flatnonzero(mask.any(axis=1)) + 1, np.flatnonzero(mask.any(axis=0)) + 1
    return {
        "xmin": int(columns[0]),
        "ymin": int(rows[0]),
        "xmax": int(columns[-1]),
        "ymax": int(rows[-1]),
    }


def _write_lists(folder: Path, images: Sequence[ToyImage]) -> None:
    lists: dict[str, tuple[str, ...]] = {
        "train": ("train",),
        "val": ("val",),
        "trainval": ("train", "val"),
    }
    for name, parts in lists.items():
        ids = [f"{image.id}\n" for image in images if image.list_name in parts]
        write_text(folder / f"{name}.txt", "".join(ids))

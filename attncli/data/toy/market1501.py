"""A small dataset in Market-1501's layout: drawn people who walk past several cameras.

Every second person is for training. Of each of the others, each camera that saw them has one query,
whose box is drawn by hand as the real ones are. The gallery has nobody's boxes (0000), some of
other people and some of none, and junk (-1): people cut badly. `gt_bbox/` has all boxes of the
people for testing that were drawn by hand.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tomli_w
from PIL import Image

from attncli.data.toy.cameras import Camera, draw_camera, photograph
from attncli.data.toy.people import Person, Picture, draw_person
from attncli.errors import UsageError
from attncli.files.atomic import replacing_directory, write_text
from attncli.reporting import Reporter

CAMERAS = 4
"""Usual number of cameras."""
FEWEST_PEOPLE = 4
"""So that there are two to learn from and two to find again."""
FEWEST_CAMERAS = 2
"""People are found again by another camera."""
SHOTS = 4
"""Boxes of one person from one camera; of people for testing the first is the query."""
SEEN = 0.8
"""Probability that a camera saw someone; two did at least."""
DISTRACTORS = 0.75
"""Boxes of nobody looked for, over people."""
OTHERS = 0.6
"""Share of these that show someone, not only background."""
JUNK = 0.5
"""Boxes that are cut badly, over people."""
BADLY = 3.5
"""How badly they are cut, over what is usual of the camera."""
FRAMES_APART = 25
"""Frames between boxes of one person from one camera."""
QUALITY = 95
"""Of JPEG."""

Folder = Literal["bounding_box_train", "bounding_box_test", "query", "gt_bbox"]
FOLDERS: tuple[Folder, ...] = ("bounding_box_train", "bounding_box_test", "query", "gt_bbox")
_LOOK, _CAMERA, _ROUTE, _SHOT = range(4)
"""What random draws are for."""
_STRANGERS = 1_000_000
"""Numbers of people who are looked for by no query, from here on."""
_NOBODY = 0
_JUNK = -1


@dataclass(frozen=True)
class ToyBox:
    """What one image is called and made from."""

    folder: Folder
    """Directory it is in."""
    person: int
    """Who its name says it shows: from 1, 0 (nobody who is looked for) or -1 (junk)."""
    camera: int
    """Camera that took it, from 1."""
    shot: int
    """Its place among the boxes of a person and camera, or of nobody, or of junk, from 0."""
    drawn: int | None
    """Who is drawn; None where nobody is."""

    @property
    def name(self) -> str:
        """Name of its file."""
        person = "-1" if self.person == _JUNK else f"{self.person:04d}"
        frame = FRAMES_APART * (self.shot + 1)
        box = 0 if self.is_by_hand else 1
        return f"{person}_c{self.camera}s1_{frame:06d}_{box:02d}.jpg"

    @property
    def is_by_hand(self) -> bool:
        """Whether the box was drawn by hand."""
        return self.folder in ("query", "gt_bbox")


def toy_boxes(size: int, seed: int, cameras: int = CAMERAS) -> list[ToyBox]:
    """Return all images: of people in order, then of nobody, then junk."""
    boxes = [
        box for person in range(1, size + 1) for box in _boxes_of_person(person, seed, cameras)
    ]
    boxes += [_box_of_nobody(shot, seed, cameras) for shot in range(int(DISTRACTORS * size))]
    return boxes + [_junk(shot, size, seed, cameras) for shot in range(int(JUNK * size))]


def count_market1501(*, size: int, seed: int, cameras: int = CAMERAS) -> dict[str, int]:
    """Return how many people, cameras and images of each kind there will be."""
    boxes = toy_boxes(size, seed, cameras)
    by_folder = Counter(box.folder for box in boxes)
    return {
        "people": size,
        "cameras": cameras,
        "train": by_folder["bounding_box_train"],
        "queries": by_folder["query"],
        "gallery": by_folder["bounding_box_test"] - sum(box.person == _JUNK for box in boxes),
        "junk": sum(box.person == _JUNK for box in boxes),
    }


def make_market1501(
    directory: Path,
    *,
    size: int,
    seed: int,
    size_hw: tuple[int, int],
    cameras: int = CAMERAS,
    reporter: Reporter,
) -> list[ToyBox]:
    """Write the dataset: images of people in training, query, gallery and hand-drawn boxes.

    The directory appears whole or not at all, and replaces what was there. An image of a person
    depends only on the seed, the person and the camera, not on how many there are.

    Args:
        directory: Where to write.
        size: People, of whom half are for training, at least `FEWEST_PEOPLE`.
        seed: Seed of every random draw.
        size_hw: Rows and columns of each image.
        cameras: Cameras, at least `FEWEST_CAMERAS`.
        reporter: Told of progress.

    Returns:
        The images written.

    Raises:
        UsageError: There are too few people or cameras for somebody to be found again.
    """
    _require("--size", size, FEWEST_PEOPLE)
    _require("--cameras", cameras, FEWEST_CAMERAS)
    boxes = toy_boxes(size, seed, cameras)
    draw = Studio(seed, cameras, size_hw)
    with replacing_directory(directory.resolve()) as root:
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True)
        for box in reporter.track(boxes, label="drawing toy people", unit="images"):
            picture = Image.fromarray(draw(box))
            picture.save(root / box.folder / box.name, quality=QUALITY, subsampling=0)
        about = {"size": size, "seed": seed, "cameras": cameras, "frame_hw": list(size_hw)}
        write_text(root / "config.toml", tomli_w.dumps({"format_version": 1, **about}))
    return boxes


class Studio:
    """Draws the images of one dataset."""

    def __init__(self, seed: int, cameras: int, size_hw: tuple[int, int]) -> None:
        """Put up the cameras."""
        self._seed = seed
        self._size_hw = size_hw
        self._cameras: list[Camera] = [
            draw_camera(number, _generator(seed, _CAMERA, number)) for number in range(cameras)
        ]

    def __call__(self, box: ToyBox) -> Picture:
        """Return an image."""
        looseness = 0.0 if box.is_by_hand else BADLY if box.person == _JUNK else 1.0
        return photograph(
            self._person(box),
            self._cameras[box.camera - 1],
            size_hw=self._size_hw,
            looseness=looseness,
            rng=_shot_generator(self._seed, box),
        )

    def _person(self, box: ToyBox) -> Person | None:
        return None if box.drawn is None else draw_person(_generator(self._seed, _LOOK, box.drawn))


def _boxes_of_person(person: int, seed: int, cameras: int) -> Iterator[ToyBox]:
    """Yield the images of someone from every camera that saw them."""
    for camera in _seen_by(person, seed, cameras):
        for shot in range(SHOTS):
            if person % 2:
                yield ToyBox("bounding_box_train", person, camera, shot, person)
                continue
            folder: Folder = "bounding_box_test" if shot else "query"
            yield ToyBox(folder, person, camera, shot, person)
            yield ToyBox("gt_bbox", person, camera, shot, person)


def _seen_by(person: int, seed: int, cameras: int) -> list[int]:
    rng = _generator(seed, _ROUTE, person)
    order = rng.permutation(cameras) + 1
    also = rng.random(cameras) < SEEN
    return sorted(int(camera) for n, camera in enumerate(order) if n < FEWEST_CAMERAS or also[n])


def _box_of_nobody(shot: int, seed: int, cameras: int) -> ToyBox:
    """Return a box of someone whom no query looks for, or of background alone."""
    rng = _generator(seed, _ROUTE, _STRANGERS + shot)
    drawn = _STRANGERS + shot if rng.random() < OTHERS else None
    return ToyBox("bounding_box_test", _NOBODY, 1 + int(rng.integers(cameras)), shot, drawn)


def _junk(shot: int, size: int, seed: int, cameras: int) -> ToyBox:
    """Return a badly cut box of someone for testing."""
    rng = _generator(seed, _ROUTE, 2 * _STRANGERS + shot)
    camera = 1 + int(rng.integers(cameras))
    return ToyBox("bounding_box_test", _JUNK, camera, shot, 2 + 2 * int(rng.integers(size // 2)))


def _shot_generator(seed: int, box: ToyBox) -> np.random.Generator:
    """Return the source of how someone stands: the same in both boxes about one shot."""
    purpose = (box.person - _JUNK, box.camera, box.shot)
    return _generator(seed, _SHOT, *purpose)


def _generator(seed: int, *purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((seed, *purpose)))


def _require(option: str, given: int, fewest: int) -> None:
    if given < fewest:
        what = f"must be at least {fewest}, so that somebody can be found again"
        raise UsageError(what, where=option)

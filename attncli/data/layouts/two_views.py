"""People seen by two cameras, once or twice each: VIPeR, PRID450S, GRID and CUHK01.

| set | directories | names | who | which view |
|---|---|---|---|---|
| VIPeR | `cam_a/`, `cam_b/` | `001_45.bmp` | first number | directory |
| PRID450S | `cam_a/`, `cam_b/` | `img_001.png` | first number | directory |
| GRID | `probe/`, `gallery/` | `0001_1_25016_107_33_106_221.jpeg` | first number | directory |
| CUHK01 | `campus/` | `0001003.png` | first four digits | last three: 001 and 002, others |

Where a directory holds images called `img_...`, others are none of people (PRID450S has silhouettes
and maps of parts). GRID's 0000 is nobody of the probes, and stays in the gallery as a wrong answer;
its eight cameras are taken as the two views that its protocol compares. The first view asks and the
second answers. Archives have the directories in `VIPeR/`, `prid_450s/`, `underground_reid/` or
`CUHK01/`.

None comes with one division into training and validation: people are divided at random, many times.
`train` and `val` are the division of seed 0 into halves; others are made of `all` by
`attncli.data.identities`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from attncli.data.identities import identity_split
from attncli.data.layouts.video_tree import notes_on_left_out
from attncli.data.samples import ImageDataset, ImageSample, Role, Split
from attncli.data.video.frame_folders import IMAGE_SUFFIXES, natural_order
from attncli.errors import AttncliError

LOOKS_LIKE = "cam_a/ and cam_b/ (VIPeR, PRID450S), probe/ and gallery/ (GRID) or campus/ (CUHK01)"

SPLIT_SEED = 0
"""Seed of the division that `train` and `val` are."""
_HOMES = (".", "VIPeR", "prid_450s", "PRID450S", "underground_reid", "GRID", "CUHK01")
_NUMBERED = re.compile(r"(?:img_|person_)?(?P<person>[0-9]+)(?:[_.\-].*)?")
_CUHK01 = re.compile(r"(?P<person>[0-9]{4})(?P<shot>[0-9]{3})")
_FIRST_SHOTS = ("001", "002")
_REMEDY = "correct it, or list the images in a manifest"
_ROLES: tuple[Role, Role] = ("query", "gallery")

Seen = tuple[str, int]
"""Who is to be seen, by the name, and in which of the two views."""


@dataclass(frozen=True)
class _Kind:
    folders: tuple[str, ...]
    """Directories of its images; of two, those of the first and of the second view."""
    names: str
    """What names look like, for messages."""
    parse: Callable[[str, int], Seen | None]
    """From a name without suffix, and which directory it is in, who is to be seen in which view;
    None where the name does not parse."""
    cameras: tuple[str, str]
    """What the views are called."""
    nobody: str | None = None
    """How names call whoever is no right answer; None where all are people."""


def _numbered(stem: str, folder: int) -> Seen | None:
    found = _NUMBERED.fullmatch(stem)
    return None if found is None else (found["person"], folder)


def _four_digits(stem: str, folder: int) -> Seen | None:  # noqa: ARG001 - there is but one
    found = _CUHK01.fullmatch(stem)
    return None if found is None else (found["person"], int(found["shot"] not in _FIRST_SHOTS))


_CAMERAS = ("cam_a", "cam_b")
_PROBES = ("probe", "gallery")
_KINDS = (
    _Kind(_CAMERAS, "PERSON_..., as 001_45", _numbered, _CAMERAS),
    _Kind(_PROBES, "PERSON_..., as 0001_1_25016", _numbered, _PROBES, nobody="0000"),
    _Kind(("campus",), "seven digits, as 0001003", _four_digits, ("campus-1", "campus-2")),
)


def fits(root: Path) -> bool:
    """Return whether there are the directories of a set, with an image called as in it."""
    return _recognised(root) is not None


def open_split(root: Path, split: Split) -> ImageDataset:
    """Return all images, those of the first view first, or a part of a random division.

    Of `all`, classes are the people in both views, and each image has a `role`. Of `train` and
    `val`, classes are the people to learn from; see `identity_split`.

    Raises:
        AttncliError: A name does not parse, or fewer than two people are in both views.
    """
    home, kind = _recognised(root) or (None, None)
    if home is None or kind is None:
        raise AttncliError(f"not a set of two views, looked for {LOOKS_LIKE}", where=root)
    dataset = _open(root, home, kind)
    if split == "all":
        return dataset
    parts = identity_split(dataset, SPLIT_SEED)
    return parts.train if split == "train" else parts.test


def _recognised(root: Path) -> tuple[Path, _Kind] | None:
    for home in (root / name for name in _HOMES):
        for kind in _KINDS:
            if all((home / name).is_dir() for name in kind.folders) and _has_one(home, kind):
                return home, kind
    return None


def _has_one(home: Path, kind: _Kind) -> bool:
    """Return whether an image is called as in the set; `probe/` alone says little."""
    return any(kind.parse(file.stem, 0) for file in _images(home / kind.folders[0]))


def _open(root: Path, home: Path, kind: _Kind) -> ImageDataset:
    samples, left_out = [], []
    for number, name in enumerate(kind.folders):
        files, others = _chosen(home / name)
        left_out += others
        samples += [_sample(file, kind, number) for file in files]
    samples.sort(key=lambda sample: sample.role != "query")  # CUHK01 mixes its views
    classes = _in_both_views(samples)
    labelled = tuple(_labelled(sample, classes) for sample in samples)
    notes = notes_on_left_out(left_out, "images of people")
    return ImageDataset("two-views", root, tuple(classes), labelled, "file names", notes)


def _chosen(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images of people in a directory, in natural order, and all else there."""
    images = sorted(_images(folder), key=lambda file: natural_order(file.name))
    named = [file for file in images if file.name.startswith("img_")]
    chosen = set(named or images)
    others = [f for f in folder.iterdir() if f not in chosen and not f.name.startswith(".")]
    return named or images, sorted(others)


def _images(folder: Path) -> Iterator[Path]:
    return (
        file
        for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    )


def _sample(file: Path, kind: _Kind, folder: int) -> ImageSample:
    seen = kind.parse(file.stem, folder)
    if seen is None:
        raise AttncliError(f"name is not {kind.names}", where=file, remedy=_REMEDY)
    person, view = seen
    return ImageSample(
        id=f"{file.parent.name}/{file.stem}",
        path=file,
        labels=None,
        subject=None if person == kind.nobody else person,
        camera=kind.cameras[view],
        role=_ROLES[view],
    )


def _in_both_views(samples: list[ImageSample]) -> dict[str, int]:
    """Return the label of each person who can be found again."""
    first, second = (
        {s.subject for s in samples if s.role == role and s.subject is not None} for role in _ROLES
    )
    return {person: label for label, person in enumerate(sorted(first & second))}


def _labelled(sample: ImageSample, classes: dict[str, int]) -> ImageSample:
    label = classes.get(sample.subject or "")
    return sample if label is None else replace(sample, labels=frozenset({label}))

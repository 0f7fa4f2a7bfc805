"""A small dataset in CK+'s layout: drawn people whose faces go from neutral to an expression.

Faces also blink, look about, turn and talk, whatever they express. The true masks in `masks/` show
where an expression changes the picture.
"""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import tomli_w
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from attncli.data.toy.faces import Look, Pose, Unit, landmarks, paint_face
from attncli.errors import UsageError
from attncli.files.atomic import replacing_directory, write_text
from attncli.files.masks import FrameMasks, Instance, MaskWriter
from attncli.machine import usable_cores
from attncli.reporting import Reporter

Course = Float[np.ndarray, "t u"]
"""How strongly each `Unit` acts in each frame."""

IMAGES, EMOTIONS, LANDMARKS = "cohn-kanade-images", "Emotion", "Landmarks"
FEWEST_PEOPLE = 3
"""People who can show all expressions between them."""
FEWEST_FRAMES = 6
"""Smallest usual length at which an expression still comes gradually."""
LENGTHS = (0.57, 1.45)
"""Shortest and longest sequence, over the usual length."""
PEAK = (0.75, 1.0)
"""Weakest and strongest expression in the last frame; a unit may stay below it."""
ONSET, APEX = (0.0, 0.3), (0.5, 0.85)
"""When an expression begins and when it is all there, over the length of the sequence."""
VISIBLE = 9.0
"""Change of a pixel, in grey levels, from which an expression is said to show there."""
UNLABELLED = 0.35
"""Probability that a person shows something beside, which is no expression of the seven."""

EXPRESSIONS: dict[str, Mapping[Unit, float]] = {
    "anger": {Unit.BROW_DOWN: 1.0, Unit.LIDS_TIGHT: 0.7, Unit.PRESS: 0.8},
    "contempt": {Unit.DIMPLE_LEFT: 1.0, Unit.PRESS: 0.2},
    "disgust": {
        Unit.NOSE_WRINKLE: 1.0,
        Unit.LIP_UP: 0.7,
        Unit.BROW_DOWN: 0.5,
        Unit.LIDS_TIGHT: 0.5,
        Unit.CHEEKS_UP: 0.3,
    },
    "fear": {
        Unit.INNER_BROW_UP: 1.0,
        Unit.OUTER_BROW_UP: 0.5,
        Unit.BROW_DOWN: 0.4,
        Unit.LIDS_WIDE: 0.8,
        Unit.STRETCH: 0.8,
        Unit.LIPS_PART: 0.5,
    },
    "happy": {Unit.SMILE: 1.0, Unit.CHEEKS_UP: 0.8, Unit.LIPS_PART: 0.6},
    "sadness": {Unit.INNER_BROW_UP: 0.8, Unit.BROW_DOWN: 0.35, Unit.CORNERS_DOWN: 1.0},
    "surprise": {
        Unit.INNER_BROW_UP: 1.0,
        Unit.OUTER_BROW_UP: 1.0,
        Unit.LIDS_WIDE: 0.9,
        Unit.JAW_DROP: 1.0,
        Unit.LIPS_PART: 0.3,
    },
}
"""What acts in each expression at its strongest; its place, from 1, is its number in CK+."""
SHOWN = dict(zip(EXPRESSIONS, np.array([45, 18, 59, 25, 69, 28, 83]) / 118, strict=True))
"""Probability that a person shows an expression: as often as in CK+."""


@dataclass(frozen=True)
class ToySequence:
    """What one sequence is called and made from."""

    person: int
    """Who is to be seen, from 0."""
    number: int
    """Its place among that person's sequences, from 1; it says nothing of the expression."""
    expression: str | None
    """A key of `EXPRESSIONS`, or None for a face that moves otherwise."""

    @property
    def id(self) -> str:
        """Path below the directory of images."""
        return f"S{self.person + 1:03d}/{self.number:03d}"

    def file(self, frame: int) -> str:
        """Return the name, without suffix, of what belongs to a frame, which count from 1."""
        return f"{self.id.replace('/', '_')}_{frame:08d}"


@dataclass(frozen=True)
class FaceVideo:
    """A drawn sequence and its truth."""

    frames: UInt8[np.ndarray, "t h w"]
    """Grey levels."""
    landmarks: Float[np.ndarray, "t 68 2"]
    """Columns and rows of the face's points, in pixels."""
    masks: Bool[np.ndarray, "t h w"]
    """Pixels that look otherwise than they would without the expression."""


def toy_sequences(size: int, seed: int) -> list[ToySequence]:
    """Return the sequences of `size` people; each shows some expressions, in any order."""
    return [sequence for person in range(size) for sequence in _shown_by(person, seed)]


def count_ckplus(*, size: int, seed: int, frames: int) -> dict[str, int]:
    """Return how many people, sequences with and without a label, frames and classes there are."""
    sequences = toy_sequences(size, seed)
    return {
        "subjects": size,
        "sequences": len(sequences),
        "labelled": sum(each.expression is not None for each in sequences),
        "frames": sum(_length(_generator(each, seed, "course"), frames) for each in sequences),
        "classes": len(EXPRESSIONS),
    }


def make_ckplus(
    directory: Path,
    *,
    size: int,
    seed: int,
    frames: int,
    size_hw: tuple[int, int],
    reporter: Reporter,
) -> list[ToySequence]:
    """Write the dataset: CK+'s three directories and the true masks in `masks/`.

    The directory appears whole or not at all, and replaces what was there. A sequence depends only
    on the seed, the person and the expression, not on how many there are.

    Args:
        directory: Where to write.
        size: People, at least `FEWEST_PEOPLE`.
        seed: Seed of every random draw.
        frames: Usual length of a sequence, at least `FEWEST_FRAMES`.
        size_hw: Rows and columns of each frame.
        reporter: Told of progress.

    Returns:
        The sequences written.

    Raises:
        UsageError: There are too few people to show all expressions.
    """
    if size < FEWEST_PEOPLE:
        what = f"must be at least {FEWEST_PEOPLE}, so that every expression is shown"
        raise UsageError(what, where="--size")
    sequences = toy_sequences(size, seed)
    with replacing_directory(directory.resolve()) as root:
        make = partial(_make_sequence, root, seed=seed, frames=frames, size_hw=size_hw)
        pool = ThreadPoolExecutor(usable_cores())
        try:
            made, n = pool.map(make, sequences), len(sequences)
            list(reporter.track(made, label="drawing faces", total=n, unit="sequences"))
        finally:
            pool.shutdown(cancel_futures=True)
        settings = {"format_version": 1, "size": size, "seed": seed, "frames": frames}
        write_text(root / "config.toml", tomli_w.dumps({**settings, "frame_hw": list(size_hw)}))
    return sequences


def draw(sequence: ToySequence, *, seed: int, frames: int, size_hw: tuple[int, int]) -> FaceVideo:
    """Return the frames and the truth of a sequence; `frames` is the usual length."""
    rng = _generator(sequence, seed, "course")
    n_frames = _length(rng, frames)
    look = Look.draw(_generator(sequence, seed, "look"))
    expressed = _expressed(sequence.expression, n_frames, rng)
    idle = _idle(n_frames, rng)
    poses = _poses(n_frames, size_hw, rng)
    acting = np.clip(idle + expressed, -1.0, 1.2)
    pictures = [
        [paint_face(look, action, pose, size_hw) for action in (moved, unmoved)]
        for moved, unmoved, pose in zip(acting, idle, poses, strict=True)
    ]
    points = [landmarks(look, action, pose) for action, pose in zip(acting, poses, strict=True)]
    return FaceVideo(
        frames=_filmed(np.stack([shown for shown, _ in pictures]), look, rng),
        landmarks=np.stack(points),
        masks=np.stack([_changed(*pair) for pair in pictures]),
    )


def _generator(
    sequence: ToySequence, seed: int, purpose: Literal["course", "look", "plan"]
) -> np.random.Generator:
    """Return the source of what a person looks like and shows, or of one sequence's course."""
    own = [None, *EXPRESSIONS].index(sequence.expression) + 2
    place = {"plan": 0, "look": 1, "course": own}[purpose]
    return np.random.default_rng(np.random.SeedSequence((seed, sequence.person, place)))


def _shown_by(person: int, seed: int) -> list[ToySequence]:
    """Return a person's sequences."""
    rng = _generator(ToySequence(person, 0, None), seed, "plan")
    margins = np.array(list(SHOWN.values())) - rng.random(len(SHOWN))
    if person < 2 * FEWEST_PEOPLE:
        # Every expression is there, and of two people: one to learn from and one to be tested on.
        margins[person % FEWEST_PEOPLE :: FEWEST_PEOPLE] = 1.0
    most = np.argsort(-margins, kind="stable")[: max(1, min(6, int((margins > 0).sum())))]
    names = list(EXPRESSIONS)
    shown: list[str | None] = [names[index] for index in most]
    if rng.random() < UNLABELLED:
        shown.append(None)
    order = rng.permutation(len(shown))
    return [ToySequence(person, n, shown[index]) for n, index in enumerate(order, start=1)]


def _length(rng: np.random.Generator, frames: int) -> int:
    """Draw the number of frames of a sequence."""
    return round(frames * rng.uniform(*LENGTHS))


def _rise(n_frames: int, start: float, end: float) -> Float[np.ndarray, " t"]:
    """Return values that rise smoothly from 0 to 1 between two shares of the sequence."""
    time = np.clip((np.linspace(0, 1, n_frames) - start) / (end - start), 0, 1)
    return time * time * (3 - 2 * time)


def _expressed(expression: str | None, n_frames: int, rng: np.random.Generator) -> Course:
    """Return what an expression moves: nothing in the first frame, most in the last one."""
    full = np.zeros(len(Unit))
    if expression is None:
        full[rng.choice(Unit.BLINK, size=2, replace=False)] = rng.uniform(0.3, 0.7, size=2)
    else:
        for unit, strength in EXPRESSIONS[expression].items():
            # People differ in which parts of an expression they show.
            full[unit] = strength * rng.uniform(0.6, 1.15)
    if rng.random() < 0.5:
        left, right = Unit.DIMPLE_LEFT, Unit.DIMPLE_RIGHT
        full[[left, right]] = full[[right, left]]
    rise = _rise(n_frames, rng.uniform(*ONSET), rng.uniform(*APEX))
    return rng.uniform(*PEAK) * rise[:, None] * full


def _idle(n_frames: int, rng: np.random.Generator) -> Course:
    """Return what moves in any face: blinks, gaze, talk and slight movements of single parts."""
    frames, course = np.arange(n_frames), np.zeros((n_frames, len(Unit)))
    for when in rng.uniform(0, n_frames, size=rng.poisson(0.7)):
        course[:, Unit.BLINK] += np.exp(-(((frames - when) / 0.8) ** 2))
    for gaze in (Unit.GAZE_X, Unit.GAZE_Y):
        shift = rng.normal(0, 0.4, size=2).clip(-1, 1)
        course[:, gaze] = np.where(frames < rng.uniform(0, 2 * n_frames), *shift)
    if rng.random() < 0.3:
        wave = np.abs(np.sin(frames * rng.uniform(0.6, 1.1) + rng.uniform(0, np.pi)))
        course[:, Unit.JAW_DROP] += rng.uniform(0.08, 0.2) * wave
        course[:, Unit.LIPS_PART] += rng.uniform(0.1, 0.4) * wave
    for unit in rng.choice(Unit.BLINK, size=3, replace=False):
        start = rng.uniform(-0.4, 0.7)
        course[:, unit] += rng.uniform(0, 0.35) * _rise(n_frames, start, start + 0.5)
    return course


def _poses(n_frames: int, size_hw: tuple[int, int], rng: np.random.Generator) -> list[Pose]:
    """Return where the head is in each frame: near the middle, drifting and turning a little."""
    height, width = size_hw
    unit_px = rng.uniform(0.24, 0.275) * min(height, 0.95 * width)
    start, drift = rng.normal(size=(2, 6)), rng.normal(size=6)
    time = np.linspace(0, 1, n_frames)[:, None]
    sway = np.sin(2 * np.pi * (time * rng.uniform(0.3, 1.0, size=6) + rng.random(6)))
    x, y, size, roll, turn_x, turn_y = (
        start[0] + 0.5 * drift * time + 0.3 * sway * start[1]
    ).T * np.array([0.06, 0.05, 0.012, 0.025, 0.035, 0.025])[:, None]
    columns = 0.5 * width + unit_px * x
    rows = 0.46 * height + unit_px * y
    values = zip(columns, rows, unit_px * np.exp(size), roll, turn_x, turn_y, strict=True)
    return [Pose(*map(float, each)) for each in values]


def _changed(
    shown: Float[np.ndarray, "h w"], without: Float[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Return where two pictures differ, holes of a few pixels filled."""
    differs = (np.abs(shown - without) > VISIBLE).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return cv2.morphologyEx(differs, cv2.MORPH_CLOSE, disc).astype(np.bool_)


def _filmed(
    pictures: Float[np.ndarray, "t h w"], look: Look, rng: np.random.Generator
) -> UInt8[np.ndarray, "t h w"]:
    """Return pictures as a camera takes them: lit from one side, growing brighter, and noisy."""
    n_frames, height, width = pictures.shape
    y, x = np.mgrid[-1 : 1 : 1j * height, -1 : 1 : 1j * width]
    light = 1 + look.light * (x * math.cos(look.light_rad) + y * math.sin(look.light_rad))
    exposure = rng.uniform(0.9, 1.1) + rng.normal(0, 0.04) * np.linspace(0, 1, n_frames)
    noise = rng.normal(0, rng.uniform(2.5, 6.0), size=pictures.shape)
    lit = pictures * (light * exposure[:, None, None]) + noise
    return np.clip(lit, 0, 255).astype(np.uint8)


def _make_sequence(
    root: Path, sequence: ToySequence, *, seed: int, frames: int, size_hw: tuple[int, int]
) -> None:
    video = draw(sequence, seed=seed, frames=frames, size_hw=size_hw)
    images, points = root / IMAGES / sequence.id, root / LANDMARKS / sequence.id
    for folder in (images, points):
        folder.mkdir(parents=True)
    for number, (frame, marks) in enumerate(zip(video.frames, video.landmarks, strict=True), 1):
        name = sequence.file(number)
        Image.fromarray(frame).save(images / f"{name}.png", compress_level=1)
        lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in marks)
        (points / f"{name}_landmarks.txt").write_text(lines, encoding="ascii")
    _write_emotion(root / EMOTIONS / sequence.id, sequence, last=len(video.frames))
    with MaskWriter(root / "masks", sequence.id) as writer:
        for index, mask in enumerate(video.masks):
            found = (Instance.of(mask, category="expression", score=1.0),) if mask.any() else ()
            writer.write(FrameMasks(index, (mask.shape[0], mask.shape[1]), found))


def _write_emotion(folder: Path, sequence: ToySequence, *, last: int) -> None:
    """Write the expression's number; where there is none, every other person has no folder."""
    if sequence.expression is not None:
        folder.mkdir(parents=True)
        number = 1 + list(EXPRESSIONS).index(sequence.expression)
        name = f"{sequence.file(last)}_emotion.txt"
        (folder / name).write_text(f"   {number:.7e}\n", encoding="ascii")
    elif sequence.person % 2:
        folder.mkdir(parents=True)

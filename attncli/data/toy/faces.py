"""Drawn grey faces that move by facial action units, with 68 landmarks.

Faces are laid out in head units: a unit is about half a face's width, the origin lies between the
eyes at rest, x grows to the image's right and y downwards. `Pose` places them in a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum, auto
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int32

Action = Float[np.ndarray, " u"]
"""How strongly each `Unit` acts: 0 at rest, 1 fully; a gaze may be negative."""
Grey = Float32[np.ndarray, "h w"]
Points = Float[np.ndarray, "n 2"]
Outline = Points | Sequence[Sequence[float]]
Row = Float[np.ndarray, " n"]

ZOOM = 2
"""Pixels drawn a side for each pixel of the frame."""
SHIFT_BITS = 4
"""Binary digits behind the point of the coordinates given to OpenCV."""
ACROSS = np.linspace(-1.0, 1.0, 13)
"""Places along an eyelid or a lip, from its left end to its right end."""
CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 25)) for f in (np.cos, np.sin)], axis=1)
BROW = np.linspace(0.0, 1.0, 9)
"""Places along a brow, from the nose outwards."""


class Unit(IntEnum):
    """What moves in a face, by the numbers of the Facial Action Coding System."""

    INNER_BROW_UP = 0  # AU1
    OUTER_BROW_UP = auto()  # AU2
    BROW_DOWN = auto()  # AU4: and drawn together, with a furrow between them
    LIDS_WIDE = auto()  # AU5
    CHEEKS_UP = auto()  # AU6
    LIDS_TIGHT = auto()  # AU7
    NOSE_WRINKLE = auto()  # AU9
    LIP_UP = auto()  # AU10
    SMILE = auto()  # AU12
    DIMPLE_LEFT = auto()  # AU14 of the corner at the image's left
    DIMPLE_RIGHT = auto()  # the same at the image's right
    CORNERS_DOWN = auto()  # AU15
    STRETCH = auto()  # AU20
    PRESS = auto()  # AU24
    LIPS_PART = auto()  # AU25
    JAW_DROP = auto()  # AU26
    BLINK = auto()  # AU45: 1 closes the eyes
    GAZE_X = auto()  # from -1, the image's left, to 1
    GAZE_Y = auto()  # from -1, up, to 1


def _between(low: float, high: float) -> Any:
    return field(metadata={"range": (low, high)})


def _sometimes(probability: float) -> Any:
    return field(metadata={"probability": probability})


@dataclass(frozen=True)
class Look:
    """A person and the room: lengths in head units, tones in grey levels of 0-255.

    Widths of face and mouth are half of them. `brow_tilt` and `mouth_bend` say how much lower the
    outer ends are at rest, `lip` how high the upper lip is, `lip_tone` what its tone adds to the
    skin's, `jaw` how pointed it is, `wrinkles` how deep creases are over the usual. Light comes
    from `light_rad` and makes that edge of the frame brighter by the share `light`.
    """

    width: float = _between(0.92, 1.08)
    chin_y: float = _between(1.48, 1.72)
    jaw: float = _between(0.75, 1.05)
    eye_x: float = _between(0.43, 0.51)
    eye_width: float = _between(0.18, 0.225)
    eye_height: float = _between(0.065, 0.1)
    brow_y: float = _between(-0.36, -0.27)
    brow_height: float = _between(0.035, 0.085)
    brow_arch: float = _between(0.0, 0.1)
    brow_tilt: float = _between(-0.05, 0.07)
    nose_y: float = _between(0.6, 0.74)
    nose_width: float = _between(0.2, 0.28)
    mouth_y: float = _between(0.95, 1.06)
    mouth_width: float = _between(0.32, 0.43)
    mouth_bend: float = _between(-0.03, 0.04)
    lip: float = _between(0.045, 0.09)
    skin: float = _between(125.0, 205.0)
    lip_tone: float = _between(-60.0, -25.0)
    hair: float = _between(20.0, 95.0)
    hairline_y: float = _between(-1.1, -0.8)
    parting: float = _between(-0.6, 0.6)
    iris: float = _between(30.0, 85.0)
    wrinkles: float = _between(0.6, 1.2)
    background: float = _between(70.0, 190.0)
    clothes: float = _between(30.0, 210.0)
    light_rad: float = _between(0.0, 2 * np.pi)
    light: float = _between(0.03, 0.22)
    glasses: bool = _sometimes(0.15)
    beard: bool = _sometimes(0.15)
    fringe: bool = _sometimes(0.2)
    long_hair: bool = _sometimes(0.4)

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Look":
        """Return a random person, each trait drawn by itself."""
        values: dict[str, Any] = {}
        for each in fields(cls):
            chance = rng.random()
            if "range" in each.metadata:
                low, high = each.metadata["range"]
                values[each.name] = low + (high - low) * chance
            else:
                values[each.name] = bool(chance < each.metadata["probability"])
        return cls(**values)


@dataclass(frozen=True)
class Pose:
    """Where a head is: column and row of the middle between the eyes, and pixels of a head unit.

    `roll_rad` leans it clockwise; its front is turned by `turn_x` head units to the image's right
    and by `turn_y` downwards.
    """

    x_px: float
    y_px: float
    unit_px: float
    roll_rad: float = 0.0
    turn_x: float = 0.0
    turn_y: float = 0.0

    def place(self, points: Points) -> Points:
        """Return the pixel coordinates of points in head units."""
        middle = (points / (1.15, 1.75)) ** 2
        depth = np.sqrt(np.clip(1 - middle.sum(axis=1, keepdims=True), 0, None))
        cos, sin = self.unit_px * np.cos(self.roll_rad), self.unit_px * np.sin(self.roll_rad)
        turned = points + depth * (self.turn_x, self.turn_y)
        return np.add(turned @ np.array([[cos, sin], [-sin, cos]]), (self.x_px, self.y_px))


@dataclass(frozen=True)
class _Mouth:
    """Lines of a mouth over `ACROSS`, in head units: the edges of its lips from above down."""

    x: Row
    top: Row
    upper: Row
    lower: Row
    bottom: Row


def _brow(look: Look, action: Action, side: int) -> Points:
    """Return the middle line of the brow at the image's left (-1) or right (1), outwards."""
    inner, outer, down = action[: Unit.BROW_DOWN + 1]
    x = look.eye_x - 0.3 + 0.56 * BROW - 0.06 * down * (1 - BROW)
    y = look.brow_y - look.brow_arch * np.sin(np.pi * (0.1 + 0.8 * BROW))
    y += look.brow_tilt * (BROW - 0.5) - 0.17 * inner * (1 - BROW) ** 1.3
    y += 0.11 * down * (1.1 - BROW) - 0.17 * outer * np.sqrt(BROW)
    y += 0.05 * action[Unit.NOSE_WRINKLE] * (1 - BROW)
    return np.stack([side * x, y], axis=1)


def _lids(look: Look, action: Action, side: int) -> tuple[Points, Points]:
    """Return the edges of the upper and the lower lid, from the image's left to its right."""
    wide, cheeks, tight = action[Unit.LIDS_WIDE : Unit.LIDS_TIGHT + 1]
    x = side * look.eye_x + look.eye_width * ACROSS
    slant = -0.02 * side * ACROSS
    upper = look.eye_height * (1 + 0.55 * wide - 0.3 * tight - 0.12 * cheeks)
    lower = look.eye_height * (0.62 + 0.15 * wide - 0.35 * tight - 0.4 * cheeks)
    closed = np.clip(action[Unit.BLINK], 0, 1)
    arch, bowl = (1 - ACROSS**2) ** 0.75, 1 - ACROSS**2
    bottom = slant + lower * bowl
    top = (1 - closed) * (slant - upper * arch) + closed * bottom
    return np.stack([x, top], axis=1), np.stack([x, bottom], axis=1)


def _mouth(look: Look, action: Action) -> _Mouth:
    """Return the lines of the lips."""
    a, jaw = action, action[Unit.JAW_DROP]
    end = ACROSS**2
    dimple = np.where(ACROSS < 0, a[Unit.DIMPLE_LEFT], a[Unit.DIMPLE_RIGHT])
    half = look.mouth_width + 0.13 * a[Unit.SMILE] + 0.16 * a[Unit.STRETCH] + 0.08 * dimple
    half = half + 0.02 * a[Unit.CORNERS_DOWN] - 0.03 * a[Unit.PRESS] - 0.07 * jaw
    seam = look.mouth_y + end * (
        look.mouth_bend - 0.16 * a[Unit.SMILE] - 0.09 * dimple + 0.12 * a[Unit.CORNERS_DOWN]
    )
    seam = seam + 0.03 * a[Unit.STRETCH] * end + 0.1 * jaw * end
    lift = (0.1 * a[Unit.LIP_UP] + 0.05 * a[Unit.NOSE_WRINKLE] - 0.02 * jaw) * (1 - end**2)
    thin = np.clip(1 - 0.65 * a[Unit.PRESS] - 0.2 * a[Unit.SMILE] - 0.2 * a[Unit.STRETCH], 0.2, 1)
    gap = (0.1 * a[Unit.LIPS_PART] + 0.06 * a[Unit.LIP_UP] + 0.38 * jaw) * (1 - end) ** 0.7
    bow = (1 - end**2) * (1 - 0.25 * np.exp(-((ACROSS / 0.15) ** 2)))
    upper = seam - lift
    lower = seam + gap - 0.5 * lift - 0.05 * a[Unit.CORNERS_DOWN] * (1 - end)
    return _Mouth(
        x=ACROSS * half,
        top=upper - look.lip * thin * bow,
        upper=upper,
        lower=np.maximum(lower, upper),
        bottom=np.maximum(lower, upper) + 1.35 * look.lip * thin * (1 - end),
    )


def _jaw(look: Look, action: Action) -> Points:
    """Return the outline from the ear at the image's left over the chin to the other ear."""
    angle = np.linspace(0, np.pi, 33)
    drop = 0.3 * action[Unit.JAW_DROP] * np.sin(angle) ** 3
    y = (look.chin_y + 0.1) * np.sin(angle) ** look.jaw - 0.1 + drop
    return np.stack([-look.width * np.cos(angle), y], axis=1)


def _nose(look: Look, action: Action) -> Float[np.ndarray, "9 2"]:
    """Return the four points down its ridge and the five along its base."""
    lift = 0.05 * action[Unit.NOSE_WRINKLE] + 0.02 * action[Unit.LIP_UP]
    ridge = np.linspace(0.02, look.nose_y - 0.14 - lift, 4)
    base = look.nose_y - lift * np.array([1.4, 1.0, 0.8, 1.0, 1.4])
    base += (-0.03, 0.0, 0.02, 0.0, -0.03)
    x = look.nose_width * np.array([0.0, 0.0, 0.0, 0.0, -0.75, -0.4, 0.0, 0.4, 0.75])
    return np.stack([x, np.concatenate([ridge, base])], axis=1)


def landmarks(look: Look, action: Action, pose: Pose) -> Float[np.ndarray, "68 2"]:
    """Return columns and rows of the 68 points in iBUG's order, in pixels of the frame.

    They are: jaw 17, brows 10, ridge of the nose 4 and its base 5, eyes 12, lips 12 without and 8
    within; each group from the image's left to its right, eyes and lips clockwise.
    """
    jaw, mouth = _jaw(look, action)[::2], _mouth(look, action)
    brows = [_brow(look, action, -1)[::-2], _brow(look, action, 1)[::2]]
    lids = [_lids(look, action, side) for side in (-1, 1)]
    eyes = [part for upper, lower in lids for part in (upper[[0, 4, 8, 12]], lower[[8, 4]])]
    edges = (mouth.top, mouth.bottom, mouth.upper, mouth.lower)
    top, bottom, upper, lower = (np.stack([mouth.x, y], axis=1) for y in edges)
    lips = [top[::2], bottom[10:0:-2], upper[[1, 4, 6, 8, 11]], lower[[8, 6, 4]]]
    return pose.place(np.concatenate([jaw, *brows, _nose(look, action), *eyes, *lips]))


class _Painter:
    """A canvas of `ZOOM` times the frame, and how much to brighten it once all is painted."""

    def __init__(self, size_hw: tuple[int, int], pose: Pose, grey: float) -> None:
        shape = (ZOOM * size_hw[0], ZOOM * size_hw[1])
        self.pose = pose
        self.image = np.full(shape, round(grey), dtype=np.uint8)
        self.fine, self.broad = np.full(shape, 128, np.uint8), np.full(shape, 128, np.uint8)

    def fill(self, points: Outline, grey: float, side: int = 1) -> None:
        """Cover a polygon, mirrored for a `side` of -1."""
        at = self._pixels(points, side)
        cv2.fillPoly(self.image, [at], (grey,), cv2.LINE_AA, SHIFT_BITS)

    def stroke(
        self, points: Outline, grey: float, width: float, side: int = 1, on: Any = None
    ) -> None:
        """Draw a line of some width in head units on the image, or on another canvas."""
        at, on = self._pixels(points, side), self.image if on is None else on
        thickness = max(1, round(width * self.pose.unit_px * ZOOM))
        cv2.polylines(on, [at], False, (grey,), thickness, cv2.LINE_AA, SHIFT_BITS)

    def crease(self, points: Outline, depth: float, width: float = 0.03, side: int = 1) -> None:
        """Darken a line by about `depth` grey levels, smoothly; the wider, the more smoothly."""
        if abs(depth) >= 1:
            layer = self.fine if width < 0.1 else self.broad
            self.stroke(points, 128 - depth, width, side, layer)

    def finish(self) -> Grey:
        """Return the frame's grey levels."""
        image = self.image.astype(np.float32) - 256
        for layer, softness in ((self.fine, 0.02), (self.broad, 0.07)):
            image += cv2.GaussianBlur(layer, (0, 0), softness * self.pose.unit_px * ZOOM)
        height, width = image.shape
        return cv2.resize(image, (width // ZOOM, height // ZOOM), interpolation=cv2.INTER_AREA)

    def _pixels(self, points: Outline, side: int) -> Int32[np.ndarray, "n 2"]:
        at = (self.pose.place(np.asarray(points) * (side, 1.0)) + 0.5) * ZOOM - 0.5
        return (at * (1 << SHIFT_BITS)).round().astype(np.int32)


def paint_face(look: Look, action: Action, pose: Pose, size_hw: tuple[int, int]) -> Grey:
    """Return the grey levels, about 0-255, of a face that acts, in even light and without noise."""
    painter = _Painter(size_hw, pose, look.background)
    _paint_head(painter, look, action)
    for side in (-1, 1):
        _paint_eye(painter, look, action, side)
        brow = _brow(look, action, side)
        taper = look.brow_height * np.array([[0.0, 0.5]]) * (1.1 - BROW[:, None])
        ring = np.concatenate([brow - taper, (brow + taper)[::-1]])
        painter.fill(ring, 0.75 * look.hair + 0.25 * look.skin - 10)
    _paint_mouth(painter, look, action)
    _crease_forehead_and_nose(painter, look, action)
    _crease_cheeks_and_chin(painter, look, action)
    if look.fringe:
        lock = [[0.0, -1.0], [0.22, -0.52], [0.55, -0.3], [0.9, -0.12], [1.02, -0.4], [0.8, -1.05]]
        painter.fill(lock, look.hair + 5, int(np.sign(look.parting)))
    return painter.finish()


def _paint_head(painter: _Painter, look: Look, action: Action) -> None:
    """Paint hair, neck, ears, the face's plain skin, and the beard."""
    angle, w, skin = np.linspace(np.pi, 2 * np.pi, 33), look.width, look.skin
    skull = np.stack([1.1 * w * np.cos(angle), 1.62 * np.sin(angle) - 0.1], axis=1)
    falls = [[1.2 * w, 1.9], [-1.2 * w, 1.9]] if look.long_hair else [[w, 0.3], [-w, 0.3]]
    painter.fill(np.concatenate([skull, falls]), look.hair)
    painter.fill([(-3.0, 4.0), (-2.2, 2.2), (0.0, 1.6), (2.2, 2.2), (3.0, 4.0)], look.clothes)
    painter.fill([(-0.55, 0.9), (-0.55, 1.8), (0.0, 2.25), (0.55, 1.8), (0.55, 0.9)], skin - 35)
    for side in () if look.long_hair else (-1, 1):
        painter.fill(np.add((0.11, 0.26) * CIRCLE, (w + 0.02, 0.16)), skin - 14, side)
    top = look.hairline_y * np.sin(-angle) * (1 - 0.18 * np.cos(angle) * np.sign(look.parting))
    jaw, forehead = _jaw(look, action), np.stack([0.97 * w * np.cos(angle), top - 0.1], axis=1)
    painter.fill(np.concatenate([jaw, forehead[::-1]]), skin)
    if look.beard:
        under_nose = look.nose_y + 0.12
        cheeks = [[0.78, 0.75], [0.55, 0.95], [0.4, under_nose + 0.03], [0.0, under_nose]]
        ring = np.concatenate([jaw[3:-3], cheeks, (cheeks * np.array([-1, 1]))[::-1]])
        painter.fill(ring, 0.55 * skin + 0.45 * look.hair)


def _paint_eye(painter: _Painter, look: Look, action: Action, side: int) -> None:
    """Paint an eye with its lids, and glasses before it."""
    upper, lower = _lids(look, action, side)
    painter.fill(np.concatenate([upper, lower[::-1]]), min(238.0, look.skin + 40))
    middle = (side * look.eye_x, -0.012) + (0.08, 0.03) * action[[Unit.GAZE_X, Unit.GAZE_Y]]
    for radius, grey in ((0.092, look.iris), (0.04, 12.0)):
        disc = middle + radius * CIRCLE
        edges = [np.interp(disc[:, 0], lid[:, 0], lid[:, 1]) for lid in (upper, lower)]
        disc[:, 1] = np.clip(disc[:, 1], *edges)
        painter.fill(disc, grey)
    painter.stroke(upper, look.skin - 100, 0.035)
    painter.crease(lower, 35.0)
    painter.crease(upper - (0.0, 0.07), 30.0)
    painter.crease(upper[2:-2] - (0.0, 0.12), 18.0, 0.12)
    painter.crease(np.add(lower[3:-3], (0.0, 0.16)), 10 + 8 * look.wrinkles, 0.1)
    if look.glasses:
        painter.stroke(np.add((0.35, 0.27) * CIRCLE, (look.eye_x, 0.06)), 35.0, 0.04, side)
        painter.stroke([[look.eye_x + 0.35, 0.0], [look.width, -0.05]], 35.0, 0.04, side)
        painter.stroke([[look.eye_x - 0.34, 0.0], [0.0, -0.03]], 35.0, 0.04, side)


def _paint_mouth(painter: _Painter, look: Look, action: Action) -> None:
    """Paint lips and, between them, teeth and dark."""
    mouth, tone = _mouth(look, action), look.skin + look.lip_tone

    def between(above: Row, below: Row, grey: float) -> None:
        ring = np.concatenate([np.stack([mouth.x, above], 1), np.stack([mouth.x, below], 1)[::-1]])
        painter.fill(ring, grey)

    between(mouth.top, mouth.upper, tone - 8)
    between(mouth.lower, mouth.bottom, tone + 6)
    between(mouth.upper, mouth.lower, 35.0)
    between(mouth.upper, np.minimum(mouth.lower, mouth.upper + 0.1 * (1 - ACROSS**2)), 205.0)
    painter.crease(np.stack([mouth.x, mouth.upper], axis=1), 55.0)
    painter.crease(np.stack([mouth.x, mouth.bottom + 0.06], axis=1)[3:-3], 16.0, 0.1)


def _crease_forehead_and_nose(painter: _Painter, look: Look, action: Action) -> None:
    """Shade the nose, and wrinkle it and the forehead."""
    inner, outer, down = action[: Unit.BROW_DOWN + 1]
    deep, wrinkle = 40 * look.wrinkles, action[Unit.NOSE_WRINKLE]
    wave = 0.04 * np.cos(np.pi * ACROSS) * (inner - outer) - 0.06 * (inner + outer)
    for row in (-0.56, -0.68, -0.8):
        line = np.stack([(0.3 + 0.25 * outer) * ACROSS, row + wave], axis=1)
        painter.crease(line, 0.45 * deep * max(inner, outer))
    ridge, base = np.split(_nose(look, action), [4])
    wing = (look.nose_width, 1.0) * np.array([[0.85, -0.17], [1.0, -0.06], [0.75, 0.0]])
    for side in (-1, 1):
        furrow = [[0.07, look.brow_y - 0.12], [0.055, look.brow_y + 0.1]]
        painter.crease(furrow, deep * down, side=side)
        for row in (0.02, 0.11, 0.2):
            line = np.array([[0.03, row], [0.12, row - 0.05], [0.19, row - 0.02]])
            painter.crease(line, deep * wrinkle, side=side)
        painter.crease(np.add(ridge, (0.13, 0.0)), 14.0, 0.1, side)
        painter.crease(np.add(wing, (0.0, base[0, 1] + 0.03)), 38.0, side=side)
        painter.crease(base[[3, 3]] + ([-0.03, 0.0], [0.03, 0.01]), 75.0, 0.05, side)
    painter.crease(np.add(ridge, (0.0, 0.05)), -16.0, 0.1)


def _crease_cheeks_and_chin(painter: _Painter, look: Look, action: Action) -> None:
    """Fold the cheeks beside eyes, nose and mouth."""
    deep, mouth, a = 40 * look.wrinkles, _mouth(look, action), action
    base, wing = _nose(look, action)[4, 1], look.nose_width + 0.05
    fold = max(0.8 * a[Unit.SMILE], a[Unit.LIP_UP], 0.8 * a[Unit.NOSE_WRINKLE])
    for side, dimple in ((-1, a[Unit.DIMPLE_LEFT]), (1, a[Unit.DIMPLE_RIGHT])):
        end = 0 if side < 0 else -1
        x, y = abs(mouth.x[end]), mouth.top[end]
        line = [[wing, base - 0.1], [0.5 * x + 0.24, 0.5 * (base + y)], [x + 0.1, y - 0.02]]
        painter.crease(line, 9 + deep * max(fold, 0.5 * dimple), 0.04, side)
        pit = [[x + 0.05, y - 0.1], [x + 0.09, y], [x + 0.05, y + 0.08]]
        painter.crease(pit, deep * max(dimple, 0.4 * a[Unit.SMILE]), side=side)
        droop = [[x + 0.01, y + 0.03], [x + 0.06, y + 0.14]]
        painter.crease(droop, 0.6 * deep * a[Unit.CORNERS_DOWN], side=side)
        pouch = [[0.25, 0.2], [look.eye_x, 0.26], [0.75, 0.16]]
        painter.crease(pouch, 0.6 * deep * a[Unit.CHEEKS_UP], side=side)
        crow = [[look.eye_x + 0.28, 0.0], [look.eye_x + 0.4, 0.06]]
        painter.crease(crow, 0.6 * deep * a[Unit.CHEEKS_UP], side=side)

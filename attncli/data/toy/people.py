"""Drawn people, told apart by their parts: hair, what they wear above and below, shoes and bag.

Colours and kinds of parts are few, so that many people share each of them, and only all parts
together say who someone is. Some are to be seen from one side alone: a print on the chest, a
backpack. People are laid out in their own height: the origin is between the feet, x grows to the
image's right and y upwards, to 1 at the top of the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

View = Literal["front", "back", "left", "right"]
"""Which side is to be seen; of `left` the face is at the image's left."""
VIEWS: tuple[View, ...] = get_args(View)

Rgb = tuple[int, int, int]
Picture = UInt8[np.ndarray, "_ _ 3"]
Points = Float[np.ndarray, "n 2"]

SKIN: tuple[Rgb, ...] = ((232, 190, 160), (198, 145, 110), (120, 80, 55))
HAIR: tuple[Rgb, ...] = ((28, 24, 24), (92, 58, 34), (205, 170, 95))
UPPER: tuple[Rgb, ...] = (
    (235, 235, 235),
    (40, 40, 46),
    (190, 40, 45),
    (40, 80, 170),
    (50, 130, 75),
    (225, 190, 60),
    (215, 130, 165),
)
LOWER: tuple[Rgb, ...] = (
    (35, 35, 40),
    (55, 75, 120),
    (120, 110, 95),
    (190, 180, 160),
    (110, 35, 45),
)
SHOES: tuple[Rgb, ...] = ((25, 25, 25), (235, 235, 235), (170, 60, 40))
BAG: tuple[Rgb, ...] = ((45, 40, 40), (185, 60, 50), (60, 110, 160), (200, 160, 70))
UPPER_KINDS = ("plain", "stripes", "bars", "print", "halves")
LOWER_KINDS = ("trousers", "shorts", "skirt")
BAG_KINDS = ("none", "backpack", "shoulder", "hand")

SHOULDER, HIP, KNEE, ANKLE, CHIN = 0.82, 0.50, 0.27, 0.04, 0.87
"""Heights of joints."""
HEAD = 0.065
"""Radius of a head."""
SHADE = 0.72
"""Brightness of the limb that is farther away."""


@dataclass(frozen=True)
class Person:
    """What tells someone from others."""

    skin: Rgb
    """Colour of the skin."""
    hair: Rgb
    """Colour of the hair."""
    long_hair: bool
    """Whether it reaches down to the shoulders."""
    upper: Rgb
    """Colour of what is worn above the hip."""
    upper_second: Rgb
    """Second colour of that, where its kind has one."""
    upper_kind: str
    """One of `UPPER_KINDS`; a print is on the chest alone."""
    long_sleeves: bool
    """Whether arms are covered."""
    lower: Rgb
    """Colour of what is worn below the hip."""
    lower_kind: str
    """One of `LOWER_KINDS`."""
    shoes: Rgb
    """Colour of the shoes."""
    bag: Rgb
    """Colour of the bag."""
    bag_kind: str
    """One of `BAG_KINDS`."""
    width: float
    """How broad they are, over the usual."""
    height: float
    """How tall they are, over the tallest."""


@dataclass(frozen=True)
class Pose:
    """How someone stands in a picture."""

    view: View
    """Which side is to be seen."""
    stride: float
    """How far the feet are apart, in their height."""
    swing: float
    """How far the hands are off the hips, in their height."""


def draw_person(rng: np.random.Generator) -> Person:
    """Return someone made of parts at random."""
    upper, second = rng.permutation(len(UPPER))[:2]
    return Person(
        skin=_one_of(SKIN, rng),
        hair=_one_of(HAIR, rng),
        long_hair=bool(rng.integers(2)),
        upper=UPPER[upper],
        upper_second=UPPER[second],
        upper_kind=str(rng.choice(UPPER_KINDS)),
        long_sleeves=bool(rng.integers(2)),
        lower=_one_of(LOWER, rng),
        lower_kind=str(rng.choice(LOWER_KINDS, p=(0.6, 0.2, 0.2))),
        shoes=_one_of(SHOES, rng),
        bag=_one_of(BAG, rng),
        bag_kind=str(rng.choice(BAG_KINDS)),
        width=float(rng.uniform(0.88, 1.15)),
        height=float(rng.uniform(0.88, 1.0)),
    )


def draw_pose(view: View, rng: np.random.Generator) -> Pose:
    """Return a pose seen from one side: feet and hands are further apart from the side."""
    reach = 0.16 if view in ("left", "right") else 0.04
    return Pose(view, float(rng.uniform(0.02, reach)), float(rng.uniform(-0.6, 1)) * reach)


def paint_person(
    picture: Picture, person: Person, pose: Pose, *, feet_xy: tuple[float, float], height_px: float
) -> None:
    """Paint someone over a picture, in place.

    Args:
        picture: What to paint on.
        person: Who.
        pose: How they stand.
        feet_xy: Where they stand, in pixels from the top left corner.
        height_px: Rows of someone as tall as can be.
    """
    _Brush(picture, person, pose, feet_xy, height_px * person.height).person()


def _one_of(colours: Sequence[Rgb], rng: np.random.Generator) -> Rgb:
    return colours[int(rng.integers(len(colours)))]


def _darker(colour: Rgb, factor: float) -> Rgb:
    red, green, blue = (round(factor * value) for value in colour)
    return red, green, blue


@dataclass(frozen=True)
class _Brush:
    """Paints the parts of one person, those behind first."""

    picture: Picture
    who: Person
    pose: Pose
    feet_xy: tuple[float, float]
    height_px: float

    @property
    def is_side(self) -> bool:
        return self.pose.view in ("left", "right")

    @property
    def facing(self) -> int:
        """Return to which side of the image the face is turned: -1, 0 or 1."""
        return {"left": -1, "right": 1}.get(self.pose.view, 0)

    @property
    def half_shoulders(self) -> float:
        return (0.075 if self.is_side else 0.125) * self.who.width

    @property
    def half_hips(self) -> float:
        return (0.07 if self.is_side else 0.095) * self.who.width

    def person(self) -> None:
        """Paint all parts."""
        self._legs()
        if self.pose.view == "front":
            self._backpack_sides()
        self._arms(behind=True)
        self._upper()
        self._lower()
        self._arms(behind=False)
        self._head()
        self._bag()

    def _legs(self) -> None:
        bare = self.who.lower_kind != "trousers"
        for sign, shade in ((-1, SHADE if self.is_side else 1.0), (1, 1.0)):
            foot = sign * self.pose.stride + (0 if self.is_side else sign * 0.05)
            hip = 0.0 if self.is_side else sign * 0.5 * self.half_hips
            knee = 0.5 * (hip + foot) + 0.02 * self.facing
            cloth = _darker(self.who.lower, shade)
            skin = _darker(self.who.skin, shade)
            below = skin if bare else cloth
            upper_leg = skin if self.who.lower_kind == "skirt" else cloth
            self._line((hip, HIP), (knee, KNEE), 0.085, upper_leg)
            self._line((knee, KNEE), (foot, ANKLE), 0.055 if bare else 0.07, below)
            toes = foot + 0.035 * self.facing
            self._line((foot, 0.02), (toes, 0.02), 0.05, _darker(self.who.shoes, shade))

    def _lower(self) -> None:
        wide = self.half_hips
        if self.who.lower_kind == "skirt":
            hem = 1.35 * wide + 0.3 * self.pose.stride
            outline = [(-wide, HIP + 0.03), (wide, HIP + 0.03), (hem, KNEE), (-hem, KNEE)]
        else:
            outline = [(-wide, HIP + 0.03), (wide, HIP + 0.03), (wide, HIP - 0.05)]
            outline += [(0.0, HIP - 0.09), (-wide, HIP - 0.05)]
        self._fill(outline, self.who.lower)

    def _upper(self) -> None:
        top, low = self.half_shoulders, self.half_hips
        outline = [(-0.6 * top, SHOULDER + 0.03), (0.6 * top, SHOULDER + 0.03), (top, SHOULDER)]
        outline += [(low, HIP), (-low, HIP), (-top, SHOULDER)]
        self._fill(outline, self.who.upper)
        self._pattern(self._mask(outline))
        self._line((0.0, SHOULDER + 0.02), (0.0, CHIN), 0.05, self.who.skin)

    def _pattern(self, torso: Bool[np.ndarray, "h w"]) -> None:
        """Paint what the upper part has in its second colour."""
        x, y = self._own_xy()
        kind = self.who.upper_kind
        if kind == "stripes":
            second = (y / 0.055) % 1 < 0.5
        elif kind == "bars" and not self.is_side:
            second = (x / (0.5 * self.half_shoulders) + 0.25) % 1 < 0.5
        elif kind == "bars":
            second = np.abs(x) < 0.3 * self.half_shoulders
        elif kind == "halves":
            second = y < 0.5 * (HIP + SHOULDER)
        elif kind == "print" and self.pose.view == "front":
            second = np.hypot(x, y - 0.72) < 0.05
        else:
            return
        self.picture[torso & second] = self.who.upper_second  # broadcast over rows or columns

    def _arms(self, *, behind: bool) -> None:
        """Paint the arm behind the body, or what is before or beside it."""
        signs = ((-1,) if behind else (1,)) if self.is_side else (() if behind else (-1, 1))
        for sign in signs:
            shoulder = 0.0 if self.is_side else sign * self.half_shoulders
            hand = sign * self.pose.swing + (0 if self.is_side else sign * 0.15 * self.who.width)
            elbow = 0.5 * (shoulder + hand) - 0.01 * self.facing
            shade = SHADE if behind else 0.9
            sleeve = _darker(self.who.upper, shade)
            skin = _darker(self.who.skin, shade)
            self._line(
                (elbow, 0.66), (hand, 0.52), 0.042, sleeve if self.who.long_sleeves else skin
            )
            self._line((shoulder, SHOULDER - 0.01), (elbow, 0.66), 0.055, sleeve)
            self._line((hand, 0.51), (hand, 0.5), 0.042, skin)

    def _head(self) -> None:
        middle = (0.012 * self.facing, 1 - HEAD)
        who = self.who
        if who.long_hair:
            back = -0.035 * self.facing
            wide = 0.05 if self.is_side else 0.07
            self._line((back, 1 - HEAD), (back, SHOULDER - 0.02), 2 * wide, who.hair)
        self._disc(middle, HEAD, who.hair)
        if self.pose.view == "back":
            return
        face = (middle[0] + 0.025 * self.facing, middle[1] - 0.016)
        self._disc(face, 0.78 * HEAD, who.skin)
        if self.pose.view == "front" and who.long_hair:
            for sign in (-1, 1):
                self._line((sign * 0.055, 0.94), (sign * 0.06, SHOULDER), 0.025, who.hair)

    def _bag(self) -> None:
        kind, colour, view = self.who.bag_kind, self.who.bag, self.pose.view
        if kind == "backpack" and view == "back":
            self._fill(_box(0.0, 0.7, 0.8 * self.half_shoulders, 0.11), colour)
            self._fill(_box(0.0, 0.66, 0.55 * self.half_shoulders, 0.04), _darker(colour, SHADE))
        elif kind == "backpack" and view == "front":
            for sign in (-1, 1):
                at = sign * 0.65 * self.half_shoulders
                self._line((at, SHOULDER), (at, 0.64), 0.022, colour)
        elif kind == "backpack":
            behind = -self.facing * (self.half_shoulders + 0.035)
            self._fill(_box(behind, 0.7, 0.055, 0.1), colour)
        elif kind == "shoulder":
            self._shoulder_bag()
        elif kind == "hand":
            sign = -1 if view == "front" else 1
            at = sign * (self.pose.swing + (0 if self.is_side else 0.15 * self.who.width))
            self._fill(_box(at, 0.42, 0.055, 0.05), colour)
            self._line((at, 0.47), (at, 0.5), 0.015, colour)

    def _shoulder_bag(self) -> None:
        """Paint a bag at the left hip, whose belt lies on the right shoulder."""
        sign = {"front": 1, "back": -1}.get(self.pose.view, 0)
        if self.pose.view == "right":  # it hangs on the far side: the belt alone is to be seen
            self._line((0.0, SHOULDER), (-0.05, HIP + 0.04), 0.02, self.who.bag)
            return
        hip = sign * (self.half_hips + 0.01)
        self._line((-sign * 0.6 * self.half_shoulders, SHOULDER), (hip, 0.5), 0.02, self.who.bag)
        self._fill(_box(hip, 0.47, 0.065, 0.05), self.who.bag)

    def _backpack_sides(self) -> None:
        if self.who.bag_kind == "backpack":
            self._fill(_box(0.0, 0.72, 1.08 * self.half_shoulders, 0.09), self.who.bag)

    def _own_xy(self) -> tuple[Float[np.ndarray, "1 w"], Float[np.ndarray, "h 1"]]:
        """Return where columns and rows are, in the person's height."""
        rows, columns = np.ogrid[: self.picture.shape[0], : self.picture.shape[1]]
        x, y = self.feet_xy
        return (columns - x) / self.height_px, (y - rows) / self.height_px

    def _pixels(self, points: Sequence[tuple[float, float]]) -> np.ndarray:
        places = np.array(points, dtype=np.float64) * (self.height_px, -self.height_px)
        return np.rint(places + self.feet_xy).astype(np.int32)

    def _fill(self, outline: Sequence[tuple[float, float]], colour: Rgb) -> None:
        cv2.fillPoly(self.picture, [self._pixels(outline)], colour)

    def _mask(self, outline: Sequence[tuple[float, float]]) -> Bool[np.ndarray, "h w"]:
        mask = np.zeros(self.picture.shape[:2], dtype=np.uint8)
        cv2.fillPoly(mask, [self._pixels(outline)], (1,))
        return mask.astype(np.bool_)

    def _line(
        self, start: tuple[float, float], end: tuple[float, float], thick: float, colour: Rgb
    ) -> None:
        """Paint a line with round ends."""
        first, last = self._pixels((start, end)).tolist()
        cv2.line(self.picture, first, last, colour, max(1, round(thick * self.height_px)))

    def _disc(self, middle: tuple[float, float], radius: float, colour: Rgb) -> None:
        (at,) = self._pixels((middle,)).tolist()
        cv2.circle(self.picture, at, max(1, round(radius * self.height_px)), colour, cv2.FILLED)


def _box(x: float, y: float, half_width: float, half_height: float) -> list[tuple[float, float]]:
    """Return the corners of an upright box about (x, y)."""
    left, right, low, high = x - half_width, x + half_width, y - half_height, y + half_height
    return [(left, low), (right, low), (right, high), (left, high)]

"""Pictures of an object before a place: shape tells the object, layout and texture the place.

Colours are drawn anew for every picture, alike for all objects and places, and so say nothing.
Smaller objects of any kind lie about, a bar may hide a part of the object, and there is noise.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from attncli.data.toy.backdrops import backdrop
from attncli.data.toy.shapes import SHAPES, cover

COLOUR = (50.0, 205.0)
"""Smallest and largest value of a colour's channel."""

Range = tuple[float, float]
"""Smallest and largest value of what is drawn uniformly."""
Picture = Float[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Conditions:
    """How pictures are taken: what a picture shows says nothing of them."""

    share: Range
    """Area of the object, over that of the picture."""
    turn_rad: float
    """Largest angle the object is turned by, either way."""
    contrast: Range
    """Root mean square of the place's relief, in grey levels."""
    apart: float
    """Smallest distance of the object's colour to the place's mean colour, in RGB values."""
    others: tuple[int, int]
    """Fewest and most of the small objects that lie about."""
    hidden: float
    """Probability that a bar hides a part of the object."""
    noise: Range
    """Standard deviation of the camera's noise, in grey levels."""
    blur_px: Range
    """Standard deviation of the lens's blur."""


def render_view(
    thing: str,
    place: str,
    *,
    conditions: Conditions,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture.

    Args:
        thing: Its object, a key of `SHAPES`.
        place: Its background, a key of `PLACES`.
        conditions: How it is taken.
        size_hw: Rows and columns.
        rng: Source of every random draw.
    """
    camera, colouring, relief = rng.spawn(3)
    ground = colouring.uniform(*COLOUR, size=3)
    plane = backdrop(place, size_hw, relief)
    picture = ground + colouring.uniform(*conditions.contrast) * plane[..., None] * _tint(colouring)
    for _ in range(int(camera.integers(conditions.others[0], conditions.others[1] + 1))):
        other = str(camera.choice(sorted(SHAPES)))
        small = conditions.share[0] * camera.uniform(0.12, 0.3)
        colour = colouring.uniform(*COLOUR, size=3)
        _paint(picture, _pose(other, small, conditions, size_hw, camera), colour)
    area = camera.uniform(*conditions.share)
    colour = _colour_apart(ground, conditions.apart, colouring)
    _paint(
        picture, _pose(thing, area, conditions, size_hw, camera), _shaded(colour, size_hw, camera)
    )
    if camera.random() < conditions.hidden:
        _paint(picture, _bar(size_hw, camera), colouring.uniform(*COLOUR, size=3))
    return _exposed(picture, conditions, camera)


def _tint(rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    """Return by how much a relief changes each channel; the root mean square is 1."""
    tint = 1 + rng.uniform(-0.6, 0.6, size=3)
    return tint / np.sqrt(np.mean(tint**2))


def _colour_apart(
    ground: Float[np.ndarray, " 3"], apart: float, rng: np.random.Generator
) -> Float[np.ndarray, " 3"]:
    while True:
        colour = rng.uniform(*COLOUR, size=3)
        if np.linalg.norm(colour - ground) >= apart:
            return colour


def _pose(
    thing: str,
    share: float,
    conditions: Conditions,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "h w"]:
    """Return what an object covers that is turned, stretched and set down at random."""
    height, width = size_hw
    area = share * height * width
    angle = rng.uniform(-conditions.turn_rad, conditions.turn_rad)
    cos, sin, stretch = math.cos(angle), math.sin(angle), math.exp(rng.uniform(-0.15, 0.15))
    bend = np.array([[cos, -sin], [sin, cos]]) @ np.diag([stretch, 1 / stretch])
    reach = min(0.75 * math.sqrt(area), height / 2, width / 2)
    x, y = rng.uniform(reach, width - reach), rng.uniform(reach, height - reach)
    return cover(thing, area_px=area, centre_xy=(x, y), bend=bend, size_hw=size_hw)


def _bar(size_hw: tuple[int, int], rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Return what a bar covers that crosses the picture anywhere."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] / min(size_hw)
    angle, thick = rng.uniform(0, math.pi), rng.uniform(0.04, 0.1)
    off = (x - rng.uniform(0.3, 0.7)) * math.sin(angle) - (y - rng.uniform(0.3, 0.7)) * math.cos(
        angle
    )
    return (np.abs(off) < thick / 2).astype(np.float32)


def _shaded(
    colour: Float[np.ndarray, " 3"], size_hw: tuple[int, int], rng: np.random.Generator
) -> Picture:
    """Return a colour with mottles, so that an object is not what has no texture."""
    grain = cv2.GaussianBlur(rng.normal(size=size_hw), (0, 0), rng.uniform(1, 3))
    return colour + rng.uniform(4, 14) * (grain / grain.std())[..., None]


def _paint(
    picture: Picture,
    mask: Float32[np.ndarray, "h w"],
    colour: Float[np.ndarray, " 3"] | Picture,
) -> None:
    """Cover a part of a picture, in place."""
    picture += mask[..., None] * (colour - picture)


def _exposed(
    picture: Picture, conditions: Conditions, rng: np.random.Generator
) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture as a camera takes it: light from one side, blur, and noise."""
    y, x = np.mgrid[-1 : 1 : picture.shape[0] * 1j, -1 : 1 : picture.shape[1] * 1j]
    light = 1 + rng.uniform(-0.15, 0.15) * y + rng.uniform(-0.15, 0.15) * x
    soft = cv2.GaussianBlur(picture * light[..., None], (0, 0), rng.uniform(*conditions.blur_px))
    noise = rng.normal(0, rng.uniform(*conditions.noise), size=picture.shape)
    return np.rint(soft + noise).clip(0, 255).astype(np.uint8)

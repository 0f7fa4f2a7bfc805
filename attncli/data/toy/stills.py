"""Pictures of blobs whose faint texture alone says of what class they are; colour misleads.

Each picture draws the colours of its background and objects anew: they tell objects from the
background, and say nothing of the class. Often they mislead: background beside an object has the
object's colour, or a part of an object has the background's.

Textures are faint enough for a conditional random field with the usual widths to follow colour
alone, and strong enough for a small network to learn from some hundred pictures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

PERIOD_PX = (4.5, 6.5)
"""Shortest and longest period of a texture."""
TEXTURE = 14.0
"""Root mean square of an object's texture in each channel, in grey levels."""
GROUND = 0.3
"""Strength of the background's texture, which has no direction, over that of an object's."""
NOISE = 3.0
"""Standard deviation of the camera's noise, in grey levels."""
COLOUR = (55.0, 200.0)
"""Smallest and largest value of a colour's channel: what textures add stays within a pixel."""
APART = 90.0
"""Smallest distance of two colours of a picture, in RGB values."""
RADIUS = (0.20, 0.27)
"""Smallest and largest mean radius of an object, over the mean side of the place it has."""
BULGES = 0.10
"""Largest change of a radius by a wave about the middle, as a share; there are four."""
PATCH = (0.5, 0.75)
"""Smallest and largest mean radius of what misleads, over that of its object."""

DIAGONAL = math.sqrt(0.5)
TEXTURES = (
    ((0.0, 1.0),),
    ((1.0, 0.0),),
    ((1.0, 0.0), (0.0, 1.0)),
    ((DIAGONAL, DIAGONAL), (DIAGONAL, -DIAGONAL)),
)
"""What tells classes apart: directions (x, y) of waves that add up to rows, columns, a grid, or
checks. Each stays what it is when the picture is mirrored."""

Plane = Float[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]


@dataclass(frozen=True)
class Still:
    """A picture and its truth."""

    image: UInt8[np.ndarray, "h w 3"]
    """RGB values."""
    labels: UInt8[np.ndarray, "h w"]
    """Label of the object that covers a pixel; 0 where there is none."""


@dataclass(frozen=True)
class _Place:
    """Part of a picture that one object has for itself."""

    top: int
    left: int
    height: int
    width: int


def render_still(
    labels: Sequence[int],
    *,
    textures: Sequence[int],
    size_hw: tuple[int, int],
    coincidence: float,
    rng: np.random.Generator,
) -> Still:
    """Return a picture of one or two objects.

    Args:
        labels: What the label map calls each object.
        textures: Position in `TEXTURES` of each object's texture.
        size_hw: Rows and columns.
        coincidence: Probability that colour misleads about an object: background beside it has its
            colour, or a part of it the background's.
        rng: Source of every random draw.
    """
    ground, *colours = _colours(1 + len(labels), rng)
    hues = np.broadcast_to(ground, (*size_hw, 3)).copy()
    truth = np.zeros(size_hw, dtype=np.uint8)
    relief = GROUND * _unit(_speckle(size_hw, rng))
    places = _places(len(labels), size_hw, rng)
    for label, texture, colour, place in zip(labels, textures, colours, places, strict=True):
        mask, patch = _object(place, size_hw, rng)
        hues[mask] = colour
        is_inside, misleads = rng.integers(2), rng.random() < coincidence
        if misleads and is_inside:
            hues[patch & mask] = ground
        elif misleads:
            hues[patch & ~mask & (truth == 0)] = colour
        relief[mask] = _unit(_woven(texture, size_hw, rng))[mask]
        truth[mask] = label
    noise = rng.normal(0, NOISE, size=(*size_hw, 3))
    image = np.rint(hues + TEXTURE * relief[..., None] + noise).clip(0, 255).astype(np.uint8)
    return Still(image, truth)


def _colours(n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Draw colours until all are apart."""
    while True:
        colours = rng.uniform(*COLOUR, size=(n, 3))
        distances = np.linalg.norm(colours[:, None] - colours, axis=-1)
        if (distances[np.triu_indices(n, 1)] >= APART).all():
            return colours


def _places(n: int, size_hw: tuple[int, int], rng: np.random.Generator) -> list[_Place]:
    """Return the whole picture, or its halves along the longer side, in any order."""
    height, width = size_hw
    if n == 1:
        return [_Place(0, 0, height, width)]
    if height > width or (height == width and rng.integers(2)):
        upper = height // 2
        places = [_Place(0, 0, upper, width), _Place(upper, 0, height - upper, width)]
    else:
        left = width // 2
        places = [_Place(0, 0, height, left), _Place(0, left, height, width - left)]
    return [places[index] for index in rng.permutation(2)]


def _object(place: _Place, size_hw: tuple[int, int], rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Return the pixels of an object, and a blob about a part of its border."""
    radius = rng.uniform(*RADIUS) * math.sqrt(place.height * place.width)
    centre = np.array(
        [
            _within(place.left, place.width, radius, rng),
            _within(place.top, place.height, radius, rng),
        ]
    )
    mask = _blob(centre, radius, size_hw, rng)
    angle = rng.uniform(0, 2 * math.pi)
    at_border = centre + radius * np.array([math.cos(angle), math.sin(angle)])
    return mask, _blob(at_border, radius * rng.uniform(*PATCH), size_hw, rng)


def _within(start: int, length: int, radius: float, rng: np.random.Generator) -> float:
    """Draw the middle of an object, which is to lie inside where there is room for it."""
    free = max(0.0, length / 2 - (1 + 2 * BULGES) * radius)
    return start + length / 2 + rng.uniform(-free, free)


def _blob(
    centre_xy: Float[np.ndarray, " 2"],
    radius: float,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> Mask:
    """Return the pixels of a disc with bulges."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float64)
    dx, dy = x - centre_xy[0], y - centre_xy[1]
    waves = np.arange(2, 6)[:, None, None]
    size, turn = rng.uniform(0, BULGES, size=(4, 1, 1)), rng.uniform(0, 2 * math.pi, size=(4, 1, 1))
    border = radius * (1 + (size * np.cos(waves * np.arctan2(dy, dx) + turn)).sum(axis=0))
    return np.hypot(dx, dy) <= border


def _woven(texture: int, size_hw: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Return a texture of some period that begins anywhere."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] * (2 * math.pi / rng.uniform(*PERIOD_PX))
    directions = np.array(TEXTURES[texture])[:, :, None, None]
    start = rng.uniform(0, 2 * math.pi, size=(len(directions), 1, 1))
    return np.sin(directions[:, 0] * x + directions[:, 1] * y + start).sum(axis=0)


def _speckle(size_hw: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Return spots of about the size of a texture's, without order."""
    grain = rng.normal(size=size_hw)
    return cv2.GaussianBlur(grain, (0, 0), 1.0) - cv2.GaussianBlur(grain, (0, 0), 2.5)


def _unit(plane: Plane) -> Plane:
    """Return a texture with a root mean square of 1."""
    return plane / np.sqrt(np.mean(plane**2))

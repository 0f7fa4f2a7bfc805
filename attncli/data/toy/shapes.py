"""Outlines of objects that differ in their shape alone: all have the same area.

Each stays what it is when the picture is mirrored, up to a small turn.
"""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32

FINE = 4
"""Parts of a pixel that an outline is drawn to, on each side: what it covers in part is shaded."""

Outline = Float[np.ndarray, "_ 2"]
"""Corners (x, y) of a closed line."""


def _regular(n: int, start: float = -math.pi / 2) -> Outline:
    """Return a regular polygon about the origin, one of whose corners is on top."""
    angles = start + 2 * math.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _cross() -> list[Outline]:
    arm = 0.36
    corner = [(arm, -1.0), (arm, -arm), (1.0, -arm)]
    turns = [np.array([[c, -s], [s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return [np.concatenate([np.array(corner) @ turn.T for turn in turns])]


def _disc() -> list[Outline]:
    return [_regular(48)]


def _heart() -> list[Outline]:
    t = 2 * math.pi * np.arange(64) / 64
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([16 * np.sin(t) ** 3, -y - 2.5], axis=1)]


def _moon() -> list[Outline]:
    """Return a crescent: a disc's lower edge, and a flatter arc back."""
    t = np.linspace(0, math.pi, 32)
    outer = np.stack([np.cos(t), np.sin(t)], axis=1)
    inner = np.stack([np.cos(t), 0.1 * np.sin(t)], axis=1)[::-1]
    return [np.concatenate([outer, inner[1:-1]]) - (0, 0.5)]


def _ring() -> list[Outline]:
    return [_regular(48), 0.6 * _regular(48)]


def _square() -> list[Outline]:
    return [_regular(4, start=-3 * math.pi / 4)]


def _star() -> list[Outline]:
    radii = np.where(np.arange(10) % 2 == 0, 1.0, 0.45)
    return [radii[:, None] * _regular(10)]


def _triangle() -> list[Outline]:
    return [_regular(3)]


SHAPES: dict[str, Callable[[], list[Outline]]] = {
    "cross": _cross,
    "disc": _disc,
    "heart": _heart,
    "moon": _moon,
    "ring": _ring,
    "square": _square,
    "star": _star,
    "triangle": _triangle,
}
"""Outlines by name; what lies inside two of them is a hole."""


def cover(
    name: str,
    *,
    area_px: float,
    centre_xy: tuple[float, float],
    bend: Float[np.ndarray, "2 2"],
    size_hw: tuple[int, int],
) -> Float32[np.ndarray, "h w"]:
    """Return how much of each pixel a shape covers, from 0 to 1.

    Args:
        name: A key of `SHAPES`.
        area_px: Its area, in pixels; the same for every shape.
        centre_xy: Where its middle is, in pixels from the upper left corner of the picture.
        bend: What turns and stretches it; the area stays where its determinant is 1.
        size_hw: Rows and columns of the picture.
    """
    outlines = SHAPES[name]()
    scale = math.sqrt(area_px / abs(_area(outlines)))
    height, width = size_hw
    fine = np.zeros((FINE * height, FINE * width), dtype=np.uint8)
    corners = [(scale * line @ bend.T + centre_xy) * FINE for line in outlines]
    cv2.fillPoly(fine, [np.rint(line).astype(np.int32) for line in corners], 1)
    return fine.reshape(height, FINE, width, FINE).mean(axis=(1, 3), dtype=np.float32)


def _area(outlines: Sequence[Outline]) -> float:
    """Return what the first of the outlines encloses without the others, in square units."""
    areas = []
    for line in outlines:
        (x, y), (next_x, next_y) = line.T, np.roll(line, -1, axis=0).T
        areas.append(abs(float((x * next_y - next_x * y).sum())) / 2)
    return areas[0] - sum(areas[1:])

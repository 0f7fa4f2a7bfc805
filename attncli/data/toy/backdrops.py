"""Relief of places: what is light and what is dark, without a colour, by layout and texture.

Each relief has mean 0 and root mean square 1, and is as likely as its negative. So neither colour
nor contrast nor brightness tells one place from another.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float

Plane = Float[np.ndarray, "h w"]
Axes = tuple[Plane, Plane]
"""How far down and how far right each pixel is, over the picture's shorter side."""


def _bricks(at: Axes, rng: np.random.Generator) -> Plane:
    """Return rows of bricks of a few greys, shifted by half a brick."""
    y, x = at
    high = rng.uniform(0.11, 0.16)
    wide, joint = high * rng.uniform(1.9, 2.4), 0.022
    y, x = y + rng.uniform(), x + rng.uniform()
    row = np.floor(y / high)
    x = x + wide / 2 * (row % 2)
    column = np.floor(x / wide)
    greys = rng.uniform(0.6, 1.2, size=(64, 64))
    stone = greys[row.astype(int) % 64, column.astype(int) % 64]
    is_joint = (y - row * high < joint) | (x - column * wide < joint)
    return np.where(is_joint, -1.2, stone)


def _city(at: Axes, rng: np.random.Generator) -> Plane:
    """Return towers of different heights with rows of windows."""
    y, x = at
    plane = np.full_like(y, 1.0)
    left = -rng.uniform(0, 0.15)
    while left < x.max():
        wide, roof = rng.uniform(0.13, 0.26), rng.uniform(0.2, 0.75) * y.max()
        tower = (x >= left) & (x < left + wide) & (y > roof)
        plane[tower] = rng.uniform(-1.2, -0.3)
        window = ((x - left) % 0.07 > 0.04) & ((y - roof) % 0.09 > 0.055)
        plane[tower & window] += 0.8
        left += wide
    return plane


def _clouds(at: Axes, rng: np.random.Generator) -> Plane:
    """Return round soft patches of many sizes."""
    return _haze(at, 0.13, rng) + 0.5 * _haze(at, 0.06, rng)


def _desert(at: Axes, rng: np.random.Generator) -> Plane:
    """Return ridges of sand, askew and gently bent."""
    y, x = at
    askew = rng.choice([-1, 1]) * rng.uniform(0.35, 0.75)
    phase = (y + askew * x) / rng.uniform(0.16, 0.24) + 0.25 * _haze(at, 0.2, rng)
    return (phase + rng.uniform()) % 1 - 0.5


def _field(at: Axes, rng: np.random.Generator) -> Plane:
    """Return furrows that run from a point on the horizon."""
    y, x = at
    horizon, middle = rng.uniform(0.15, 0.35) * y.max(), rng.uniform(0.25, 0.75) * x.max()
    below = np.maximum(y - horizon, 0.02)
    furrows = np.sin(2 * math.pi * (x - middle) / below * rng.uniform(0.9, 1.4))
    fading = np.clip(below / 0.25, 0, 1)
    return np.where(y > horizon, fading * furrows, rng.choice([-0.8, 0.8]))


def _forest(at: Axes, rng: np.random.Generator) -> Plane:
    """Return upright trunks, some of them before others."""
    y, x = at
    plane = 0.5 * _haze(at, 0.04, rng)
    for _ in range(int(rng.integers(6, 10))):
        wide, lean = rng.uniform(0.03, 0.09), rng.uniform(-0.08, 0.08)
        middle = rng.uniform(0, x.max()) + lean * (y - 0.5)
        plane[np.abs(x - middle) < wide / 2] = rng.uniform(-2.4, -1.2)
    return plane


def _hills(at: Axes, rng: np.random.Generator) -> Plane:
    """Return wavy ridges one before the other, each darker than the one behind."""
    y, x = at
    plane = np.full_like(y, 1.2)
    for level in range(4):
        wave = sum(
            rng.uniform(0.02, 0.06) * np.sin(2 * math.pi * (waves * x + rng.uniform()))
            for waves in rng.uniform(0.7, 2.2, size=2)
        )
        ridge = (0.2 + 0.2 * level + rng.uniform(-0.04, 0.04)) * y.max() + wave
        plane[y > ridge] = 0.6 - 0.6 * level
    return plane


def _sea(at: Axes, rng: np.random.Generator) -> Plane:
    """Return level ripples that grow closer towards the horizon."""
    y, x = at
    horizon = rng.uniform(0.1, 0.35) * y.max()
    below = np.maximum(y - horizon, 0)
    swell = 0.12 * _haze(at, 0.12, rng)
    ripples = np.sin(
        2 * math.pi * (rng.uniform(7, 9) * np.sqrt(below + 0.02) + swell + rng.uniform())
    )
    return np.where(y > horizon, ripples + 0.1 * np.sin(9 * x), rng.choice([-0.8, 0.8]))


PLACES: dict[str, Callable[[Axes, np.random.Generator], Plane]] = {
    "bricks": _bricks,
    "city": _city,
    "clouds": _clouds,
    "desert": _desert,
    "field": _field,
    "forest": _forest,
    "hills": _hills,
    "sea": _sea,
}
"""Places by name; each stays what it is when the picture is mirrored."""


def backdrop(name: str, size_hw: tuple[int, int], rng: np.random.Generator) -> Plane:
    """Return the relief of a place.

    Args:
        name: A key of `PLACES`.
        size_hw: Rows and columns.
        rng: Source of every random draw.
    """
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] / min(size_hw)
    plane = PLACES[name]((y, x), rng)
    plane = plane - plane.mean()
    return float(rng.choice([-1.0, 1.0])) * plane / np.sqrt(np.mean(plane**2))


def _haze(at: Axes, width: float, rng: np.random.Generator) -> Plane:
    """Return smooth noise without direction, of mean square 1 and some width of its patches."""
    grain = rng.normal(size=at[0].shape)
    soft = cv2.GaussianBlur(grain, (0, 0), width * min(grain.shape), borderType=cv2.BORDER_REFLECT)
    soft = soft - soft.mean()
    return soft / np.sqrt(np.mean(soft**2))

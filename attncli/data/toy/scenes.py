"""Videos of textured bodies before a drifting background, told apart only by how one body moves.

Shape, texture, colour, size and place say nothing of the class: they are drawn alike for all.
Smaller bodies move too, some of them as the large one does and some otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

PATCH_PX = 64
BODY_SHARE = 0.62
"""Mean radius of a body over half its patch: its bulges stay inside."""
BULGE = 1.5
"""Largest radius of a body over its mean radius."""
BODY_RGB = np.array([215.0, 70.0, 40.0])
"""Colour all bodies vary about, large and small: it tells bodies apart from the background only."""
PERIOD = (40, 70)
"""Shortest and longest time a motion takes to come round, in frames."""
COPYING = 0.4
"""Probability that a small body moves in the manner of the large one."""


@dataclass(frozen=True)
class Course:
    """Where a body is in each frame, relative to its resting place, size and orientation."""

    shift_xy: Float[np.ndarray, "t 2"]
    """Displacement, between -1 and 1 amplitudes."""
    zoom: Float[np.ndarray, " t"]
    """Natural logarithm of its size over its usual size."""
    turn_rad: Float[np.ndarray, " t"]
    """Angle it is turned by."""


@dataclass(frozen=True)
class Body:
    """A textured blob and how it moves."""

    patch: UInt8[np.ndarray, "s s 4"]
    """RGB and opacity."""
    centre_xy: Float[np.ndarray, "t 2"]
    """Position of its middle in each frame, in pixels."""
    radius_px: Float[np.ndarray, " t"]
    """Mean radius in each frame."""
    turn_rad: Float[np.ndarray, " t"]
    """Angle it is turned by in each frame."""


@dataclass(frozen=True)
class Scene:
    """A rendered video and its truth."""

    frames: UInt8[np.ndarray, "t h w 3"]
    """RGB values."""
    masks: Bool[np.ndarray, "t h w"]
    """Pixels of the large body; the small ones are background."""


Angles = Float[np.ndarray, " t"]


def _circling(phase: Angles, side: float) -> Course:
    shift = np.stack([np.cos(phase), side * np.sin(phase)], axis=1)
    return Course(shift, 0 * phase, 0 * phase)


def _hopping(phase: Angles, side: float) -> Course:
    return Course(np.stack([0 * phase, side * np.sin(phase)], axis=1), 0 * phase, 0 * phase)


def _pulsing(phase: Angles, side: float) -> Course:
    return Course(np.zeros((len(phase), 2)), side * 0.45 * np.sin(phase), 0 * phase)


def _slanting(phase: Angles, side: float) -> Course:
    diagonal = np.sin(phase) / np.sqrt(2)
    return Course(np.stack([diagonal, side * diagonal], axis=1), 0 * phase, 0 * phase)


def _sliding(phase: Angles, side: float) -> Course:
    return Course(np.stack([side * np.sin(phase), 0 * phase], axis=1), 0 * phase, 0 * phase)


def _spinning(phase: Angles, side: float) -> Course:
    return Course(np.zeros((len(phase), 2)), 0 * phase, side * phase)


MOTIONS: dict[str, Callable[[Angles, float], Course]] = {
    "Circling": _circling,
    "Hopping": _hopping,
    "Pulsing": _pulsing,
    "Slanting": _slanting,
    "Sliding": _sliding,
    "Spinning": _spinning,
}
"""The classes: each stays what it is when the video is mirrored."""


def render(
    motion: str,
    *,
    n_frames: int,
    size_hw: tuple[int, int],
    look: np.random.Generator,
    course: np.random.Generator,
) -> Scene:
    """Return a video whose large body moves in the manner of `motion`.

    Args:
        motion: A key of `MOTIONS`.
        n_frames: Frames of the video.
        size_hw: Rows and columns of its frames.
        look: Draws background, shapes and textures.
        course: Draws places, speeds, small bodies' motions and noise.
    """
    height, width = size_hw
    background = _texture(
        look,
        2 * max(size_hw),
        contrast=float(look.uniform(8, 20)),
        colour=look.uniform(90, 160, size=3),
    )
    frames = _drift(background, n_frames, size_hw, course)
    for _ in range(course.integers(2, 4)):
        copies = course.random() < COPYING
        other = motion if copies else str(course.choice(sorted(MOTIONS)))
        _paint(frames, _body(other, n_frames, size_hw, (0.05, 0.08), look, course))
    body = _body(motion, n_frames, size_hw, (0.17, 0.24), look, course)
    masks = _paint(frames, body)
    noise = course.normal(0, 4, size=(2 * height, 2 * width, 3)).astype(np.float32)
    return Scene(_with_noise(frames, noise, course), masks)


def _texture(
    rng: np.random.Generator,
    side_px: int,
    *,
    contrast: float,
    colour: Float[np.ndarray, " 3"],
) -> Float32[np.ndarray, "s s 3"]:
    """Return a smooth random texture: octaves of enlarged noise about a colour."""
    sheet = np.zeros((side_px, side_px, 3), dtype=np.float32)
    for cells in (4, 8, 16, 32):
        grid = rng.normal(size=(cells, cells, 1)) + 0.6 * rng.normal(size=(cells, cells, 3))
        octave = cv2.resize(
            grid.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_CUBIC
        )
        sheet += octave
    return colour.astype(np.float32) + contrast * sheet / sheet.std()


def _drift(
    background: Float32[np.ndarray, "s s 3"],
    n_frames: int,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "t h w 3"]:
    """Return the background as a camera sees it that pans and sways."""
    height, width = size_hw
    pan = np.arange(n_frames)[:, None] * rng.uniform(-0.25, 0.25, size=2)
    sway = _sway(n_frames, rng, n=2) * rng.uniform(1, 3)
    start = np.array([len(background) - width, len(background) - height]) / 2
    frames = np.empty((n_frames, height, width, 3), dtype=np.float32)
    for frame, (x, y) in zip(frames, start + pan + sway, strict=True):
        move = np.array([[1, 0, x], [0, 1, y]])
        frame[:] = cv2.warpAffine(
            background,
            move,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    return frames


def _sway(n_frames: int, rng: np.random.Generator, *, n: int) -> Float[np.ndarray, "t n"]:
    """Return slow random oscillations between -1 and 1."""
    period = rng.uniform(30, 70, size=n)
    start = rng.uniform(0, 2 * np.pi, size=n)
    return np.sin(2 * np.pi * np.arange(n_frames)[:, None] / period + start)


def _body(
    motion: str,
    n_frames: int,
    size_hw: tuple[int, int],
    radii: tuple[float, float],
    look: np.random.Generator,
    course: np.random.Generator,
) -> Body:
    """Return a body of random look; `radii` bounds its radius over the frame's short side."""
    short_px = min(size_hw)
    patch = _patch(look)
    amplitude_px = course.uniform(0.16, 0.24) * short_px
    radius_px = course.uniform(*radii) * short_px
    phase = course.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(n_frames) / course.uniform(*PERIOD)
    path = MOTIONS[motion](phase, course.choice([-1.0, 1.0]))
    room = amplitude_px + radius_px
    place = course.uniform(room, np.array([size_hw[1], size_hw[0]]) - room)
    wobble = _sway(n_frames, course, n=4)
    return Body(
        patch=patch,
        centre_xy=place + amplitude_px * path.shift_xy + 0.02 * short_px * wobble[:, :2],
        radius_px=radius_px * np.exp(path.zoom + 0.04 * wobble[:, 2]),
        turn_rad=course.uniform(0, 2 * np.pi) + path.turn_rad + 0.12 * wobble[:, 3],
    )


def _patch(look: np.random.Generator) -> UInt8[np.ndarray, "s s 4"]:
    """Return a blob with bulges, so that turning it shows."""
    y, x = np.mgrid[:PATCH_PX, :PATCH_PX] * (2 / (PATCH_PX - 1)) - 1
    angle, distance = np.arctan2(y, x), np.hypot(x, y)
    waves = np.arange(2, 6)[:, None, None]
    size = look.uniform(0.03, 0.12, size=(4, 1, 1))
    turn = look.uniform(0, 2 * np.pi, size=(4, 1, 1))
    radius = BODY_SHARE * (1 + np.sum(size * np.cos(waves * angle + turn), axis=0))
    opacity = np.clip((radius - distance) * PATCH_PX / 2 + 0.5, 0, 1)
    colour = BODY_RGB + look.uniform(-25, 25, size=3)
    texture = _texture(look, PATCH_PX, contrast=float(look.uniform(15, 35)), colour=colour)
    return np.dstack([texture, 255 * opacity]).clip(0, 255).round().astype(np.uint8)


def _paint(frames: Float32[np.ndarray, "t h w 3"], body: Body) -> Bool[np.ndarray, "t h w"]:
    """Paint the body over the frames, in place, and return the pixels it covers."""
    height, width = frames.shape[1:3]
    masks = np.zeros(frames.shape[:3], dtype=np.bool_)
    poses = zip(body.centre_xy, body.radius_px, body.turn_rad, strict=True)
    for row, (centre, radius, turn) in enumerate(poses):
        scale = radius / (BODY_SHARE * (PATCH_PX - 1) / 2)
        reach = int(np.ceil(BULGE * radius)) + 1
        left, top = np.maximum(centre.astype(int) - reach, 0)
        right, bottom = np.minimum(centre.astype(int) + reach, (width, height))
        if left >= right or top >= bottom:
            continue
        cos, sin = scale * np.cos(turn), scale * np.sin(turn)
        linear = np.array([[cos, -sin], [sin, cos]])
        origin = centre - (left, top) - linear @ np.full(2, (PATCH_PX - 1) / 2)
        drawn = cv2.warpAffine(
            body.patch, np.column_stack([linear, origin]), (int(right - left), int(bottom - top))
        )
        opacity = drawn[..., 3:].astype(np.float32) / 255
        part = frames[row, top:bottom, left:right]
        part += opacity * (drawn[..., :3] - part)
        masks[row, top:bottom, left:right] = drawn[..., 3] >= 128
    return masks


def _with_noise(
    frames: Float32[np.ndarray, "t h w 3"],
    noise: Float32[np.ndarray, "hn wn 3"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "t h w 3"]:
    """Add to each frame another cut of `noise`."""
    height, width = frames.shape[1:3]
    corners = rng.integers(0, np.array(noise.shape[:2]) - (height, width) + 1, (len(frames), 2))
    for frame, (y, x) in zip(frames, corners, strict=True):
        frame += noise[y : y + height, x : x + width]
    return np.clip(frames, 0, 255).astype(np.uint8)

"""What toy videos are painted with: textures, drifting backgrounds, bodies and noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

SMALLEST_SIDE_PX = 32
"""Rows or columns of a frame below which small bodies are but a few pixels."""
PATCH_PX = 64
BODY_SHARE = 0.62
"""Mean radius of a body over half its patch: its bulges stay inside."""
BULGE = 1.5
"""Largest radius of a body over its mean radius."""
BODY_RGB = np.array([215.0, 70.0, 40.0])
"""Colour all bodies vary about: it tells them apart from the background only."""


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
    opacity: Float[np.ndarray, " t"]
    """How much it hides of what is behind it, from 0 (not to be seen) to 1."""


@dataclass(frozen=True)
class Scene:
    """A rendered video and its truth."""

    frames: UInt8[np.ndarray, "t h w 3"]
    """RGB values."""
    masks: Bool[np.ndarray, "t h w"]
    """Pixels of the body whose motion is the class; all else is background."""


def backdrop(
    look: np.random.Generator,
    course: np.random.Generator,
    n_frames: int,
    size_hw: tuple[int, int],
) -> Float32[np.ndarray, "t h w 3"]:
    """Return frames of a background as a camera sees it that pans and sways.

    `look` draws the background, `course` how the camera moves.
    """
    sheet = _texture(
        look,
        2 * max(size_hw),
        contrast=float(look.uniform(8, 20)),
        colour=look.uniform(90, 160, size=3),
    )
    return _drift(sheet, n_frames, size_hw, course)


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
    swaying = sway(n_frames, rng, n=2) * rng.uniform(1, 3)
    start = np.array([len(background) - width, len(background) - height]) / 2
    frames = np.empty((n_frames, height, width, 3), dtype=np.float32)
    for frame, (x, y) in zip(frames, start + pan + swaying, strict=True):
        move = np.array([[1, 0, x], [0, 1, y]])
        frame[:] = cv2.warpAffine(
            background,
            move,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
    return frames


def sway(n_frames: int, rng: np.random.Generator, *, n: int) -> Float[np.ndarray, "t n"]:
    """Return slow random oscillations between -1 and 1."""
    period = rng.uniform(30, 70, size=n)
    start = rng.uniform(0, 2 * np.pi, size=n)
    return np.sin(2 * np.pi * np.arange(n_frames)[:, None] / period + start)


def patch(
    look: np.random.Generator, base_rgb: Float[np.ndarray, " 3"] = BODY_RGB
) -> UInt8[np.ndarray, "s s 4"]:
    """Return a blob with bulges, so that turning it shows, of about the colour `base_rgb`."""
    y, x = np.mgrid[:PATCH_PX, :PATCH_PX] * (2 / (PATCH_PX - 1)) - 1
    angle, distance = np.arctan2(y, x), np.hypot(x, y)
    waves = np.arange(2, 6)[:, None, None]
    size = look.uniform(0.03, 0.12, size=(4, 1, 1))
    turn = look.uniform(0, 2 * np.pi, size=(4, 1, 1))
    radius = BODY_SHARE * (1 + np.sum(size * np.cos(waves * angle + turn), axis=0))
    opacity = np.clip((radius - distance) * PATCH_PX / 2 + 0.5, 0, 1)
    colour = base_rgb + look.uniform(-25, 25, size=3)
    rgb = _texture(look, PATCH_PX, contrast=float(look.uniform(15, 35)), colour=colour)
    return np.dstack([rgb, 255 * opacity]).clip(0, 255).round().astype(np.uint8)


def paint(frames: Float32[np.ndarray, "t h w 3"], body: Body) -> Bool[np.ndarray, "t h w"]:
    """Paint the body over the frames, in place, and return the pixels it covers."""
    height, width = frames.shape[1:3]
    masks = np.zeros(frames.shape[:3], dtype=np.bool_)
    poses = zip(body.centre_xy, body.radius_px, body.turn_rad, body.opacity, strict=True)
    for row, (centre, radius, turn, opaque) in enumerate(poses):
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
        opacity = drawn[..., 3:].astype(np.float32) * (opaque / 255)
        part = frames[row, top:bottom, left:right]
        part += opacity * (drawn[..., :3] - part)
        masks[row, top:bottom, left:right] = opacity[..., 0] >= 0.5
    return masks


def with_noise(
    frames: Float32[np.ndarray, "t h w 3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "t h w 3"]:
    """Add a camera's noise, in place, and return the frames as pixels: each shows another cut."""
    height, width = frames.shape[1:3]
    noise = rng.normal(0, 4, size=(2 * height, 2 * width, 3)).astype(np.float32)
    corners = rng.integers(0, np.array(noise.shape[:2]) - (height, width) + 1, (len(frames), 2))
    for frame, (y, x) in zip(frames, corners, strict=True):
        frame += noise[y : y + height, x : x + width]
    return np.clip(frames, 0, 255).astype(np.uint8)

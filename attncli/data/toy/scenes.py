"""Videos of textured bodies before a drifting background, told apart only by how one body moves.

Shape, texture, colour, size and place say nothing of the class: they are drawn alike for all.
Smaller bodies move too, some of them as the large one does and some otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attncli.data.toy.painting import Body, Scene, backdrop, paint, patch, sway, with_noise

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
    frames = backdrop(look, course, n_frames, size_hw)
    for _ in range(course.integers(2, 4)):
        copies = course.random() < COPYING
        other = motion if copies else str(course.choice(sorted(MOTIONS)))
        paint(frames, _body(other, n_frames, size_hw, (0.05, 0.08), look, course))
    body = _body(motion, n_frames, size_hw, (0.17, 0.24), look, course)
    masks = paint(frames, body)
    return Scene(with_noise(frames, course), masks)


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
    picture = patch(look)
    amplitude_px = course.uniform(0.16, 0.24) * short_px
    radius_px = course.uniform(*radii) * short_px
    phase = course.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(n_frames) / course.uniform(*PERIOD)
    path = MOTIONS[motion](phase, course.choice([-1.0, 1.0]))
    room = amplitude_px + radius_px
    place = course.uniform(room, np.array([size_hw[1], size_hw[0]]) - room)
    wobble = sway(n_frames, course, n=4)
    return Body(
        patch=picture,
        centre_xy=place + amplitude_px * path.shift_xy + 0.02 * short_px * wobble[:, :2],
        radius_px=radius_px * np.exp(path.zoom + 0.04 * wobble[:, 2]),
        turn_rad=course.uniform(0, 2 * np.pi) + path.turn_rad + 0.12 * wobble[:, 3],
        opacity=np.ones(n_frames),
    )

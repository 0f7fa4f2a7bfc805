"""Videos of bodies that act, each at its own time; what one does while held by a hand decides.

Every body is drawn alike and does one action at any time of the video, only one of them in a hand.
Looks, places, sizes, times and lengths of the actions are drawn alike for all classes, and so is
the side the hand comes from. Whoever does not know when and where to look can but guess which of
the actions counts.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attncli.data.toy.painting import Body, Scene, backdrop, paint, patch, sway, with_noise

Progress = Float[np.ndarray, " t"]

HAND_RGB = np.array([235.0, 200.0, 165.0])
OTHERS = 2
"""Most bodies, unless told otherwise, that act beside the one whose action counts."""
ACTION_SHARE = (0.25, 0.45)
"""Shortest and longest time an action takes, over the length of the video."""
KEY_SHARE = (0.3, 0.7)
"""Part of an action in which the body moves fastest, and which decides the class."""
TRAVEL = 0.4
"""How far a body is moved across or down, over the short side of the frame."""
ZOOM = 0.75
"""Natural logarithm of how many times larger a body grows that comes closer."""
RADIUS = (0.13, 0.18)
"""Smallest and largest radius of a body, over the short side of the frame."""
HAND_RADIUS = (0.10, 0.13)
"""The same of the hand."""
RING = 0.2
"""Distance of the bodies' resting places from the middle, over the short side of the frame."""
REACHING = (2, 6)
"""Frames in which the hand would cover the diagonal of the frame, coming and going."""


@dataclass(frozen=True)
class Change:
    """What an action does to a body between its beginning and its end."""

    shift_xy: tuple[float, float] = (0.0, 0.0)
    """Displacement to the right and down, in units of `TRAVEL`."""
    zoom: float = 0.0
    """Growth, in units of `ZOOM`."""
    opacity: tuple[float, float] = (1.0, 1.0)
    """How much is to be seen of it before and after."""


ACTIONS = {
    "[Something] appearing": Change(opacity=(0.0, 1.0)),
    "[Something] disappearing": Change(opacity=(1.0, 0.0)),
    "Moving [something] away from the camera": Change(zoom=-1.0),
    "Moving [something] down": Change(shift_xy=(0.0, 1.0)),
    "Moving [something] towards the camera": Change(zoom=1.0),
    "Moving [something] up": Change(shift_xy=(0.0, -1.0)),
    "Pushing [something] from left to right": Change(shift_xy=(1.0, 0.0)),
    "Pushing [something] from right to left": Change(shift_xy=(-1.0, 0.0)),
}
"""The classes by template: four pairs that differ only in the order of their frames."""


@dataclass(frozen=True)
class Interval:
    """Frames of a video, the last one included."""

    first: int
    """Position of the first frame, from 0."""
    last: int
    """Position of the last frame."""

    def part(self, start: float, end: float) -> "Interval":
        """Return the frames between two shares of its length."""
        length = self.last - self.first
        return Interval(self.first + round(start * length), self.first + round(end * length))

    def progress(self, n_frames: int) -> Progress:
        """Return how much of it is over in each frame, rising smoothly from 0 to 1."""
        time = (np.arange(n_frames) - self.first) / max(1, self.last - self.first)
        done = np.clip(time, 0.0, 1.0)
        return done * done * (3 - 2 * done)


@dataclass(frozen=True)
class Handling:
    """A rendered video of an action, and when it takes place."""

    scene: Scene
    """Frames, and the pixels of the body whose action counts."""
    active: Interval
    """Frames in which the action takes place."""
    key: Interval
    """The part of them that decides the class."""


def render_action(
    action: str,
    *,
    n_frames: int,
    size_hw: tuple[int, int],
    others: int = OTHERS,
    look: np.random.Generator,
    course: np.random.Generator,
) -> Handling:
    """Return a video in which a body does `action` in a hand, and up to `others` act without.

    Args:
        action: A key of `ACTIONS`.
        n_frames: Frames of the video.
        size_hw: Rows and columns of its frames.
        others: Most bodies that act beside it; every number from none to this is as likely.
        look: Draws background, shapes and textures.
        course: Draws times, places, the other bodies' actions and noise.
    """
    active = _interval(n_frames, course)
    frames = backdrop(look, course, n_frames, size_hw)
    n_bodies = 1 + int(course.integers(others + 1))
    places = _places(n_bodies, n_frames, size_hw, course)
    short_px = min(size_hw)
    for place in places[1:]:
        other = str(course.choice(sorted(ACTIONS)))
        time = _interval(n_frames, course)
        paint(frames, _body(other, time, place, short_px, look, course))
    body = _body(action, active, places[0], short_px, look, course)
    masks = paint(frames, body)
    hidden = paint(frames, _hand(body, active, size_hw, look, course))
    scene = Scene(with_noise(frames, course), masks & ~hidden)
    return Handling(scene, active, active.part(*KEY_SHARE))


def _interval(n_frames: int, rng: np.random.Generator) -> Interval:
    """Return when an action takes place, with at least a frame before and after."""
    length = max(2, round(rng.uniform(*ACTION_SHARE) * n_frames))
    first = int(rng.integers(1, n_frames - length))
    return Interval(first, first + length - 1)


def _places(
    n_bodies: int, n_frames: int, size_hw: tuple[int, int], rng: np.random.Generator
) -> list[Float[np.ndarray, "t 2"]]:
    """Return where each body rests in each frame: round the middle, all shaken by one camera."""
    short_px = min(size_hw)
    middle = np.array([size_hw[1], size_hw[0]]) / 2
    shaking = 0.02 * short_px * sway(n_frames, rng, n=2)
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(n_bodies) / n_bodies
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [middle + RING * short_px * place + shaking for place in around]


def _body(
    action: str,
    interval: Interval,
    place_xy: Float[np.ndarray, "t 2"],
    short_px: int,
    look: np.random.Generator,
    course: np.random.Generator,
) -> Body:
    """Return a body that does `action` in the interval and rests, never quite still, else."""
    change, n_frames = ACTIONS[action], len(place_xy)
    done = interval.progress(n_frames)
    radius_px = course.uniform(*RADIUS) * short_px
    wobble = sway(n_frames, course, n=4)
    shift = (done[:, None] - 0.5) * TRAVEL * np.array(change.shift_xy)
    before, after = change.opacity
    return Body(
        patch=patch(look),
        centre_xy=place_xy + short_px * (shift + 0.01 * wobble[:, :2]),
        radius_px=radius_px * np.exp((done - 0.5) * ZOOM * change.zoom + 0.04 * wobble[:, 2]),
        turn_rad=course.uniform(0, 2 * np.pi) + 0.12 * wobble[:, 3],
        opacity=before + (after - before) * done,
    )


def _hand(
    body: Body,
    active: Interval,
    size_hw: tuple[int, int],
    look: np.random.Generator,
    course: np.random.Generator,
) -> Body:
    """Return the hand: it comes from any side to touch the body, goes with it, and withdraws."""
    frames = np.arange(len(body.radius_px))
    angle = course.uniform(0, 2 * np.pi)
    side = np.array([np.cos(angle), np.sin(angle)])
    coming, going = course.uniform(*REACHING, size=2)
    away = np.maximum((active.first - frames) / coming, (frames - active.last) / going).clip(0)
    radius_px = course.uniform(*HAND_RADIUS) * min(size_hw)
    distance = body.radius_px + 0.5 * radius_px + away * np.hypot(*size_hw)
    return Body(
        patch=patch(look, HAND_RGB),
        centre_xy=body.centre_xy + distance[:, None] * side,
        radius_px=np.full(len(frames), radius_px),
        turn_rad=np.full(len(frames), angle),
        opacity=np.ones(len(frames)),
    )

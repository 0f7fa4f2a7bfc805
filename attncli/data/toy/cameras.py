"""Cameras that see drawn people: each with its own place, light, colours and usual side of people.

A camera looks at one background, from which people walk past in the same few directions. Its
colours and its light change all that it sees alike, and its boxes about people are its own in how
badly they fit.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from attncli.data.toy.people import VIEWS, Person, Picture, View, draw_pose, paint_person

SCENE_HW = (400, 320)
"""Rows and columns of what is painted, of which a box is cut out."""
HEIGHT_PX = 300.0
"""Rows of the tallest person."""
FEET_XY = (160.0, 355.0)
"""Where people stand."""
MARGIN_PX = 10
"""What a box drawn by hand leaves about the tallest person, above and below."""
CAST = 0.18
"""Largest change of a channel's strength by a camera, as a share."""
LIGHT = (0.6, 1.15)
"""Darkest and brightest light of a camera."""
GAMMA = (0.75, 1.35)
"""Exponents of a camera's tone curve."""
LOOSE = (0.02, 0.1)
"""Usual error of a camera's boxes, in their sides."""
USUAL = 0.65
"""Probability that a camera sees the side it mostly sees."""
HIDDEN = 0.12
"""Probability that something stands before someone's legs."""
TINT = 10.0
"""Standard deviation of a channel of places about their grey: people are more colourful."""
NOISE = (2.0, 7.0)
"""Standard deviation of a camera's noise, in grey levels."""


@dataclass(frozen=True)
class Camera:
    """How one camera sees."""

    backdrop: Picture
    """What is behind people."""
    cast: Float[np.ndarray, " 3"]
    """Strength of each channel."""
    gamma: float
    """Exponent of its tone curve."""
    blur_px: float
    """Standard deviation of its blur, in pixels of what is painted."""
    noise: float
    """Standard deviation of its noise, in grey levels."""
    loose: float
    """Usual error of its boxes, in their sides."""
    views: Float[np.ndarray, " 4"]
    """Probability of each of `VIEWS`."""


def draw_camera(number: int, rng: np.random.Generator) -> Camera:
    """Return a camera; the side that it mostly sees comes round with its number."""
    views = np.full(len(VIEWS), (1 - USUAL) / (len(VIEWS) - 1))
    views[number % len(VIEWS)] = USUAL
    cast = rng.uniform(*LIGHT) * (1 + rng.uniform(-CAST, CAST, size=3))
    return Camera(
        backdrop=_backdrop(rng),
        cast=cast,
        gamma=float(rng.uniform(*GAMMA)),
        blur_px=float(rng.uniform(0.5, 3.0)),
        noise=float(rng.uniform(*NOISE)),
        loose=float(rng.uniform(*LOOSE)),
        views=views,
    )


def photograph(
    person: Person | None,
    camera: Camera,
    *,
    size_hw: tuple[int, int],
    looseness: float,
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the box about someone as a camera sees them.

    Args:
        person: Who; None is a box about nobody.
        camera: The camera.
        size_hw: Rows and columns of the box.
        looseness: How badly the box fits, over what is usual of the camera: 0 is drawn by hand.
        rng: Source of every random draw.
    """
    scene = _wall_behind(camera, rng)
    if person is not None:
        view: View = VIEWS[int(rng.choice(len(VIEWS), p=camera.views))]
        paint_person(scene, person, draw_pose(view, rng), feet_xy=FEET_XY, height_px=HEIGHT_PX)
    if rng.random() < HIDDEN:
        _hide(scene, rng)
    tall = HEIGHT_PX * (1.0 if person is None else person.height)
    box = _cut(scene, tall, looseness * camera.loose, size_hw, rng)
    return _seen(box, camera, rng)


def _backdrop(rng: np.random.Generator) -> Picture:
    """Return a wall over a floor, twice as wide as a scene, with upright things at the wall."""
    height, width = SCENE_HW[0], 2 * SCENE_HW[1]
    horizon = int(rng.uniform(0.35, 0.7) * height)
    picture = np.empty((height, width, 3))
    picture[:horizon], picture[horizon:] = _muted(rng), _muted(rng)
    for _ in range(int(rng.integers(3, 9))):
        left = int(rng.integers(width))
        right = left + int(rng.integers(15, 120))
        picture[int(rng.integers(horizon)) : horizon, left:right] = _muted(rng)
    grid = rng.normal(0, 12, size=(25, 40, 1)).astype(np.float32)
    rough = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return (picture + rough[..., None]).clip(0, 255).astype(np.uint8)


def _wall_behind(camera: Camera, rng: np.random.Generator) -> Picture:
    """Return the part of the background that someone walks before."""
    left = int(rng.integers(SCENE_HW[1] + 1))
    return camera.backdrop[:, left : left + SCENE_HW[1]].copy()


def _hide(scene: Picture, rng: np.random.Generator) -> None:
    """Paint something before the legs, in place."""
    top = int(FEET_XY[1] - rng.uniform(0.1, 0.35) * HEIGHT_PX)
    scene[top:] = _muted(rng).astype(np.uint8)


def _muted(rng: np.random.Generator) -> Float[np.ndarray, " 3"]:
    """Return a colour near grey."""
    return (rng.uniform(60, 205) + rng.normal(0, TINT, size=3)).clip(0, 255)


def _cut(
    scene: Picture,
    tall_px: float,
    loose: float,
    size_hw: tuple[int, int],
    rng: np.random.Generator,
) -> Picture:
    """Return a box about someone of that height, off by about `loose` of its sides."""
    height = tall_px + 2 * MARGIN_PX
    middle = np.array([FEET_XY[0], FEET_XY[1] - tall_px / 2])
    sides = np.array([height / 2, height])
    middle = middle + loose * rng.normal(size=2) * sides
    zoom = float(np.exp(1.5 * loose * rng.normal()))
    scale = zoom * sides / (size_hw[1], size_hw[0])
    start = middle - zoom * sides / 2
    return _resampled(scene, start, scale, size_hw)


def _resampled(
    scene: Picture,
    start_xy: Float[np.ndarray, " 2"],
    scale_xy: Float[np.ndarray, " 2"],
    size_hw: tuple[int, int],
) -> Picture:
    """Return a box of a scene at another size, without aliasing; edges go on outside."""
    softness = 0.4 * scale_xy
    smooth = cv2.GaussianBlur(scene, (0, 0), float(softness[0]), sigmaY=float(softness[1]))
    origin = start_xy + (scale_xy - 1) / 2
    move = np.array([[scale_xy[0], 0, origin[0]], [0, scale_xy[1], origin[1]]])
    box = cv2.warpAffine(
        smooth,
        move,
        (size_hw[1], size_hw[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(box, dtype=np.uint8)


def _seen(box: Picture, camera: Camera, rng: np.random.Generator) -> Picture:
    """Return a box in a camera's colours, light, blur and noise."""
    scale = box.shape[0] / SCENE_HW[0]
    soft = cv2.GaussianBlur(box, (0, 0), max(0.1, camera.blur_px * scale))
    light = float(rng.uniform(0.9, 1.1))
    toned = 255 * (soft / 255.0) ** camera.gamma * camera.cast * light
    noisy = toned + rng.normal(0, camera.noise, size=box.shape)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)

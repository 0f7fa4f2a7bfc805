"""Small sets of pictures in directories by class, which object, place, or both tell apart.

`objects` has a class a shape, before any place; `scenes` a class a place, behind any object. The
classes of `target` are pairs of both: some differ in the object alone, some in the place alone, and
its pictures are taken under other, harder conditions. A network that learned one of the first two
sets alone sees half of what tells the classes of the third apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import tomli_w
from jaxtyping import UInt8
from PIL import Image

from attncli.config.toy_data import SceneSet
from attncli.data.toy.backdrops import PLACES
from attncli.data.toy.shapes import SHAPES
from attncli.data.toy.views import Conditions, render_view
from attncli.files.atomic import replacing_directory, write_text
from attncli.reporting import Reporter

SCENE_SETS: tuple[SceneSet, ...] = get_args(SceneSet)
"""The sets, whose positions go into the seed: no two share a draw."""
EVERY_TEST = 3
"""One of so many images of a class is for testing."""
QUALITY = 95
"""Of JPEG, whose colours are kept at full size."""

TARGET_THINGS = ("disc", "heart", "square", "star")
"""Objects of `target`."""
TARGET_PLACES = ("desert", "hills", "sea")
"""Places of `target`."""
EASY = Conditions(
    share=(0.14, 0.28),
    turn_rad=0.3,
    contrast=(12.0, 24.0),
    apart=110.0,
    others=(0, 2),
    hidden=0.15,
    noise=(2.0, 8.0),
    blur_px=(0.3, 0.8),
)
"""Of `objects` and `scenes`."""
HARD = Conditions(
    share=(0.09, 0.18),
    turn_rad=0.6,
    contrast=(12.0, 24.0),
    apart=60.0,
    others=(1, 4),
    hidden=0.4,
    noise=(8.0, 18.0),
    blur_px=(0.4, 1.1),
)
"""Of `target`."""

SplitFolder = Literal["train", "test"]


@dataclass(frozen=True)
class ToyView:
    """What one image is called and shows."""

    number: int
    """Its place, from 0."""
    folder: SplitFolder
    """Directory of its split."""
    class_name: str
    """Its class."""
    thing: str
    """Its object."""
    place: str
    """Its background."""

    @property
    def file(self) -> Path:
        """Where it lies below the dataset."""
        return Path(self.folder, self.class_name, f"{self.number + 1:06d}.jpg")


def class_names(scene_set: SceneSet) -> tuple[str, ...]:
    """Return the classes of a set, by letters."""
    if scene_set == "target":
        return tuple(f"{thing}-{place}" for thing in TARGET_THINGS for place in TARGET_PLACES)
    return tuple(sorted(SHAPES if scene_set == "objects" else PLACES))


def toy_views(size: int, seed: int, scene_set: SceneSet = "objects") -> list[ToyView]:
    """Return `size` images of each class; classes come round, and so does which third is tested."""
    names = class_names(scene_set)
    return [_view(number, seed, scene_set, names) for number in range(size * len(names))]


def count_image_folder(
    *, size: int, seed: int, scene_set: SceneSet = "objects"
) -> Mapping[str, int]:
    """Return how many classes and images of each split there will be."""
    views = toy_views(size, seed, scene_set)
    n_val = sum(view.folder == "test" for view in views)
    return {"classes": len(class_names(scene_set)), "train": len(views) - n_val, "val": n_val}


def make_image_folder(
    directory: Path,
    *,
    size: int,
    seed: int,
    size_hw: tuple[int, int],
    scene_set: SceneSet = "objects",
    reporter: Reporter,
) -> Sequence[ToyView]:
    """Write one of the sets: images in `train/CLASS/` and `test/CLASS/`.

    The directory appears whole or not at all, and replaces what was there. An image depends only
    on the set, the seed and its number, not on how many there are.

    Args:
        directory: Where to write.
        size: Images of each class, at least `EVERY_TEST`.
        seed: Seed of every random draw.
        size_hw: Rows and columns of each image.
        scene_set: Which set.
        reporter: Told of progress.

    Returns:
        The images written.
    """
    views = toy_views(size, seed, scene_set)
    with replacing_directory(directory.resolve()) as root:
        for view in reporter.track(views, label="drawing toy images", unit="images"):
            picture = draw(view, seed=seed, size_hw=size_hw, scene_set=scene_set)
            file = root / view.file
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(file, quality=QUALITY, subsampling=0)
        amount = {"size": size, "seed": seed}
        look = {"scene_set": scene_set, "frame_hw": list(size_hw)}
        write_text(root / "config.toml", tomli_w.dumps({"format_version": 1, **amount, **look}))
    return views


def draw(
    view: ToyView, *, seed: int, size_hw: tuple[int, int], scene_set: SceneSet
) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image."""
    return render_view(
        view.thing,
        view.place,
        conditions=HARD if scene_set == "target" else EASY,
        size_hw=size_hw,
        rng=_generator(view.number, seed, scene_set, "look"),
    )


def _generator(
    number: int, seed: int, scene_set: SceneSet, purpose: Literal["plan", "look"]
) -> np.random.Generator:
    """Return the source of what an image shows beside its class, or of how it looks."""
    words = (seed, number, SCENE_SETS.index(scene_set), purpose == "look")
    return np.random.default_rng(np.random.SeedSequence(words))


def _view(number: int, seed: int, scene_set: SceneSet, names: Sequence[str]) -> ToyView:
    """Return what an image shows: the next class, and anything of what its set does not tell."""
    rng = _generator(number, seed, scene_set, "plan")
    name = names[number % len(names)]
    thing, place = str(rng.choice(sorted(SHAPES))), str(rng.choice(sorted(PLACES)))
    if scene_set == "objects":
        thing = name
    elif scene_set == "scenes":
        place = name
    else:
        thing, place = name.split("-")
    is_tested = number // len(names) % EVERY_TEST == EVERY_TEST - 1
    return ToyView(number, "test" if is_tested else "train", name, thing, place)

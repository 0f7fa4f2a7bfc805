"""A small dataset in Something-Something v2's layout whose classes are what is done, and when.

Beside the real dataset's files there are the true masks of the body whose action counts (`masks/`)
and the frames in which it does (`active.csv`).
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tomli_w

from attncli.data.toy.actions import ACTIONS, OTHERS, Handling, render_action
from attncli.data.toy.true_masks import write_masks
from attncli.data.video.reading import write_video
from attncli.errors import UsageError
from attncli.files.active_intervals import ActiveInterval, write_active_intervals
from attncli.files.atomic import replacing_directory, write_text
from attncli.reporting import Reporter

FPS = 12.0
SUFFIX = ".webm"
VIDEOS = "20bn-something-something-v2"
LISTS = "something-something-v2"
ACTIVE = "active.csv"
FEWEST_FRAMES = 12
"""Smallest usual length at which an action still has a beginning, a middle and an end."""
LENGTHS = (0.8, 1.25)
"""Shortest and longest video, over the usual length."""
THINGS = ("a ball of clay", "a pebble", "a piece of felt", "a sponge", "a tomato")
"""What stands for [something] in a video's label; nothing to be seen depends on it."""

ListName = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class ToyVideo:
    """What one video is called and made from."""

    action: str
    """Its class, as a template with [something] in brackets."""
    number: int
    """Its place in its class, from 0."""

    @property
    def id(self) -> str:
        """A number, as the videos of the real dataset are called."""
        return str(1 + self.number * len(ACTIONS) + sorted(ACTIONS).index(self.action))

    @property
    def list_name(self) -> ListName:
        """List it is in: the first of a class is for the test, then a third for validation."""
        if self.number == 0:
            return "test"
        return "validation" if self.number % 3 == 1 else "train"


def toy_videos(size: int) -> list[ToyVideo]:
    """Return `size` videos of every class for training and validation, and one for the test."""
    return [ToyVideo(action, number) for number in range(size + 1) for action in sorted(ACTIONS)]


def count_ssv2(*, size: int, seed: int, frames: int) -> dict[str, int]:
    """Return how many classes, videos of each list, and frames there will be."""
    videos = toy_videos(size)
    lists = Counter(video.list_name for video in videos)
    n_frames = sum(_length(_generator(video, seed, "course"), frames) for video in videos)
    return {
        "classes": len(ACTIONS),
        "train": lists["train"],
        "val": lists["validation"],
        "test": lists["test"],
        "frames": n_frames,
    }


def make_ssv2(
    directory: Path,
    *,
    size: int,
    seed: int,
    frames: int,
    size_hw: tuple[int, int],
    others: int = OTHERS,
    reporter: Reporter,
) -> list[ToyVideo]:
    """Write the dataset: videos, the lists, the true masks in `masks/` and `active.csv`.

    The directory appears whole or not at all, and replaces what was there. A video depends only on
    the seed, its class and number, not on how many there are.

    Args:
        directory: Where to write.
        size: Videos of each class for training and validation, at least 2.
        seed: Seed of every random draw.
        frames: Usual length of a video, at least `FEWEST_FRAMES`.
        size_hw: Rows and columns of each frame.
        others: Most bodies that act beside the one that counts.
        reporter: Told of progress.

    Returns:
        The videos written.

    Raises:
        UsageError: There are too few videos to fill the lists.
    """
    if size < 2:
        raise UsageError("must be at least 2, one video for each list", where="--size")
    videos = toy_videos(size)
    active: dict[str, ActiveInterval] = {}
    with replacing_directory(directory.resolve()) as root:
        for video in reporter.track(videos, label="drawing toy videos", unit="videos"):
            drawn = draw(video, seed=seed, frames=frames, size_hw=size_hw, others=others)
            write_video((root / VIDEOS / video.id).with_suffix(SUFFIX), drawn.scene.frames, FPS)
            write_masks(root / "masks", video.id, drawn.scene.masks)
            active[video.id] = ActiveInterval(*astuple(drawn.active), *astuple(drawn.key))
        _write_lists(root, videos)
        write_active_intervals(root / ACTIVE, active)
        settings = {
            "format_version": 1,
            "size": size,
            "seed": seed,
            "frames": frames,
            "others": others,
        }
        write_text(root / "config.toml", tomli_w.dumps({**settings, "frame_hw": list(size_hw)}))
    return videos


def draw(
    video: ToyVideo, *, seed: int, frames: int, size_hw: tuple[int, int], others: int = OTHERS
) -> Handling:
    """Return one video and when its action takes place; `frames` is the usual length."""
    course = _generator(video, seed, "course")
    return render_action(
        video.action,
        n_frames=_length(course, frames),
        size_hw=size_hw,
        others=others,
        look=_generator(video, seed, "look"),
        course=course,
    )


def _generator(
    video: ToyVideo, seed: int, purpose: Literal["course", "look"]
) -> np.random.Generator:
    place = (seed, sorted(ACTIONS).index(video.action), video.number, purpose == "look")
    return np.random.default_rng(np.random.SeedSequence(place))


def _length(course: np.random.Generator, frames: int) -> int:
    """Draw the number of frames of a video."""
    return round(frames * course.uniform(*LENGTHS))


def _write_lists(root: Path, videos: Sequence[ToyVideo]) -> None:
    names = sorted(_plain(action) for action in ACTIONS)
    _write_json(root / f"{LISTS}-labels.json", {name: str(n) for n, name in enumerate(names)})
    for list_name in ("train", "validation", "test"):
        entries = [_entry(video) for video in videos if video.list_name == list_name]
        _write_json(root / f"{LISTS}-{list_name}.json", entries)


def _entry(video: ToyVideo) -> dict[str, object]:
    """Return what a list says of a video; the test list does not tell its class."""
    if video.list_name == "test":
        return {"id": video.id}
    thing = THINGS[video.number % len(THINGS)]
    label = video.action.lower().replace("[something]", thing)
    return {"id": video.id, "label": label, "template": video.action, "placeholders": [thing]}


def _plain(template: str) -> str:
    """Return the template as the labels file has it: without brackets."""
    return template.replace("[", "").replace("]", "")


def _write_json(path: Path, content: object) -> None:
    write_text(path, json.dumps(content, indent=1) + "\n")

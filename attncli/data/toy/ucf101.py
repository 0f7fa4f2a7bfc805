"""A small dataset in UCF101's layout whose classes are manners of moving."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomli_w

from attncli.data.toy.painting import Scene
from attncli.data.toy.scenes import MOTIONS, render
from attncli.data.toy.true_masks import write_masks
from attncli.data.video.reading import write_video
from attncli.errors import UsageError
from attncli.files.atomic import replacing_directory, write_text
from attncli.reporting import Reporter

FPS = 25.0
SUFFIX = ".avi"
GROUPS = 25
TEST_GROUPS = {1: range(1, 8), 2: range(8, 15), 3: range(15, 22)}
"""Groups of UCF101's three test lists; the others are for training."""


@dataclass(frozen=True)
class ToyVideo:
    """What one video is called and made from."""

    motion: str
    """Its class."""
    group: int
    """Its group, 1 to 25: videos of a group share background, shapes and textures."""
    number: int
    """Its place in its group, from 1."""

    @property
    def id(self) -> str:
        """Path below the directory of videos, without suffix."""
        return f"{self.motion}/v_{self.motion}_g{self.group:02d}_c{self.number:02d}"


def toy_videos(size: int) -> list[ToyVideo]:
    """Return `size` videos of every class, spread over the groups so that every list has some."""
    # 1, 8, 15, 22, 2, 9, …: three videos already are one in each test list.
    groups = [first + step for step in range(7) for first in (1, 8, 15, 22)][:GROUPS]
    return [
        ToyVideo(motion, groups[i % GROUPS], 1 + i // GROUPS)
        for motion in sorted(MOTIONS)
        for i in range(size)
    ]


def count_ucf101(*, size: int, frames: int, **_: int) -> dict[str, int]:
    """Return how many classes, training and validation videos, and frames any seed yields."""
    videos = toy_videos(size)
    val = sum(video.group in TEST_GROUPS[1] for video in videos)
    return {
        "classes": len(MOTIONS),
        "train": len(videos) - val,
        "val": val,
        "frames": frames * len(videos),
    }


def make_ucf101(
    directory: Path,
    *,
    size: int,
    seed: int,
    frames: int,
    size_hw: tuple[int, int],
    reporter: Reporter,
) -> list[ToyVideo]:
    """Write the dataset: `UCF-101/`, `ucfTrainTestlist/` and the true masks in `masks/`.

    The directory appears whole or not at all, and replaces what was there. A video depends only on
    the seed, its class, group and number, not on how many there are.

    Args:
        directory: Where to write.
        size: Videos of each class, at least 3.
        seed: Seed of every random draw.
        frames: Frames of each video.
        size_hw: Rows and columns of each frame.
        reporter: Told of progress.

    Returns:
        The videos written.

    Raises:
        UsageError: There are too few videos to fill the lists.
    """
    if size < len(TEST_GROUPS):
        raise UsageError("must be at least 3, one video for each test list", where="--size")
    videos = toy_videos(size)
    with replacing_directory(directory.resolve()) as root:
        for video in reporter.track(videos, label="drawing toy videos", unit="videos"):
            scene = draw(video, seed=seed, n_frames=frames, size_hw=size_hw)
            write_video((root / "UCF-101" / video.id).with_suffix(SUFFIX), scene.frames, FPS)
            write_masks(root / "masks", video.id, scene.masks)
        _write_lists(root / "ucfTrainTestlist", videos)
        settings = {"format_version": 1, "size": size, "seed": seed, "frames": frames}
        write_text(root / "config.toml", tomli_w.dumps({**settings, "frame_hw": list(size_hw)}))
    return videos


def draw(video: ToyVideo, *, seed: int, n_frames: int, size_hw: tuple[int, int]) -> Scene:
    """Return the frames and masks of one video."""
    place = (seed, sorted(MOTIONS).index(video.motion), video.group)
    return render(
        video.motion,
        n_frames=n_frames,
        size_hw=size_hw,
        look=np.random.default_rng(np.random.SeedSequence((*place, 0))),
        course=np.random.default_rng(np.random.SeedSequence((*place, video.number))),
    )


def _write_lists(root: Path, videos: list[ToyVideo]) -> None:
    numbers = {motion: number for number, motion in enumerate(sorted(MOTIONS), start=1)}
    write_text(root / "classInd.txt", _lines(f"{n} {motion}" for motion, n in numbers.items()))
    for split, tested in TEST_GROUPS.items():
        training = (f"{v.id}{SUFFIX} {numbers[v.motion]}" for v in videos if v.group not in tested)
        testing = (f"{v.id}{SUFFIX}" for v in videos if v.group in tested)
        write_text(root / f"trainlist{split:02d}.txt", _lines(training))
        write_text(root / f"testlist{split:02d}.txt", _lines(testing))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)

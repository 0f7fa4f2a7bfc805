from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from attncli.config.st_abn import StAbnConfig
from attncli.data.samples import VideoSample
from attncli.errors import Failure
from attncli.files.edit_directory import EditDirectory
from attncli.types import BranchOutputs
from attncli.workflows.edit.select.whole_videos import Watched, watch

CONFIG = StAbnConfig(
    data=Path("data"),
    frames=4,
    crop_px=32,
    short_side_min_px=32,
    short_side_max_px=32,
    short_side_val_px=32,
    batch_size=3,
)


class Brightness(nn.Module):
    """Attends to each frame as bright as it is, plus what its place in the clip adds."""

    def __init__(self, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.batches: list[int] = []

    def forward(self, frames: Tensor) -> BranchOutputs:
        self.batches.append(len(frames))
        attention = frames.float().mean(dim=(1, 3, 4)) / 255
        attention = attention + self.slope * torch.arange(frames.shape[2])
        return BranchOutputs(scores=torch.zeros(len(frames), 2), temporal_attention=attention)


def watched(
    network: nn.Module, videos: dict[str, Path], out: Path, readers: int = 0, **changes: Any
) -> dict[str, Watched | Failure]:
    kind = changes.pop("kind", "temporal")
    found = watch(
        network,
        [VideoSample(id_, path, 0) for id_, path in videos.items()],
        replace(CONFIG, **changes),
        kind=kind,
        directory=EditDirectory(out),
        picture_px=96,
        device=torch.device("cpu"),
        readers=readers,
    )
    return {w.sample.id if isinstance(w, Watched) else w.id: w for w in found}


@pytest.mark.parametrize("readers", [0, 2])
@pytest.mark.parametrize(
    "how",
    [{"sampling": "uniform"}, {"sampling": "dense"}, {"sampling": "dense", "frame_stride": 3}],
)
def test_every_frame_gets_the_attention_of_its_own_picture(
    tmp_path: Path, make_video: Callable[..., Path], how: dict[str, object], readers: int
) -> None:
    lengths = {"short": 2, "exact": 4, "a/long": 11, "longer": 21}
    videos = {id_: make_video(id_, n) for id_, n in lengths.items()}
    found = watched(Brightness(), videos, tmp_path / "edits", readers=readers, **how)
    assert found.keys() == videos.keys()
    for id_, n in lengths.items():
        np.testing.assert_allclose(found[id_].attention, 5 * np.arange(n) / 255, atol=1e-6)


def test_what_a_frame_gets_in_several_clips_is_averaged(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    videos = {"v": make_video("v", 5, step=0)}
    found = watched(Brightness(slope=0.1), videos, tmp_path, sampling="dense")
    # Tiles 0 1 2 3 and 1 2 3 4: frame 1 is second in one and first in the other.
    np.testing.assert_allclose(found["v"].attention, [0, 0.05, 0.15, 0.25, 0.3], atol=1e-6)


class Halves(nn.Module):
    """Looks at the left and the right half of each frame as bright as they are."""

    def forward(self, frames: Tensor) -> BranchOutputs:
        halves = frames.float().mean(1).unflatten(3, (2, 16)).mean((2, 4)) / 255
        return BranchOutputs(
            scores=torch.zeros(len(frames), 2), spatial_attention=halves[:, :, None]
        )


def test_maps_are_averaged_like_numbers_and_say_what_part_they_are_of(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    video = make_video("v", 6, size_hw=(32, 40))
    found = watched(Halves(), {"v": video}, tmp_path, kind="spatial", sampling="dense")["v"]
    assert isinstance(found, Watched)
    assert (found.size_hw, found.crop) == ((32, 40), (4, 0, 36, 32))
    expected = np.broadcast_to(5 * np.arange(6)[:, None, None] / 255, (6, 1, 2))
    np.testing.assert_allclose(found.attention, expected, atol=1e-6)


def test_clips_of_several_videos_share_a_batch(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    network = Brightness()
    watched(network, {id_: make_video(id_, 8) for id_ in "abcd"}, tmp_path / "edits")
    assert network.batches == [3, 3, 2]


def test_there_is_a_small_picture_of_every_frame(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    videos = {"wide": make_video("wide", 3, size_hw=(192, 384)), "small": make_video("small", 1)}
    Image.new("RGB", (40, 34), (200, 0, 0)).save(videos["small"] / "000001.png")
    directory = EditDirectory(tmp_path / "edits")
    watched(Brightness(), videos, directory.path)
    with Image.open(directory.frame_path("wide", 2)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (192, 96))
        np.testing.assert_allclose(np.array(picture), 10, atol=2)
    with Image.open(directory.frame_path("small", 0)) as picture:
        assert picture.size == (40, 34)
        np.testing.assert_allclose(np.array(picture)[17, 20], [200, 0, 0], atol=6)
    names = sorted(file.name for file in directory.frames_path("wide").iterdir())
    assert names == ["000001.jpg", "000002.jpg", "000003.jpg"]


def test_a_video_that_cannot_be_read_is_named_and_leaves_no_pictures(
    tmp_path: Path, make_video: Callable[..., Path]
) -> None:
    broken = make_video("broken", 6)
    (broken / "000004.png").write_bytes(b"no picture")
    videos = {"broken": broken, "fine": make_video("fine", 6), "gone": tmp_path / "gone.webm"}
    found = watched(Brightness(), videos, tmp_path / "edits")
    assert isinstance(found["fine"], Watched)
    for id_ in ("broken", "gone"):
        assert isinstance(found[id_], Failure)
        assert found[id_].path == str(videos[id_])
    assert [path.name for path in (tmp_path / "edits" / "frames").iterdir()] == ["fine"]

from pathlib import Path

import numpy as np
import pytest

from attncli.data.layouts import open_dataset, recognise
from attncli.data.toy.ucf101 import draw, make_ucf101, toy_videos
from attncli.data.video.reading import count_frames, frame_size_hw, read_frames
from attncli.errors import UsageError
from attncli.files.masks import MaskDirectory
from attncli.reporting import Silent

SIZE_HW = (40, 48)


def make(directory: Path, *, seed: int = 0, size: int = 3) -> Path:
    make_ucf101(directory, size=size, seed=seed, frames=6, size_hw=SIZE_HW, reporter=Silent())
    return directory


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "ucf101")


def test_it_is_recognised_as_ucf101(toy):
    assert recognise(toy) == "ucf101"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_list_divides_the_videos(toy, number):
    train, val = (open_dataset(toy, split=split, split_number=number) for split in ("train", "val"))
    assert len(train.classes) == 6
    ids = [sample.id for part in (train, val) for sample in part.samples]
    assert len(ids) == len(set(ids)) == 18
    assert {sample.label for sample in val.samples} == set(range(6))
    assert {sample.label for sample in train.samples} == set(range(6))


def test_a_group_is_never_in_both_lists(toy):
    train, val = (open_dataset(toy, split=split) for split in ("train", "val"))
    groups = [{s.id.split("_g")[1][:2] for s in part.samples} for part in (train, val)]
    assert not groups[0] & groups[1]


def test_masks_lie_beside_the_videos_and_are_of_their_size(toy):
    masks = MaskDirectory(toy / "masks")
    for sample in open_dataset(toy, split="all").samples:
        assert sample.path.suffix == ".avi"
        assert count_frames(sample.path) == 6
        assert frame_size_hw(sample.path) == SIZE_HW
        for frame in masks.frames(sample.id):
            assert frame.size_hw == SIZE_HW
            assert [instance.category for instance in frame.instances] == ["object"]
        assert frame.frame == 5


def test_videos_show_what_was_drawn(toy):
    video = toy_videos(3)[0]
    scene = draw(video, seed=0, n_frames=6, size_hw=SIZE_HW)
    frames = read_frames(toy / "UCF-101" / f"{video.id}.avi", range(6))
    assert np.abs(frames.astype(float) - scene.frames).mean() < 10
    np.testing.assert_array_equal(
        MaskDirectory(toy / "masks").read(video.id, range(6)), scene.masks
    )


def test_the_seed_decides_every_byte(toy, tmp_path):
    again, other = make(tmp_path / "again"), make(tmp_path / "other", seed=1)
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.*"))
    assert all((toy / file).read_bytes() == (again / file).read_bytes() for file in files)
    video = next(file for file in files if file.suffix == ".avi")
    assert (toy / video).read_bytes() != (other / video).read_bytes()


def test_a_video_does_not_depend_on_how_many_there_are():
    assert set(toy_videos(3)) <= set(toy_videos(60))
    assert len(set(toy_videos(60))) == 360


def test_too_few_videos_for_the_lists_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--size: must be at least 3"):
        make(tmp_path / "toy", size=2)
    assert not (tmp_path / "toy").exists()

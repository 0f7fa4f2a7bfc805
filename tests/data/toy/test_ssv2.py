import json
from pathlib import Path

import numpy as np
import pytest

from attncli.data.layouts import open_dataset, recognise
from attncli.data.toy.actions import ACTIONS
from attncli.data.toy.ssv2 import count_ssv2, draw, make_ssv2, toy_videos
from attncli.data.video.reading import count_frames, frame_size_hw, read_frames
from attncli.errors import UsageError
from attncli.files.active_intervals import read_active_intervals
from attncli.files.masks import MaskDirectory
from attncli.reporting import Silent

SIZE_HW = (40, 48)
FRAMES = 12


def make(directory: Path, *, seed: int = 0, size: int = 2) -> Path:
    make_ssv2(directory, size=size, seed=seed, frames=FRAMES, size_hw=SIZE_HW, reporter=Silent())
    return directory


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "ssv2")


def read_list(toy: Path, name: str) -> list[dict[str, object]]:
    return json.loads((toy / f"something-something-v2-{name}.json").read_text())


def test_it_is_recognised_as_something_something(toy):
    assert recognise(toy) == "ssv2"


def test_both_splits_show_every_class(toy):
    train, val = (open_dataset(toy, split=split) for split in ("train", "val"))
    assert train.classes == val.classes
    assert len(train.classes) == len(ACTIONS)
    for part in (train, val):
        assert {sample.label for sample in part.samples} == set(range(len(ACTIONS)))
    assert not {s.id for s in train.samples} & {s.id for s in val.samples}


def test_classes_are_the_templates_without_brackets(toy):
    labels = json.loads((toy / "something-something-v2-labels.json").read_text())
    entry = read_list(toy, "train")[0]
    assert sorted(map(int, labels.values())) == list(range(len(ACTIONS)))
    assert str(entry["template"]).replace("[", "").replace("]", "") in labels
    assert entry["placeholders"][0] in entry["label"]
    assert "[" not in entry["label"]


def test_the_test_list_tells_no_class(toy):
    entries = read_list(toy, "test")
    assert len(entries) == len(ACTIONS)
    assert all(entry.keys() == {"id"} for entry in entries)


def test_every_video_has_its_masks_and_its_interval(toy):
    intervals, masks = read_active_intervals(toy / "active.csv"), MaskDirectory(toy / "masks")
    videos = sorted((toy / "20bn-something-something-v2").glob("*.webm"))
    assert {path.stem for path in videos} == intervals.keys()
    assert len(videos) == 3 * len(ACTIONS)
    for path in videos:
        n_frames = count_frames(path)
        assert frame_size_hw(path) == SIZE_HW
        assert [line.frame for line in masks.frames(path.stem)] == list(range(n_frames))
        assert intervals[path.stem].last < n_frames


def test_videos_show_what_was_drawn(toy):
    video = toy_videos(2)[-1]
    drawn = draw(video, seed=0, frames=FRAMES, size_hw=SIZE_HW)
    indices = range(len(drawn.scene.frames))
    frames = read_frames(toy / "20bn-something-something-v2" / f"{video.id}.webm", indices)
    assert np.abs(frames.astype(float) - drawn.scene.frames).mean() < 12
    masks = MaskDirectory(toy / "masks").read(video.id, indices)
    np.testing.assert_array_equal(masks, drawn.scene.masks)


def test_lengths_vary_and_are_counted_without_drawing(toy):
    videos = (toy / "20bn-something-something-v2").glob("*.webm")
    lengths = [count_frames(path) for path in videos]
    assert len(set(lengths)) > 3
    counts = count_ssv2(size=2, seed=0, frames=FRAMES)
    assert counts == {"classes": 8, "train": 8, "val": 8, "test": 8, "frames": sum(lengths)}


def test_the_seed_decides_what_is_drawn(toy, tmp_path):
    again, other = make(tmp_path / "again"), make(tmp_path / "other", seed=1)
    active = "active.csv"
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.jsonl"))
    for file in (active, *files):
        assert (toy / file).read_bytes() == (again / file).read_bytes()
    assert (toy / active).read_bytes() != (other / active).read_bytes()


def test_a_video_does_not_depend_on_how_many_there_are():
    assert set(toy_videos(3)) <= set(toy_videos(60))
    assert len({video.id for video in toy_videos(60)}) == 61 * len(ACTIONS)


def test_too_few_videos_for_the_lists_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--size: must be at least 2"):
        make(tmp_path / "toy", size=1)
    assert not (tmp_path / "toy").exists()

import pytest

from attncli.data.layouts import open_dataset
from attncli.errors import AttncliError


@pytest.fixture
def root(tmp_path):
    for video in ("run/v10.avi", "run/v9.avi", "jump/a.MP4", "jump/notes.txt"):
        (tmp_path / video).parent.mkdir(exist_ok=True)
        (tmp_path / video).touch()
    (tmp_path / "jump" / "frames").mkdir()
    (tmp_path / "jump" / "frames" / "1.png").touch()
    (tmp_path / ".cache").mkdir()
    return tmp_path


def test_all_videos_are_found_in_natural_order(root):
    dataset = open_dataset(root, split="all")
    assert dataset.layout == "class-folders"
    assert dataset.classes == ("jump", "run")
    assert [(sample.id, sample.label) for sample in dataset.samples] == [
        ("jump/a", 0),
        ("jump/frames", 0),
        ("run/v9", 1),
        ("run/v10", 1),
    ]


def test_they_cannot_be_trained_on_without_lists(root):
    with pytest.raises(AttncliError, match="no lists that say which are for split 'train'; add "):
        open_dataset(root, split="train")


def test_an_empty_class_is_named(root):
    (root / "sit").mkdir()
    with pytest.raises(AttncliError, match="sit: class without a video"):
        open_dataset(root, split="all")

from pathlib import Path

import pytest

from attncli.data.layouts.images import open_images, recognise
from attncli.errors import AttncliError

REAL = Path(__file__).parents[4] / "shared" / "data" / "scene15"


@pytest.fixture
def root(tmp_path):
    for place in (
        *("train/dog/img_10.jpg", "train/dog/img_9.JPEG", "train/cat/far/1.png"),
        *("train/cat/notes.txt", "train/cat/.hidden.jpg", "test/dog/img_1.jpg", "test/emu/1.png"),
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    return tmp_path


def test_splits_and_classes_are_directories(root):
    assert recognise(root) == "image-folder"
    train, val, everything = (open_images(root, split=s) for s in ("train", "val", "all"))
    assert train.classes == val.classes == ("cat", "dog", "emu")
    assert [(s.id, s.labels) for s in train.samples] == [
        ("train/cat/far/1", {0}),
        ("train/dog/img_9", {1}),
        ("train/dog/img_10", {1}),
    ]
    assert [s.id for s in val.samples] == ["test/dog/img_1", "test/emu/1"]
    assert everything.samples == train.samples + val.samples
    assert train.labels_from == "folders"


def test_what_is_left_out_or_lacking_is_said(root):
    assert open_images(root, split="train").notes == (
        f"{root / 'train'}: no directory for 1 of 3 classes, such as 'emu'",
        f"{root / 'test'}: no directory for 1 of 3 classes, such as 'cat'",
        f"1 entry left out (not images), such as {root / 'train' / 'cat' / 'notes.txt'}",
    )


def test_val_goes_before_test(root):
    (root / "val" / "dog").mkdir(parents=True)
    (root / "val" / "dog" / "5.jpg").touch()
    assert [s.id for s in open_images(root, split="val").samples] == ["val/dog/5"]


def test_a_split_without_a_directory_is_named(root):
    (root / "test").rename(root / "more")
    with pytest.raises(AttncliError, match="has no directory for split 'val'; add val/ or valid/"):
        open_images(root, split="val")
    assert open_images(root, split="train").classes == ("cat", "dog")


def test_an_empty_class_is_named(root):
    (root / "train" / "ant").mkdir()
    with pytest.raises(AttncliError, match="train/ant: class has no image"):
        open_images(root, split="train")


def test_images_that_differ_in_their_suffix_alone_are_refused(root):
    (root / "train" / "dog" / "img_9.png").touch()
    with pytest.raises(AttncliError, match=r"img_9\.png: img_9\.JPEG exists too"):
        open_images(root, split="train")


@pytest.mark.skipif(not REAL.is_dir(), reason="no Scene-15 here")
def test_the_real_folders_are_read():
    train, val = (open_images(REAL, split=split) for split in ("train", "val"))
    assert (len(train.samples), len(val.samples), len(train.classes)) == (300, 150, 15)
    assert train.notes == val.notes == ()

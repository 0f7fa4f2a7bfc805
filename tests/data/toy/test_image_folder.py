from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from attncli.data.images.reading import read_rgb
from attncli.data.layouts.images import open_images, recognise
from attncli.data.toy.backdrops import PLACES
from attncli.data.toy.image_folder import (
    SCENE_SETS,
    TARGET_PLACES,
    TARGET_THINGS,
    class_names,
    count_image_folder,
    draw,
    make_image_folder,
    toy_views,
)
from attncli.data.toy.shapes import SHAPES
from attncli.reporting import Silent

SIZE_HW = (32, 40)


def make(directory: Path, scene_set: str, *, seed: int = 0, size: int = 3) -> Path:
    how = {"size": size, "seed": seed, "size_hw": SIZE_HW, "scene_set": scene_set}
    make_image_folder(directory, **how, reporter=Silent())
    return directory


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "objects", "objects")


@pytest.mark.parametrize("scene_set", SCENE_SETS)
def test_it_is_recognised_and_a_third_of_every_class_is_tested(tmp_path, scene_set):
    root = make(tmp_path / "toy", scene_set)
    assert recognise(root) == "image-folder"
    train, val = (open_images(root, split=split) for split in ("train", "val"))
    assert train.classes == class_names(scene_set) == tuple(sorted(class_names(scene_set)))
    for dataset, n in ((train, 2), (val, 1)):
        shown = Counter(label for sample in dataset.samples for label in sample.labels)
        assert shown == dict.fromkeys(range(len(train.classes)), n)
        assert dataset.notes == ()
    counts = count_image_folder(size=3, seed=0, scene_set=scene_set)
    n_classes = len(train.classes)
    assert counts == {"classes": n_classes, "train": 2 * n_classes, "val": n_classes}


def test_classes_are_objects_or_places_or_pairs():
    assert class_names("objects") == tuple(SHAPES)
    assert class_names("scenes") == tuple(PLACES)
    assert len(class_names("target")) == len(TARGET_THINGS) * len(TARGET_PLACES)
    for view in toy_views(3, 0, "target"):
        assert view.class_name == f"{view.thing}-{view.place}"


@pytest.mark.parametrize(("scene_set", "other"), [("objects", "place"), ("scenes", "thing")])
def test_what_does_not_tell_classes_is_drawn_alike_for_all(scene_set, other):
    views = toy_views(80, 0, scene_set)
    for name in class_names(scene_set):
        counts = Counter(getattr(view, other) for view in views if view.class_name == name)
        assert len(counts) == 8
        assert max(counts.values()) < 25


def test_images_show_what_was_drawn(toy):
    for view in toy_views(3, 0)[:6]:
        drawn = draw(view, seed=0, size_hw=SIZE_HW, scene_set="objects")
        assert np.abs(read_rgb(toy / view.file).astype(float) - drawn).mean() < 4


def test_the_seed_decides_what_is_drawn(toy, tmp_path):
    again, other = make(tmp_path / "a", "objects"), make(tmp_path / "b", "objects", seed=1)
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.*"))
    assert len(files) == 24 + 1
    for file in files:
        assert (toy / file).read_bytes() == (again / file).read_bytes()
        assert (toy / file).read_bytes() != (other / file).read_bytes()


def test_an_image_does_not_depend_on_how_many_there_are():
    assert toy_views(9, 0)[:24] == toy_views(3, 0)


def test_no_two_sets_share_a_picture():
    pictures = [
        draw(toy_views(3, 0, name)[0], seed=0, size_hw=SIZE_HW, scene_set=name)
        for name in SCENE_SETS
    ]
    assert len({picture.tobytes() for picture in pictures}) == 3

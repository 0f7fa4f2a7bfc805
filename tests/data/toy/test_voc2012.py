from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from attncli.data.images.label_maps import classes_shown, read_label_map
from attncli.data.images.reading import read_rgb
from attncli.data.layouts.images import open_images, recognise
from attncli.data.layouts.voc2012 import CLASSES
from attncli.data.toy.voc2012 import (
    PAIRS,
    SHOWN,
    count_voc2012,
    draw,
    make_voc2012,
    toy_images,
)
from attncli.errors import UsageError
from attncli.files.label_maps import voc_palette
from attncli.reporting import Silent

SIZE_HW = (40, 48)


def make(directory: Path, *, seed: int = 0, size: int = 20, coincidence: float = 0.9) -> Path:
    make_voc2012(
        directory,
        size=size,
        seed=seed,
        size_hw=SIZE_HW,
        coincidence=coincidence,
        reporter=Silent(),
    )
    return directory


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("toy") / "VOC2012")


def test_it_is_recognised_as_voc2012_of_all_its_classes(toy):
    assert recognise(toy) == "voc2012"
    assert open_images(toy, split="train").classes == CLASSES


def test_both_splits_show_every_class_and_share_no_image(toy):
    train, val = (open_images(toy, split=split).samples for split in ("train", "val"))
    assert (len(train), len(val)) == (16, 4)
    assert not {s.id for s in train} & {s.id for s in val}
    shown = {CLASSES.index(name) for name in SHOWN}
    for part in (train, val):
        assert set().union(*(s.labels for s in part)) == shown


def test_trainval_lists_both(toy):
    lists = toy / "ImageSets" / "Segmentation"
    ids = {name: (lists / f"{name}.txt").read_text().split() for name in ("train", "val")}
    both = (lists / "trainval.txt").read_text().split()
    assert both == sorted(ids["train"] + ids["val"])
    assert both[0] == "2012_000001"


def test_annotations_tell_what_label_maps_show(toy):
    dataset = open_images(toy, split="all")
    assert dataset.labels_from == "annotations"
    for sample in dataset.samples:
        labels = read_label_map(sample.label_map, n_classes=len(CLASSES), size_hw=SIZE_HW)
        assert sample.labels == classes_shown(labels)


def test_boxes_enclose_the_objects_with_pixels_that_count_from_one(toy):
    for image in toy_images(8, 0):
        labels = read_label_map(toy / f"SegmentationClass/{image.id}.png", n_classes=20)
        root = ElementTree.parse(toy / f"Annotations/{image.id}.xml").getroot()
        assert root.findtext("size/width") == str(SIZE_HW[1])
        for thing, label in zip(root.iter("object"), image.labels, strict=True):
            names = ("xmin", "ymin", "xmax", "ymax")
            left, top, right, bottom = (int(thing.findtext(f"bndbox/{name}")) for name in names)
            mask = labels == label
            assert mask[top - 1 : bottom, left - 1 : right].sum() == mask.sum()
            assert mask[top - 1].any()
            assert mask[bottom - 1].any()
            assert mask[:, left - 1].any()
            assert mask[:, right - 1].any()


def test_label_maps_have_the_real_ones_colours_and_ignore_nothing(toy):
    for path in (toy / "SegmentationClass").iterdir():
        with Image.open(path) as image:
            assert image.mode == "P"
            assert image.getpalette() == voc_palette().ravel().tolist()
            assert 255 not in np.asarray(image)


def test_images_show_what_was_drawn_and_jpeg_leaves_textures_as_strong(toy):
    for image in toy_images(8, 0):
        drawn = draw(image, seed=0, size_hw=SIZE_HW)
        read = read_rgb(toy / "JPEGImages" / f"{image.id}.jpg").astype(float)
        assert np.abs(read - drawn.image).mean() < 4
        mask = drawn.labels == image.labels[0]
        strength = [grey.mean(axis=2)[mask].std() for grey in (read, drawn.image)]
        assert strength[0] == pytest.approx(strength[1], rel=0.1)
        labels = read_label_map(toy / f"SegmentationClass/{image.id}.png", n_classes=20)
        np.testing.assert_array_equal(labels, drawn.labels)


def test_the_seed_decides_what_is_drawn(toy, tmp_path):
    again, other = make(tmp_path / "again"), make(tmp_path / "other", seed=1)
    files = sorted(path.relative_to(toy) for path in toy.rglob("*.*"))
    assert len(files) == 3 * 20 + 3 + 1
    for file in files:
        assert (toy / file).read_bytes() == (again / file).read_bytes()
    changed = [file for file in files if (toy / file).read_bytes() != (other / file).read_bytes()]
    assert len([file for file in changed if file.suffix == ".jpg"]) == 20


def test_an_image_does_not_depend_on_how_many_there_are():
    assert toy_images(60, 0)[:7] == toy_images(7, 0)


def test_more_images_for_validation_leave_the_others_as_they_are():
    more = toy_images(10, 0, 6)
    assert more[:10] == toy_images(10, 0)
    assert [image.list_name for image in more[10:]] == ["val"] * 6
    assert [image.number for image in more] == list(range(16))


def test_coincidence_changes_no_label(toy, tmp_path):
    other = make(tmp_path / "toy", coincidence=0.0)
    for path in (toy / "SegmentationClass").iterdir():
        assert path.read_bytes() == (other / "SegmentationClass" / path.name).read_bytes()
    names = [path.name for path in (toy / "JPEGImages").iterdir()]
    images = [(toy / "JPEGImages" / n, other / "JPEGImages" / n) for n in names]
    assert sum(a.read_bytes() != b.read_bytes() for a, b in images) >= 15


def test_images_are_counted_without_drawing():
    images = toy_images(400, 0)
    counts = count_voc2012(size=400, seed=0)
    n_objects = sum(len(image.labels) for image in images)
    assert counts == {"classes": 4, "train": 320, "val": 80, "objects": n_objects}
    assert abs(n_objects / 400 - 1 - PAIRS) < 0.1
    assert all(len(set(image.labels)) == len(image.labels) for image in images)


def test_too_few_images_for_both_lists_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--size: must be at least 5"):
        make(tmp_path / "toy", size=4)
    assert not (tmp_path / "toy").exists()

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attncli.data.layouts.images import open_images, recognise
from attncli.data.layouts.voc2012 import CLASSES
from attncli.errors import AttncliError, UsageError
from attncli.files.label_maps import voc_palette

REAL = Path(__file__).parents[4] / "shared" / "data" / "VOC2012"
AEROPLANE, PERSON, TVMONITOR = 0, 14, 19
SHOWN = {"2007_000032": (1, 15), "img-7.a": (15,), "2008_1": (20,), "2009_1": (0,)}
LISTS = {
    "train.txt": "2007_000032\r\n\r\nimg-7.a\r\n",
    "val.txt": "2009_1\n",
    "train_aug.txt": "".join(
        f"/JPEGImages/{id_}.jpg /SegmentationClassAug/{id_}.png\r\n"
        for id_ in ("2007_000032", "img-7.a", "2008_1")
    ),
}


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClassAug", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for id_, labels in SHOWN.items():
        Image.new("RGB", (3, 2)).save(root / "JPEGImages" / f"{id_}.jpg")
        values = np.array([[*labels, 255, 0, 0][:3]] * 2, dtype=np.uint8)
        label_map = Image.frombytes("P", (3, 2), values.tobytes())
        label_map.putpalette(voc_palette().ravel().tolist())
        label_map.save(root / "SegmentationClassAug" / f"{id_}.png")
    for name, text in LISTS.items():
        (root / "ImageSets" / "Segmentation" / name).write_text(text, newline="")
    return root


def ids(dataset):
    return [sample.id for sample in dataset.samples]


def test_classes_are_in_the_official_order():
    assert len(CLASSES) == 20
    assert [CLASSES.index(name) + 1 for name in ("aeroplane", "cat", "person")] == [1, 8, 15]
    assert CLASSES[-1] == "tvmonitor"


def test_the_augmented_list_is_taken_where_it_is_there(voc):
    assert recognise(voc) == "voc2012"
    train = open_images(voc, split="train")
    assert ids(train) == ["2007_000032", "img-7.a", "2008_1"]
    assert train.classes == CLASSES
    assert [s.labels for s in train.samples] == [{AEROPLANE, PERSON}, {PERSON}, {TVMONITOR}]
    assert train.labels_from == "label maps"
    assert all(s.path.is_file() and s.label_map.is_file() for s in train.samples)
    assert open_images(voc, split="val").samples[0].labels == set()
    (voc / "ImageSets" / "Segmentation" / "train_aug.txt").unlink()
    assert ids(open_images(voc, split="train")) == ["2007_000032", "img-7.a"]


def test_both_dialects_say_the_same_of_an_image(voc):
    pairs, bare = (open_images(voc, split="train", train_list=n) for n in ("train_aug", "train"))
    assert bare.samples == pairs.samples[:2]
    assert bare.samples[1].path == voc / "JPEGImages" / "img-7.a.jpg"
    assert bare.samples[1].label_map == voc / "SegmentationClassAug" / "img-7.a.png"


def test_official_label_maps_go_before_added_ones(voc):
    (voc / "SegmentationClass").mkdir()
    own = voc / "SegmentationClass" / "2007_000032.png"
    shutil.copy(voc / "SegmentationClassAug" / "2007_000032.png", own)
    samples = open_images(voc, split="train", train_list="train").samples
    assert samples[0].label_map == own
    assert samples[1].label_map == voc / "SegmentationClassAug" / "img-7.a.png"


def test_all_images_are_those_of_both_lists_once(voc):
    (voc / "ImageSets" / "Segmentation" / "trainval.txt").write_text("2009_1\n2007_000032\n")
    assert ids(open_images(voc, split="all")) == ["2007_000032", "img-7.a", "2008_1", "2009_1"]
    for name in LISTS:
        (voc / "ImageSets" / "Segmentation" / name).unlink()
    assert ids(open_images(voc, split="all")) == ["2009_1", "2007_000032"]


def test_a_training_list_may_be_a_file_anywhere_with_other_folders(voc, tmp_path):
    (voc / "pictures" / "b").mkdir(parents=True)
    (voc / "JPEGImages" / "2008_1.jpg").rename(voc / "pictures" / "b" / "2008_1.jpg")
    (voc / "SegmentationClassAug").rename(voc / "masks")
    (tmp_path / "own.txt").write_text("pictures/b/2008_1.jpg\tmasks/2008_1.png")
    dataset = open_images(voc, split="train", train_list=str(tmp_path / "own.txt"))
    (sample,) = dataset.samples
    assert (sample.id, sample.labels) == ("b/2008_1", {TVMONITOR})
    assert sample.path.is_file()


def test_it_is_found_in_the_development_kit(voc, tmp_path):
    (tmp_path / "VOCdevkit").mkdir()
    voc.rename(tmp_path / "VOCdevkit" / "VOC2012")
    for root in (tmp_path, tmp_path / "VOCdevkit"):
        assert len(open_images(root, split="train").samples) == 3


def test_labels_are_from_annotations_where_all_images_have_one(voc):
    (voc / "Annotations").mkdir()
    for id_ in ("2007_000032", "img-7.a"):
        text = "<annotation><object><name>sofa</name></object></annotation>"
        (voc / "Annotations" / f"{id_}.xml").write_text(text)
    bare = open_images(voc, split="train", train_list="train")
    assert (bare.labels_from, bare.samples[0].labels) == ("annotations", {17})
    assert open_images(voc, split="train").labels_from == "label maps"
    asked = open_images(voc, split="train", labels="annotations")
    assert [s.labels for s in asked.samples] == [{17}, {17}, None]


def test_labels_may_be_a_table(voc, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("id,label\n2008_1,person;tvmonitor\n")
    dataset = open_images(voc, split="train", labels=str(table))
    assert [s.labels for s in dataset.samples] == [None, None, {PERSON, TVMONITOR}]
    assert dataset.labels_from == str(table)


def test_an_unknown_class_of_an_annotation_names_the_file(voc):
    (voc / "Annotations").mkdir()
    text = "<annotation><object><name>Dog</name></object></annotation>"
    (voc / "Annotations" / "2009_1.xml").write_text(text)
    with pytest.raises(AttncliError, match=r"2009_1\.xml: object of class 'Dog'"):
        open_images(voc, split="val")


def test_an_absent_image_stays_in_the_list_unless_all_are_absent(voc):
    (voc / "JPEGImages" / "2008_1.jpg").unlink()
    missing = open_images(voc, split="train").samples[2]
    assert missing.path == voc / "JPEGImages" / "2008_1.jpg"
    for file in (voc / "JPEGImages").iterdir():
        file.unlink()
    with pytest.raises(AttncliError, match="none of the 3 images of split 'train' exists"):
        open_images(voc, split="train")


def test_absent_label_maps_leave_annotations_or_a_clear_error(voc):
    shutil.rmtree(voc / "SegmentationClassAug")
    with pytest.raises(AttncliError, match="VOC2012: has neither annotations nor label maps"):
        open_images(voc, split="train")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\nb\n\na\n", r"val\.txt, line 4: image 'a' is listed twice"),
        ("/JPEGImages/a.jpg /M/a.png\na\n", r"val\.txt, line 2: image 'a' is listed twice"),
        ("a b c\n", r"val\.txt, line 1: expected an id, or an image and its label map"),
        ("2007_000032 1\n", r"val\.txt, line 1: '1' is not an image by its name"),
        ("../a.jpg ../a.png\n", r"val\.txt, line 1: expected an id"),
        ("/\n", r"val\.txt, line 1: expected an id"),
        ("a\x07\n", r"val\.txt, line 1: .* control character"),
        ("", "lists no image of split 'val'"),
        ("\r\n \r\n", "lists no image of split 'val'"),
    ],
)
def test_malformed_lists_are_named_with_the_line(voc, text, problem):
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_text(text, newline="")
    with pytest.raises(AttncliError, match=problem) as error:
        open_images(voc, split="val")
    assert "\n" not in str(error.value)


def test_a_missing_list_says_which_are_there(voc):
    (voc / "ImageSets" / "Segmentation" / "val.txt").unlink()
    problem = r"has no list of split 'val'; add val\.txt; there is train\.txt, train_aug\.txt"
    with pytest.raises(AttncliError, match=problem):
        open_images(voc, split="val")
    with pytest.raises(UsageError, match=r"--train-list: no such list: 'x' .* these: train, train"):
        open_images(voc, split="train", train_list="x")


@pytest.mark.skipif(not REAL.is_dir(), reason="no VOC2012 here")
def test_the_real_lists_agree_with_the_real_images():
    train, val, everything = (open_images(REAL, split=s) for s in ("train", "val", "all"))
    assert (len(train.samples), len(val.samples), len(everything.samples)) == (140, 60, 200)
    assert train.labels_from == val.labels_from == "label maps"
    assert all(s.path.is_file() and s.label_map.is_file() for s in everything.samples)
    assert all(sample.labels for sample in everything.samples)
    dogs = sum(CLASSES.index("dog") in sample.labels for sample in train.samples)
    assert dogs == 41


def test_of_test_images_nothing_is_read_but_their_names(voc):
    with pytest.raises(AttncliError, match=r"has no list of split 'test'; add test\.txt"):
        open_images(voc, split="test")
    lists = voc / "ImageSets" / "Segmentation"
    (lists / "test.txt").write_text("img-7.a\n2008_1\n")
    (voc / "SegmentationClassAug" / "img-7.a.png").write_bytes(b"nothing")
    test = open_images(voc, split="test")
    assert ids(test) == ["img-7.a", "2008_1"]
    assert {(s.labels, s.label_map) for s in test.samples} == {(None, None)}
    assert test.labels_from == "nowhere"


def test_image_labels_can_be_left_unread(voc):
    (voc / "SegmentationClassAug" / "img-7.a.png").write_bytes(b"nothing")
    train = open_images(voc, split="train", labels="none")
    assert {s.labels for s in train.samples} == {None}
    assert all(s.label_map.is_file() for s in train.samples)

import pytest

from attncli.data.layouts.images import open_images
from attncli.data.layouts.market1501 import fits, multi_queries, open_split
from attncli.errors import AttncliError

FILES = (
    "bounding_box_train/0002_c1s1_000451_03.jpg",
    "bounding_box_train/0010_c6s2_000001_01.jpg",
    "bounding_box_train/0002_c2s1_000500_01.jpg",
    "bounding_box_test/-1_c1s1_000401_03.jpg",
    "bounding_box_test/0000_c3s1_000401_01.jpg",
    "bounding_box_test/0001_c2s1_000401_01.jpg",
    "query/0001_c1s1_001051_00.jpg",
)


@pytest.fixture
def make(make_tree):
    return lambda *more: make_tree(*FILES, *more)


def test_people_of_the_training_images_are_the_classes(make):
    dataset = open_split(make(), "train")
    assert dataset.classes == ("0002", "0010")
    assert [s.id for s in dataset.samples] == [
        "bounding_box_train/0002_c1s1_000451_03",
        "bounding_box_train/0002_c2s1_000500_01",
        "bounding_box_train/0010_c6s2_000001_01",
    ]
    assert [s.labels for s in dataset.samples] == [{0}, {0}, {1}]
    assert [s.camera for s in dataset.samples] == ["1", "2", "6"]
    assert {s.role for s in dataset.samples} == {None}


def test_junk_is_left_out_and_nobody_stays_in_the_gallery(make):
    dataset = open_split(make(), "val")
    assert [(s.subject, s.camera, s.role) for s in dataset.samples] == [
        ("0001", "1", "query"),
        (None, "3", "gallery"),
        ("0001", "2", "gallery"),
    ]
    assert dataset.classes == ("0002", "0010")
    assert {s.labels for s in dataset.samples} == {None}
    assert dataset.notes == ("1 images of the gallery left out as junk, by their names",)


def test_all_are_both_splits_and_ids_differ(make):
    root = make()
    samples = open_split(root, "all").samples
    assert samples == tuple(
        s for split in ("train", "val") for s in open_split(root, split).samples
    )
    assert len({s.id for s in samples}) == 6


def test_the_directory_of_the_archive_is_found(make_tree):
    root = make_tree(*(f"Market-1501-v15.09.15/{name}" for name in FILES))
    assert fits(root)
    assert open_split(root, "val").samples[0].path.is_file()


def test_other_files_are_left_out_by_name(make):
    notes = open_split(make("bounding_box_train/Thumbs.db"), "train").notes
    assert len(notes) == 1
    assert "1 entry left out (not images)" in notes[0]


def test_several_images_a_query_are_those_drawn_by_hand(make):
    root = make(
        "gt_bbox/0001_c1s1_001051_00.jpg",
        "gt_bbox/0001_c1s1_001076_00.jpg",
        "gt_bbox/0001_c2s1_001076_00.jpg",
    )
    found = [(s.subject, s.camera, s.role) for s in multi_queries(root)]
    assert found == [("0001", "1", "multi-query")] * 2


def test_images_of_one_query_together_are_opened_where_they_are_wanted(make):
    root = make("gt_bbox/0001_c1s1_001051_00.jpg")
    single = open_images(root, split="val").samples
    several = open_images(root, split="val", multi_query=True).samples
    assert several[:-1] == single
    assert several[-1].id == "gt_bbox/0001_c1s1_001051_00"
    assert open_images(root, split="train", multi_query=True) == open_images(root, split="train")


def test_several_images_a_query_need_gt_bbox(make):
    with pytest.raises(AttncliError, match="gt_bbox: no such directory: several images per query"):
        multi_queries(make())
    root = make("gt_bbox/0001_c2s1_001076_00.jpg")
    with pytest.raises(AttncliError, match="no image of person 0001 from camera 1"):
        multi_queries(root)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("bounding_box_train/0002_c1_f0046182.jpg", "0002_c1_f0046182.jpg: name is not PERSON_c"),
        ("bounding_box_test/-2_c1s1_000001_01.jpg", "-2_c1s1_000001_01.jpg: name is not PERSON_c"),
        ("bounding_box_train/-1_c1s1_000001_01.jpg", "training image shows nobody"),
        ("query/0000_c1s1_000001_00.jpg", "query shows nobody"),
    ],
)
def test_a_wrong_name_is_named(make, name, problem):
    with pytest.raises(AttncliError, match=problem):
        open_split(make(name), "all")


def test_no_query_is_refused(make_tree):
    root = make_tree(*FILES[:-1])
    with pytest.raises(AttncliError, match="query: no such directory"):
        open_split(root, "val")
    make_tree("query/")
    with pytest.raises(AttncliError, match="query: holds no image"):
        open_split(root, "val")


def test_other_directories_do_not_fit(make_tree):
    root = make_tree("query/0001_c1s1_001051_00.jpg")
    assert not fits(root)
    with pytest.raises(AttncliError, match="not in Market-1501's layout, looked for"):
        open_split(root, "train")

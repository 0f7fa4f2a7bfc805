import json

import pytest

from attncli.data.layouts.images import open_images, recognise
from attncli.data.samples import ImageSample
from attncli.errors import AttncliError


@pytest.fixture
def write(tmp_path):
    (tmp_path / "img").mkdir()
    for name in ("a.jpg", "b.jpg", "img-7.a.png"):
        (tmp_path / "img" / name).touch()

    def make(name, text):
        (tmp_path / name).write_text(text, newline="")
        return tmp_path / name

    return make


def test_csv_names_several_labels_maps_and_subjects(write, tmp_path):
    path = write(
        "list.csv",
        "id,path,label,split,subject,label_map\r\n"
        "one,img/a.jpg,dog; cat,train,s1,maps/a.png\r\n"
        ",img/img-7.a.png,emu,train,,\r\n"
        ",img/b.jpg,,test,,\r\n",
    )
    assert recognise(path) == "manifest"
    train, val = open_images(path, split="train"), open_images(path, split="val")
    assert train.classes == val.classes == ("cat", "dog", "emu")
    maps = tmp_path / "maps" / "a.png"
    assert train.samples == (
        ImageSample("one", tmp_path / "img/a.jpg", frozenset({0, 1}), maps, "s1"),
        ImageSample("img/img-7.a", tmp_path / "img/img-7.a.png", frozenset({2})),
    )
    assert val.samples == (ImageSample("img/b", tmp_path / "img/b.jpg", None),)
    assert train.labels_from == "manifest"
    assert len(open_images(path, split="all").samples) == 3


def test_json_lines_may_list_labels_and_say_that_there_are_none(write):
    rows = [
        {"path": "img/a.jpg", "label": [2, "0"], "split": "train"},
        {"path": "img/b.jpg", "label": [], "split": "train"},
        {"path": "img/img-7.a.png", "label": 1, "split": "train"},
        {"path": "img/c.jpg", "label": None, "split": "train"},
    ]
    path = write("list.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    dataset = open_images(path, split="train")
    assert dataset.classes == ("0", "1", "2")
    assert [sample.labels for sample in dataset.samples] == [{0, 2}, set(), {1}, None]


def test_a_directory_may_hold_a_list_a_split(write, tmp_path):
    write("train.txt", "img/a.jpg dog\n\nimg/b.jpg cat;dog\n")
    write("val.csv", "path,label\nimg/img-7.a.png,cat\n")
    train = open_images(tmp_path, split="train")
    assert [sample.labels for sample in train.samples] == [{1}, {0, 1}]
    assert [sample.id for sample in open_images(tmp_path, split="val").samples] == ["img/img-7.a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path,split\nimg/a.jpg,train\nimg/a.jpg,train\n", "line 3: image 'img/a' is listed tw"),
        ("path,split\nimg/a.jpg,val\n", "lists no image of split 'train'; add a list train.csv"),
        ("name\nimg/a.jpg\n", "line 2: has no `path`"),
        ("path,split\nimg/a.mp4,train\n", "line 2: `path` 'img/a.mp4' is a video by its name"),
        ("path,split\ngone.jpg,train\n", "none of the 1 images of split 'train' exists"),
        ("id,path,split\n../a,img/a.jpg,train\n", "line 2: id '../a' leads out"),
    ],
)
def test_malformed_rows_are_named(write, text, problem):
    with pytest.raises(AttncliError, match=problem):
        open_images(write("list.csv", text), split="train")


@pytest.mark.parametrize("label", [[None], [""], [["a"]], [1.5], {"a": 1}, True])
def test_a_label_is_a_name_or_a_list_of_names(write, label):
    path = write("l.jsonl", json.dumps({"path": "img/a.jpg", "label": label, "split": "train"}))
    with pytest.raises(AttncliError, match=r"l\.jsonl, line 1: `label`"):
        open_images(path, split="train")


def test_one_image_in_two_splits_is_one_image_if_it_is_the_same(write):
    rows = "img/a.jpg,dog,train\nimg/a.jpg,{},val\n"
    path = write("list.csv", "path,label,split\n" + rows.format("dog"))
    assert len(open_images(path, split="all").samples) == 1
    path = write("list.csv", "path,label,split\n" + rows.format("cat"))
    with pytest.raises(AttncliError, match="line 3: image 'img/a' is listed twice, with another"):
        open_images(path, split="all")


def test_cameras_and_roles_are_for_finding_people_again(write):
    rows = "img/a.jpg,val,p1,3,query\nimg/b.jpg,val,p1,lobby,gallery\nimg/img-7.a.png,val,,,\n"
    path = write("list.csv", "path,split,subject,camera,role\n" + rows)
    found = [(s.subject, s.camera, s.role) for s in open_images(path, split="val").samples]
    assert found == [("p1", "3", "query"), ("p1", "lobby", "gallery"), (None, None, None)]


def test_images_of_one_query_together_are_opened_where_they_are_wanted(write):
    rows = "img/a.jpg,val,p1,3,query\nimg/b.jpg,val,p1,3,multi-query\n"
    path = write("list.csv", "path,split,subject,camera,role\n" + rows)
    assert [s.role for s in open_images(path, split="val").samples] == ["query"]
    several = open_images(path, split="val", multi_query=True).samples
    assert [s.role for s in several] == ["query", "multi-query"]


def test_a_role_is_one_of_those_there_are(write):
    path = write("list.csv", "path,split,role\nimg/a.jpg,val,probe\n")
    with pytest.raises(AttncliError, match="line 2: role must be one of query, gallery, multi"):
        open_images(path, split="val")

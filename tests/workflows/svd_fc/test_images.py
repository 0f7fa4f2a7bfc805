import json
import shutil
from pathlib import Path

import pytest

from attncli.config.svd_fc import SvdFcCall
from attncli.errors import AttncliError, UsageError
from attncli.workflows.svd_fc.images import open_rows
from tests.support.people import make_people_images


def test_training_images_come_first(data: Path) -> None:
    images = open_rows(SvdFcCall(data=data))
    assert images.rows.splits == ["train"] * 6 + ["val"] * 4
    assert images.rows.labels[:4] == ["a", "a", "a", "b"]
    assert [sample.id for sample in images.samples] == list(images.rows.ids)
    assert (images.layout, images.notes) == ("image-folder", ())
    kept = images.kept([0, 9])
    assert (kept.ids, kept.labels) == (["train/a/0", "test/b/1"], ["a", "b"])
    assert (kept.splits, kept.classes) == (["train", "val"], ("a", "b"))


def test_people_keep_subject_camera_and_role(tmp_path: Path) -> None:
    images = open_rows(SvdFcCall(data=make_people_images(tmp_path / "people")))
    assert images.rows.ids[:2] == ["train/7_1", "train/7_2"]
    kept = images.kept([1, 4, 5])
    assert kept.ids == ["train/7_2", "query/7", "gallery/7"]
    assert (kept.subjects, kept.cameras) == (["7", "7", "7"], ["2", "1", "2"])
    assert (kept.roles, kept.labels) == (["", "query", "gallery"], ["7", "", ""])
    assert not any("show no class" in note for note in images.notes)


def test_images_of_one_query_together_are_taken_where_they_are_asked_for(tmp_path: Path) -> None:
    data = make_people_images(tmp_path / "people")
    list_ = data / "manifest.csv"
    lines = list_.read_text().replace("gallery/8,gallery_8.png,,val,8,2,gallery\n", "")
    list_.write_text(lines + "more/8,gallery_8.png,,val,8,1,multi-query\n")
    assert "multi-query" not in open_rows(SvdFcCall(data=data)).rows.roles
    rows = open_rows(SvdFcCall(data=data, multi_query=True)).rows
    assert (rows.ids[-1], rows.roles[-1]) == ("more/8", "multi-query")
    for call in (
        SvdFcCall(data=data, multi_query=True, split="train"),
        SvdFcCall(data=make_people_images(tmp_path / "others"), multi_query=True),
    ):
        with pytest.raises(UsageError, match=r"^--multi-query: no image of .* query together"):
            open_rows(call)


def test_one_split_can_be_taken(data: Path) -> None:
    assert set(open_rows(SvdFcCall(data=data, split="val")).rows.splits) == {"val"}


def test_a_dataset_may_have_one_split(data: Path) -> None:
    shutil.rmtree(data / "test")
    images = open_rows(SvdFcCall(data=data))
    assert images.rows.splits == ["train"] * 6
    assert images.notes[-1] == f"{data} has no images of split 'val'"
    with pytest.raises(AttncliError, match="has no directory for split 'val'"):
        open_rows(SvdFcCall(data=data, split="val"))


def test_several_classes_leave_the_label_open(data: Path, tmp_path: Path) -> None:
    rows = [
        {"path": "data/train/a/0.png", "label": ["a", "b"], "split": "train"},
        {"path": "data/train/a/1.png", "label": ["a"], "split": "train"},
        {"path": "data/train/a/2.png", "split": "val"},
    ]
    manifest = tmp_path / "list.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    images = open_rows(SvdFcCall(data=manifest))
    assert images.rows.labels == ["", "a", ""]
    assert images.notes[-1].startswith("2 of 3 images show no class, or several")


def test_a_dataset_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match="no such file or directory"):
        open_rows(SvdFcCall(data=tmp_path / "nothing"))


def test_a_layout_that_is_not_there_is_named(data: Path) -> None:
    with pytest.raises(UsageError, match="no such layout: 'coco'"):
        open_rows(SvdFcCall(data=data, layout="coco"))

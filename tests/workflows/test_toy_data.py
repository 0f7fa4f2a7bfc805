import tomllib

import pytest

from attncli.config.toy_data import ToyDataConfig
from attncli.data.layouts import open_dataset
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent
from attncli.workflows.toy_data import write_toy_data


def write(directory, name="ucf101", *, dry_run=False, overwrite=False, **changes):
    config = ToyDataConfig(name=name, directory=directory, **changes)
    return write_toy_data(config, dry_run=dry_run, overwrite=overwrite, reporter=Silent())


SMALL = {"size": 3, "frames": 4, "frame_hw": (32, 40)}


def test_what_was_counted_beforehand_is_written(tmp_path):
    out = tmp_path / "toy"
    (planned,) = write(out, dry_run=True, **SMALL).rows
    assert not out.exists()
    (row,) = write(out, **SMALL).rows
    assert row == planned
    assert (row["data"], row["layout"]) == (str(out), "ucf101")
    read = [len(open_dataset(out, split=split).samples) for split in ("train", "val")]
    assert read == [row["train"], row["val"]]


def test_images_are_counted_beforehand_too(tmp_path):
    out, changes = tmp_path / "toy", {"coincidence": 0.0, "more_val": 3}
    small = {"size": 10, "frame_hw": (32, 40), **changes}
    (planned,) = write(out, "voc2012", dry_run=True, **small).rows
    assert not out.exists()
    (row,) = write(out, "voc2012", **small).rows
    assert row == planned
    assert (row["layout"], row["train"], row["val"]) == ("voc2012", 8, 5)
    assert tomllib.loads((out / "config.toml").read_text())["coincidence"] == 0


def test_a_set_of_scenes_is_counted_beforehand_too(tmp_path):
    out, small = tmp_path / "toy", {"size": 3, "frame_hw": (32, 40), "scene_set": "target"}
    (planned,) = write(out, "image-folder", dry_run=True, **small).rows
    assert not out.exists()
    (row,) = write(out, "image-folder", **small).rows
    assert row == planned
    assert (row["classes"], row["train"], row["val"]) == (12, 24, 12)
    assert tomllib.loads((out / "config.toml").read_text())["scene_set"] == "target"


def test_a_directory_that_holds_something_is_kept_unless_it_may_be_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(AttncliError, match="exists already"):
        write(tmp_path, **SMALL)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("ucf101", {"frame_hw": (31, 64)}, "--frame-hw: must be at least 32 pixels each"),
        ("ckplus", {"frames": 5}, "--frames: must be at least 6 for ckplus"),
        ("ucf101", {"others": 2}, "--others: is for ssv2 alone, not for ucf101"),
        ("ucf101", {"coincidence": 0.5}, "--coincidence: is for voc2012 alone"),
        ("ssv2", {"more_val": 5}, "--more-val: is for voc2012 alone"),
        ("voc2012", {"scene_set": "target"}, "--scene-set: is for image-folder alone"),
        ("voc2012", {"frames": 9}, "--frames: is for ucf101 and ssv2 and ckplus alone"),
        ("voc2012", {"frame_hw": (64, 31)}, "--frame-hw: must be at least 32 pixels each"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_written(
    tmp_path, name, changes, message
):
    with pytest.raises(UsageError, match=message):
        write(tmp_path / "toy", name, **changes)
    assert not (tmp_path / "toy").exists()

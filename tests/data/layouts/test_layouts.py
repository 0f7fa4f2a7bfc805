import pytest

from attncli.data.layouts import open_dataset, recognise
from attncli.errors import AttncliError, UsageError


def test_layouts_are_recognised_by_what_is_there(make_ucf101, tmp_path):
    assert recognise(make_ucf101()) == "ucf101"
    assert recognise(tmp_path / "data" / "UCF-101") == "ucf101"
    manifest = tmp_path / "list.csv"
    manifest.write_text("path\na.avi\n")
    assert recognise(manifest) == "manifest"
    folder = tmp_path / "lists" / "c"
    folder.mkdir(parents=True)
    (folder / "a.mp4").touch()
    assert recognise(tmp_path / "lists") == "class-folders"
    (tmp_path / "lists" / "train.txt").write_text("c/a.mp4 c")
    assert recognise(tmp_path / "lists") == "manifest"


def test_a_missing_directory_is_named(tmp_path):
    for layout in ("auto", "ucf101", "manifest"):
        with pytest.raises(AttncliError, match="gone: no such file or directory; check --data"):
            open_dataset(tmp_path / "gone", split="train", layout=layout)


def test_an_unknown_directory_says_what_was_looked_for(tmp_path):
    with pytest.raises(AttncliError, match="layout not recognised") as error:
        recognise(tmp_path)
    for sign in (str(tmp_path), "ucfTrainTestlist/classInd.txt", ".jsonl", "class directories"):
        assert sign in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("layout", ["ucf101", "manifest", "class-folders"])
def test_a_layout_asked_for_by_name_must_be_there(tmp_path, layout):
    with pytest.raises(AttncliError):
        open_dataset(tmp_path, split="all", layout=layout)


@pytest.mark.parametrize(
    "layout", ["auto", "ucf101", "ssv2", "manifest", "ckplus", "class-folders"]
)
def test_a_tree_of_images_is_said_to_be_one(make_tree, layout):
    root = make_tree("VOC2012/JPEGImages/2007_000032.jpg", "VOC2012/ImageSets/Segmentation/val.txt")
    with pytest.raises(
        AttncliError, match=r"tree: holds images \(layout voc2012\), no videos; use"
    ):
        open_dataset(root, split="val", layout=layout)


def test_videos_asked_for_by_a_wrong_name_are_not_said_to_be_images(make_tree):
    root = make_tree("run/v/1.jpg", "run/v/2.jpg")
    with pytest.raises(AttncliError, match="not in CK\\+'s layout, looked for"):
        open_dataset(root, split="all", layout="ckplus")


def test_an_unknown_layout_is_wrong_usage(make_ucf101):
    with pytest.raises(UsageError, match="no such layout: 'ucf102'; use one of auto, ucf101, "):
        open_dataset(make_ucf101(), split="train", layout="ucf102")


def test_only_ucf101_has_several_divisions(tmp_path):
    (tmp_path / "list.csv").write_text("path,split\na.avi,train\n")
    with pytest.raises(UsageError, match=r"--split-number: .* one division"):
        open_dataset(tmp_path / "list.csv", split="train", split_number=2)


def test_a_list_of_which_no_video_is_there_is_refused(tmp_path):
    (tmp_path / "list.csv").write_text("path,split\na.avi,train\nb.avi,train\n")
    with pytest.raises(AttncliError, match="none of the 2 videos of split 'train' exists"):
        open_dataset(tmp_path / "list.csv", split="train")
    (tmp_path / "b.avi").touch()
    assert len(open_dataset(tmp_path / "list.csv", split="train").samples) == 2

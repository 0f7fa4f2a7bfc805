import pytest

from attncli.data.layouts.images import open_images, recognise
from attncli.data.layouts.kinds import IMAGE_LAYOUTS
from attncli.errors import AttncliError, UsageError


@pytest.fixture
def folders(tmp_path):
    for place in ("train/a/1.jpg", "val/a/2.jpg"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    return tmp_path


def test_what_is_not_there_or_not_known_is_named(tmp_path):
    with pytest.raises(AttncliError, match="gone: no such file or directory; check --data"):
        open_images(tmp_path / "gone", split="train", layout="voc2012")
    with pytest.raises(AttncliError, match="layout of images not recognised") as error:
        recognise(tmp_path)
    for sign in ("JPEGImages/", "images.txt", "Images/", "ImageSplits/", "train/CLASS/", ".jsonl"):
        assert sign in str(error.value)


@pytest.mark.parametrize("layout", list(IMAGE_LAYOUTS))
def test_a_layout_asked_for_by_name_must_be_there(tmp_path, layout):
    for split in ("train", "all"):
        with pytest.raises(AttncliError):
            open_images(tmp_path, split=split, layout=layout)


def test_an_unknown_layout_is_wrong_usage(folders):
    with pytest.raises(UsageError, match="no such layout: 'voc'; use one of auto, voc2012, cub200"):
        open_images(folders, split="train", layout="voc")


def test_lists_go_before_folders(folders):
    (folders / "train.csv").write_text("path,label\ntrain/a/1.jpg,b\n")
    assert recognise(folders) == "manifest"
    assert open_images(folders, split="train", layout="image-folder").classes == ("a",)


@pytest.mark.parametrize("option", ["labels", "train_list"])
def test_only_voc2012_has_a_choice_of_lists_and_labels(folders, option):
    name = option.replace("_", "-")
    with pytest.raises(UsageError, match=f"--{name}: is for VOC2012 only; leave it out"):
        open_images(folders, split="train", **{option: "annotations"})


@pytest.mark.parametrize("layout", ["auto", *IMAGE_LAYOUTS])
def test_a_tree_of_videos_is_said_to_be_one(make_ucf101, layout):
    with pytest.raises(AttncliError, match=r"data: holds videos \(layout ucf101\), no single im"):
        open_images(make_ucf101(), split="train", layout=layout)


def test_a_file_that_is_no_list_is_not_recognised(folders):
    with pytest.raises(AttncliError, match="layout of images not recognised"):
        recognise(folders / "train" / "a" / "1.jpg")


def test_a_class_with_a_control_character_is_refused(folders):
    (folders / "train" / "a").rename(folders / "train" / "a\x07")
    with pytest.raises(AttncliError, match="has a control character; rename the class"):
        open_images(folders, split="train")

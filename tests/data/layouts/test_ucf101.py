import shutil
from pathlib import Path

import pytest

from attncli.data.layouts import open_dataset
from attncli.errors import AttncliError, UsageError

VIDEOS = (
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01",
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01",
    "HandstandPushups/v_HandStandPushups_g01_c01",
)
REAL = Path(__file__).parents[4] / "shared" / "data" / "UCF101"


def _ids(dataset):
    return [sample.id for sample in dataset.samples]


@pytest.mark.parametrize(
    ("videos", "lists_at"),
    [
        ("UCF-101", "ucfTrainTestlist"),
        ("videos", "annotations"),
        (".", "."),
        (".", "ucfTrainTestlist"),
        (".", "../ucfTrainTestlist"),
    ],
)
def test_splits_are_read_wherever_videos_and_lists_lie(make_ucf101, videos, lists_at):
    root = make_ucf101(videos, lists_at)
    train, val = (open_dataset(root, split=split) for split in ("train", "val"))
    assert train.layout == val.layout == "ucf101"
    assert train.classes == val.classes == ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
    assert [sample.label for sample in train.samples] == [0, 1, 2]
    assert [sample.label for sample in val.samples] == [0, 1, 2]  # the list gives none
    assert _ids(train)[0] == "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01"
    assert not set(_ids(train)) & set(_ids(val))
    assert all(sample.path.is_file() for sample in train.samples + val.samples)
    assert sorted(_ids(open_dataset(root, split="all"))) == sorted(_ids(train) + _ids(val))


def test_the_class_is_the_directory_not_the_file_name(make_ucf101):
    (video,) = (
        sample
        for sample in open_dataset(make_ucf101(), split="val").samples
        if "v_HandStandPushups" in sample.id
    )
    assert video.id == "HandstandPushups/v_HandStandPushups_g01_c01"
    assert video.label == 1


def test_other_divisions_have_their_own_lists(make_ucf101):
    root = make_ucf101()
    assert _ids(open_dataset(root, split="train", split_number=2)) == [
        "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01"
    ]
    for number in (3, 0):
        with pytest.raises(UsageError, match=r"--split-number: no such list: train.* is 1, 2"):
            open_dataset(root, split="train", split_number=number)


def test_a_missing_validation_list_is_named(make_ucf101):
    root = make_ucf101(lists={"testlist01.txt": None, "testlist02.txt": None})
    with pytest.raises(
        AttncliError, match=r"ucfTrainTestlist: has no list of split 'val'; add testlist01\.txt of"
    ):
        open_dataset(root, split="val")


def test_a_split_whose_classes_have_no_directory_says_so(make_ucf101):
    root = make_ucf101()
    shutil.rmtree(root / "UCF-101" / "YoYo")
    with pytest.raises(AttncliError, match=r"lists no video of split 'val' that exists; .* 1 of 3"):
        open_dataset(root, split="val", split_number=2)


def test_labels_stay_the_same_where_class_directories_are_missing(make_ucf101):
    root = make_ucf101()
    for video in (root / "UCF-101" / "ApplyEyeMakeup").iterdir():
        video.unlink()
    (root / "UCF-101" / "ApplyEyeMakeup").rmdir()
    dataset = open_dataset(root, split="train")
    assert [sample.label for sample in dataset.samples] == [1, 2]
    assert len(dataset.classes) == 3
    assert "no directory for 1 of 3 classes" in dataset.notes[0]


def test_an_empty_class_is_named(make_ucf101):
    root = make_ucf101()
    for video in (root / "UCF-101" / "YoYo").iterdir():
        video.rename(video.with_suffix(".txt"))
    for split in ("train", "val", "all"):
        with pytest.raises(AttncliError, match="UCF-101/YoYo: class has no video; "):
            open_dataset(root, split=split)


def test_a_listed_video_that_is_absent_stays_in_the_list(make_ucf101):
    root = make_ucf101()
    (root / "UCF-101" / "YoYo" / "v_YoYo_g08_c01.avi").unlink()
    missing = open_dataset(root, split="train").samples[2]
    assert missing.path == root / "UCF-101" / "YoYo" / "v_YoYo_g08_c01.avi"
    assert not missing.path.exists()
    assert len(open_dataset(root, split="all").samples) == 5


def test_frame_directories_and_other_formats_stand_in_for_the_listed_files(make_ucf101):
    root = make_ucf101()
    yoyo = root / "UCF-101" / "YoYo"
    (yoyo / "v_YoYo_g08_c01.avi").unlink()
    (yoyo / "v_YoYo_g08_c01").mkdir()
    (yoyo / "v_YoYo_g08_c01" / "000001.jpg").touch()
    (yoyo / "v_YoYo_g01_c01.avi").rename(yoyo / "v_YoYo_g01_c01.mp4")
    assert open_dataset(root, split="train").samples[2].path == yoyo / "v_YoYo_g08_c01"
    assert open_dataset(root, split="val").samples[2].path.suffix == ".mp4"
    assert len(open_dataset(root, split="all").samples) == 6


def test_all_takes_directories_that_are_no_class_without_a_label(make_ucf101):
    root = make_ucf101()
    (root / "UCF-101" / "Extra").mkdir()
    (root / "UCF-101" / "Extra" / "a.avi").touch()
    labels = {sample.id: sample.label for sample in open_dataset(root, split="all").samples}
    assert labels["Extra/a"] == -1
    assert len(labels) == 7


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("classInd.txt", "1 ApplyEyeMakeup\nHandstandPushups\n", "line 2: expected `2 ClassName`"),
        ("classInd.txt", "0 ApplyEyeMakeup\n", "line 1: expected `1 ClassName`"),
        ("classInd.txt", "1 A\n2 A\n", "line 2: expected"),
        ("classInd.txt", "\n", "names no classes"),
        (
            "trainlist01.txt",
            "YoYo/v_YoYo_g08_c01.avi 3\nno video here at all\n",
            "line 2: expected",
        ),
        ("trainlist01.txt", "\nv_YoYo_g08_c01.avi 3\n", "line 2: expected"),
        ("trainlist01.txt", "YoYo/v_YoYo_g08_c01.avi three\n", "line 1: class number 'three'"),
        ("trainlist01.txt", "YoYo/v_YoYo_g08_c01.avi 2\n", "line 1: class number '2' is not"),
        ("trainlist01.txt", "Yoyo/v_YoYo_g08_c01.avi 3\n", "line 1: class 'Yoyo' is not in"),
        ("trainlist01.txt", "", "lists no video of split 'train' that exists"),
    ],
)
def test_malformed_lists_are_named_with_the_line(make_ucf101, name, text, problem):
    root = make_ucf101(lists={name: text})
    with pytest.raises(AttncliError, match=problem) as error:
        open_dataset(root, split="train")
    assert "\n" not in str(error.value)
    assert str(root) in str(error.value)


def test_a_list_that_cannot_be_read_is_named(make_ucf101):
    root = make_ucf101()
    (root / "ucfTrainTestlist" / "testlist01.txt").write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(AttncliError, match=r"testlist01\.txt: cannot be read"):
        open_dataset(root, split="val")
    (root / "ucfTrainTestlist" / "testlist01.txt").unlink()
    (root / "ucfTrainTestlist" / "testlist01.txt").mkdir()
    with pytest.raises(AttncliError, match=r"testlist01\.txt: cannot be read"):
        open_dataset(root, split="val")


@pytest.mark.skipif(not REAL.is_dir(), reason="no UCF101 here")
def test_the_real_lists_agree_with_the_real_videos():
    train, val, everything = (open_dataset(REAL, split=s) for s in ("train", "val", "all"))
    assert (len(train.samples), len(val.samples)) == (80, 35)
    assert set(everything.samples) == set(train.samples) | set(val.samples)
    assert all(sample.path.is_file() for sample in everything.samples)
    assert not everything.notes


def test_a_video_that_is_listed_twice_is_refused(make_ucf101):
    text = f"{VIDEOS[0]}.avi\n{VIDEOS[2]}.avi\n{VIDEOS[0]}.avi\n"
    root = make_ucf101(lists={"testlist01.txt": text})
    with pytest.raises(AttncliError, match=r"testlist01\.txt, line 3: video .* is listed twice"):
        open_dataset(root, split="val")


def test_two_files_of_one_name_are_refused(make_ucf101):
    root = make_ucf101()
    (root / "UCF-101" / f"{VIDEOS[0]}.mp4").touch()
    name = VIDEOS[0].rpartition("/")[2]
    with pytest.raises(AttncliError, match=rf"{name}\.mp4: {name}\.avi exists too"):
        open_dataset(root, split="train")


def test_what_is_left_out_is_said(make_ucf101):
    root = make_ucf101()
    folder = root / "UCF-101" / "YoYo"
    (folder / "Thumbs.db").touch()
    (folder / "v.rmvb").touch()
    (folder / ".hidden").touch()
    expected = f"2 entries left out (not videos), such as {folder / 'Thumbs.db'}"
    assert open_dataset(root, split="train").notes == (expected,)


@pytest.mark.parametrize("suffix", [".3gp", ".ts", ".mts", ".m2ts", ".TS", ".ogv"])
def test_videos_of_phones_and_cameras_are_videos(make_ucf101, suffix):
    root = make_ucf101()
    file = root / "UCF-101" / f"{VIDEOS[0]}.avi"
    file.rename(file.with_suffix(suffix))
    assert file.with_suffix(suffix) in [s.path for s in open_dataset(root, split="val").samples]


def test_only_a_newline_ends_a_line_and_only_blanks_part_words(make_ucf101):
    video = "YoYo/v\u2028\u0085\x0b\u3000.avi"
    root = make_ucf101(lists={"testlist01.txt": f"{VIDEOS[0]}.avi\r\n{video}\r\n"})
    ids = [sample.id for sample in open_dataset(root, split="val").samples]
    assert ids == [VIDEOS[0], video.removesuffix(".avi")]


def test_a_class_with_a_control_character_is_refused(make_ucf101):
    lists = {"classInd.txt": "1 ApplyEyeMakeup\n2 HandstandPushups\n3 YoYo\x0b\n"}
    root = make_ucf101(lists=lists)
    (root / "UCF-101" / "YoYo").rename(root / "UCF-101" / "YoYo\x0b")
    with pytest.raises(AttncliError, match=r"class 'YoYo\\x0b' has a control character"):
        open_dataset(root, split="all")

import os

import pytest

from attncli.data.layouts import open_dataset, recognise
from attncli.data.samples import require_listed_frames
from attncli.errors import AttncliError, UsageError

TRAIN = [("78687", 1), ("9", 0), ("100", 1), ("20", 0)]
VIDEOS = "20bn-something-something-v2"
LISTS = "something-something-v2-{}.json"


def _labels(dataset):
    return [(sample.id, sample.label) for sample in dataset.samples]


def test_classes_are_numbered_by_the_labels_file_and_videos_labelled_by_their_templates(make_ssv2):
    root = make_ssv2()
    assert recognise(root) == "ssv2"
    train, val = (open_dataset(root, split=split) for split in ("train", "val"))
    assert train.layout == "ssv2"
    assert train.classes == ("Holding something in front of something", "Turning something left")
    assert train.classes == val.classes
    assert _labels(train) == TRAIN
    assert _labels(val) == [("41775", 0)]
    assert train.samples[0].path == root / VIDEOS / "78687.webm"
    assert train.notes == val.notes == ()


def test_all_are_the_videos_that_are_there_by_number_with_the_labels_there_are(make_ssv2):
    dataset = open_dataset(make_ssv2(), split="all")
    expected = [("9", 0), ("20", 0), ("100", 1), ("1420", -1), ("41775", 0), ("78687", 1)]
    assert _labels(dataset) == expected


@pytest.mark.parametrize("lists", [LISTS, "labels/{}.json", f"annotations/{LISTS}", "{}.json"])
@pytest.mark.parametrize("videos", [VIDEOS, "videos", "."])
def test_lists_and_videos_may_lie_where_they_usually_do(make_ssv2, lists, videos):
    root = make_ssv2(videos, lists)
    assert recognise(root) == "ssv2"
    dataset = open_dataset(root, split="train")
    assert _labels(dataset) == TRAIN
    assert all(sample.path.is_file() for sample in dataset.samples)
    assert len(open_dataset(root, split="all").samples) == 6


def test_the_directory_of_videos_will_do_where_the_lists_lie_beside_it(make_ssv2):
    root = make_ssv2(lists="labels/{}.json") / VIDEOS
    assert recognise(root) == "ssv2"
    assert _labels(open_dataset(root, split="train")) == TRAIN


@pytest.mark.parametrize("place", [f"{VIDEOS}-frames", "frames", "rawframes"])
def test_directories_of_images_stand_in_for_videos(make_ssv2, place):
    root = make_ssv2(place, suffix="")
    dataset = open_dataset(root, split="train")
    assert _labels(dataset) == TRAIN
    assert dataset.samples[1].path == root / place / "9"


@pytest.mark.parametrize(
    ("train", "val", "line"),
    [
        ("train_videofolder.txt", "val_videofolder.txt", "{} 45 {}"),
        ("sthv2_train_list_rawframes.txt", "sthv2_val_list_rawframes.txt", "{} 45 {}"),
        ("sthv2_train_list_videos.txt", "sthv2_val_list_videos.txt", "{}.webm {}"),
    ],
)
def test_derived_lists_give_the_same_dataset(make_ssv2, train, val, line):
    expected = open_dataset(make_ssv2(), split="train")
    root = expected.root
    for name in ("labels", "train", "validation"):
        (root / LISTS.format(name)).unlink()
    (root / "category.txt").write_text("\n".join(expected.classes))
    lines = [line.format(id_, label) for id_, label in TRAIN]
    (root / train).write_text("\n".join(lines))
    (root / val).write_text(line.format("41775", 0) + "\n\n")
    assert recognise(root) == "ssv2"
    assert open_dataset(root, split="train") == expected
    assert _labels(open_dataset(root, split="val")) == [("41775", 0)]


def test_a_part_of_the_videos_is_a_dataset_and_the_user_is_told(make_ssv2):
    root = make_ssv2()
    for id_ in ("9", "78687"):
        (root / VIDEOS / f"{id_}.webm").unlink()
    dataset = open_dataset(root, split="train")
    assert _labels(dataset) == [("100", 1), ("20", 0)]
    (note,) = dataset.notes
    assert note == (
        f"{root / VIDEOS}: 2 of the 4 videos of something-something-v2-train.json do not exist,"
        " such as 78687, and are left out"
    )
    assert not open_dataset(root, split="val").notes
    (root / VIDEOS / "41775.webm").unlink()
    with pytest.raises(AttncliError, match=r"none of the 1 videos of .*-validation\.json exists"):
        open_dataset(root, split="val")


def test_hidden_and_other_files_are_no_videos(make_ssv2):
    root = make_ssv2(".", "labels/{}.json")
    for name in ("._9.webm", "readme.txt", "8"):
        (root / name).touch()
    assert len(open_dataset(root, split="all").samples) == 6


def test_a_missing_validation_list_is_named(make_ssv2):
    root = make_ssv2(files={"validation": None})
    assert recognise(root) == "ssv2"
    with pytest.raises(
        AttncliError, match=r"has no list of split 'val'; add something-something-v2-validation\.js"
    ):
        open_dataset(root, split="val")


def test_no_videos_at_all_is_an_error_that_says_where_they_belong(make_ssv2):
    root = make_ssv2("elsewhere")
    with pytest.raises(AttncliError, match=f"holds no videos; put WebM files, .* into {VIDEOS}/"):
        open_dataset(root, split="train")


def test_there_is_one_division_only(make_ssv2):
    with pytest.raises(UsageError, match=r"--split-number: .* one division"):
        open_dataset(make_ssv2(), split="train", split_number=2)


def _entry(**changes):
    return {"id": "9", "template": "Turning [something] left"} | changes


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("labels", {"a": "0", "b": "2"}, "does not number its 2 classes from 0"),
        ("labels", {"a": "1", "b": "2"}, "does not number its 2 classes from 0"),
        ("labels", {"a": "0", "b": "0"}, "does not number its 2 classes from 0"),
        ("labels", {"[a]": "0", "a": "1"}, "does not number its 2 classes from 0"),
        ("labels", {}, "does not number its 0 classes from 0"),
        ("labels", ["a", "b"], "expected a JSON object"),
        ("train", "[\n{},\n{]", "line 3: is not valid JSON"),
        ("train", "[" * 100_000, "cannot be read"),
        ("train", "9" * 5000, "cannot be read"),
        ("train", [], "lists no video"),
        ("train", {"id": "9"}, "expected a JSON list"),
        ("train", [_entry(), "9"], "entry 2: expected an object with `id` and `template`"),
        ("train", [{"id": "9"}], "entry 1: expected an object with `id` and `template`"),
        (
            "train",
            [_entry(), _entry(id="77", template="Eating [something]")],
            r"entry 2: template 'Eating \[something\]' of video 77 is not in the labels file",
        ),
        ("train", [_entry(), _entry()], "entry 2: video '9' is listed twice"),
        ("train", [_entry(), _entry(id=9)], "entry 2: video '9' is listed twice"),
        ("train", [_entry(id="../9")], "entry 1: id '../9' cannot be a file name"),
        ("train", [_entry(id="..")], "entry 1: id '..' cannot be a file name"),
        ("train", [_entry(id="")], "entry 1: id '' cannot be a file name"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_in_a_line(make_ssv2, file, content, message):
    root = make_ssv2(files={file: content})
    with pytest.raises(AttncliError, match=message) as error:
        open_dataset(root, split="train")
    assert str(error.value).startswith(f"{root / LISTS.format(file)}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9 45 0\n20 45 2\n", "line 2: label 2 of video 20 is not one of the 2 classes"),
        ("9 45 0\n\n20\n", r"line 3: expected `id \[frames\] label`"),
        ("9 45 zero\n", r"line 1: expected `id \[frames\] label`"),
        ("/data/9 45 0\n", "line 1: id '/data/9' cannot be a file name"),
        ("9 45 0\n9 45 1\n", "line 2: video '9' is listed twice"),
    ],
)
def test_what_is_wrong_with_a_derived_list_is_said_in_a_line(make_ssv2, text, message):
    root = make_ssv2(files={"train": None})
    (root / "train_videofolder.txt").write_text(text)
    with pytest.raises(AttncliError, match=message) as error:
        open_dataset(root, split="train")
    assert str(error.value).startswith(f"{root / 'train_videofolder.txt'}, line")


def test_no_video_is_looked_at_by_itself(make_ssv2, monkeypatch):
    root = make_ssv2()
    looked_at = []
    stat = os.stat
    monkeypatch.setattr(
        "os.stat", lambda path, *rest, **kw: looked_at.append(str(path)) or stat(path, *rest, **kw)
    )
    open_dataset(root, split="train")
    assert [path for path in looked_at if path.endswith(".webm")] == [
        str(root / VIDEOS / "78687.webm")  # whether any is there
    ]


def test_two_files_of_one_name_are_refused_and_what_is_left_out_is_said(make_ssv2):
    root = make_ssv2()
    (root / VIDEOS / "readme.rmvb").touch()
    expected = f"1 entry left out (not videos), such as {root / VIDEOS / 'readme.rmvb'}"
    assert open_dataset(root, split="train").notes[-1:] == (expected,)
    (root / VIDEOS / "78687.mp4").touch()
    with pytest.raises(AttncliError, match=r"78687\.(mp4|webm): 78687\.(webm|mp4) exists too"):
        open_dataset(root, split="train")


def test_a_list_says_how_many_frames_a_directory_has(make_ssv2):
    root = make_ssv2()
    (root / VIDEOS / "9.webm").unlink()
    (root / VIDEOS / "9").mkdir()
    labels = {LISTS.format(name): None for name in ("train", "validation")}
    for name in labels:
        (root / name).unlink()
    (root / "train_videofolder.txt").write_text("78687 30 1\n9 12 0\n")
    dataset = open_dataset(root, split="train")
    frames = {sample.id: sample.listed_frames for sample in dataset.samples}
    assert frames == {"78687": None, "9": 12}
    sample = next(sample for sample in dataset.samples if sample.id == "9")
    require_listed_frames(sample, 12)
    with pytest.raises(AttncliError, match="holds 11 frames, its list says 12; extract"):
        require_listed_frames(sample, 11)

import pytest

from attncli.data.layouts import open_dataset
from attncli.errors import AttncliError


@pytest.fixture
def root(tmp_path):
    for video in ("run/v10.avi", "run/v9.avi", "jump/a.MP4", "jump/notes.txt"):
        (tmp_path / video).parent.mkdir(exist_ok=True)
        (tmp_path / video).touch()
    (tmp_path / "jump" / "frames").mkdir()
    (tmp_path / "jump" / "frames" / "1.png").touch()
    (tmp_path / ".cache").mkdir()
    return tmp_path


def test_all_videos_are_found_in_natural_order(root):
    dataset = open_dataset(root, split="all")
    assert dataset.layout == "class-folders"
    assert dataset.classes == ("jump", "run")
    assert [(sample.id, sample.label) for sample in dataset.samples] == [
        ("jump/a", 0),
        ("jump/frames", 0),
        ("run/v9", 1),
        ("run/v10", 1),
    ]


def test_they_cannot_be_trained_on_without_lists(root):
    with pytest.raises(AttncliError, match="no lists that say which are for split 'train'; add "):
        open_dataset(root, split="train")


def test_an_empty_class_is_named(root):
    (root / "sit").mkdir()
    with pytest.raises(AttncliError, match="sit: class has no video"):
        open_dataset(root, split="all")


CUB = (
    "images.txt",
    "images/001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg",
    "images/002.Laysan_Albatross/Laysan_Albatross_0001_545.jpg",
)


def test_a_collection_of_images_asked_for_by_name_is_said_to_be_one(make_tree):
    root = make_tree(*CUB)
    for split in ("all", "train"):
        with pytest.raises(AttncliError, match=r"tree: holds images \(such as .*0001_796111\.jpg"):
            open_dataset(root, split=split, layout="class-folders")


def test_directories_of_images_that_are_no_numbered_series_are_left_out(tmp_path):
    files = (
        "pets/cats/tom.jpg",
        "pets/cats/felix.jpg",
        "pets/dogs/a_1_7.jpg",
        "pets/dogs/b_2_9.jpg",
    )
    for file in (*files, "pets/walk/1.jpg", "pets/walk/2.jpg"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    dataset = open_dataset(tmp_path, split="all")
    assert [sample.id for sample in dataset.samples] == ["pets/walk"]
    expected = f"2 entries left out (not videos), such as {tmp_path / 'pets' / 'cats'}"
    assert dataset.notes == (expected,)


@pytest.mark.parametrize(
    "names",
    [
        ("000001.jpg", "000002.jpg"),
        ("img_1.png",),
        ("frame12.5.jpg", "frame12.75.jpg"),
        ("flow_x_1.jpg", "flow_x_2.jpg", "flow_y_1.jpg", "flow_y_2.jpg", "thumbnail.jpg"),
    ],
)
def test_directories_of_numbered_frames_are_videos(tmp_path, names):
    (tmp_path / "run" / "v").mkdir(parents=True)
    for name in names:
        (tmp_path / "run" / "v" / name).touch()
    assert [sample.id for sample in open_dataset(tmp_path, split="all").samples] == ["run/v"]


def test_video_files_are_videos_in_a_directory_of_any_name(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.mp4").touch()
    assert [sample.id for sample in open_dataset(tmp_path, split="all").samples] == ["train/a"]


def test_a_command_on_videos_says_that_there_are_images(make_tree, tmp_path, run_cli):
    root = make_tree(*CUB)
    answer = run_cli("segment", root, "--out", tmp_path / "masks")
    assert answer.exit_code == 1
    assert f"{root}: holds images (such as " in answer.stderr
    assert not (tmp_path / "masks").exists()

import pytest

from attncli.data.layouts.video_tree import (
    Videos,
    notes_on_left_out,
    require_one_file,
    require_videos,
    videos_by_class,
    without_collections,
)
from attncli.errors import AttncliError


def test_each_class_has_its_videos_and_what_is_left_out_in_natural_order(make_tree):
    files = ("run10/b.avi", "run9/v10.avi", "run9/v9.MP4", "run9/notes.txt", ".cache/a.avi")
    root = make_tree(*files, "run9/frames/1.png", "run9/.hidden.avi", "empty/", "run9/nothing/")
    assert videos_by_class(root) == {
        "empty": Videos({}, ()),
        "run9": Videos(
            {
                "frames": root / "run9/frames",
                "v9": root / "run9/v9.MP4",
                "v10": root / "run9/v10.avi",
            },
            (root / "run9/notes.txt", root / "run9/nothing"),
        ),
        "run10": Videos({"b": root / "run10/b.avi"}, ()),
    }
    found = videos_by_class(root)
    assert list(found) == ["empty", "run9", "run10"]
    assert list(found["run9"].by_name) == ["frames", "v9", "v10"]


def test_of_a_file_and_its_frames_the_file_is_taken(make_tree):
    root = make_tree("run/a.avi", "run/a/1.png")
    assert videos_by_class(root)["run"].by_name == {"a": root / "run/a.avi"}


def test_two_files_that_differ_in_their_suffix_alone_are_refused(make_tree):
    root = make_tree("run/a.avi", "run/a.mp4")
    with pytest.raises(AttncliError, match=r"a\.mp4: a\.avi exists too: both would have the sam"):
        videos_by_class(root)
    require_one_file(None, root / "run/a.mp4")


def test_the_first_class_without_a_video_is_named(make_tree):
    root = make_tree("run/a.avi", "sit/notes.txt")
    classes = videos_by_class(root)
    require_videos(root, {"run": classes["run"]})
    with pytest.raises(AttncliError, match="tree/sit: class has no video; add its videos or re"):
        require_videos(root, classes)


def test_what_is_left_out_is_counted_and_one_of_it_named(tmp_path):
    one, two = tmp_path / "a.txt", tmp_path / "b.txt"
    assert notes_on_left_out([]) == ()
    assert notes_on_left_out([one]) == (f"1 entry left out (not videos), such as {one}",)
    expected = f"2 entries left out (not images), such as {two}"
    assert notes_on_left_out([two, one], "images") == (expected,)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("Images", ("bakery/1.jpg", "bakery/2.jpg")),
        ("val", ("bakery/1.jpg",)),
        ("VOC2012", ("JPEGImages/2007_1.jpg", "JPEGImages/2007_2.jpg")),
        ("VOC2012", ("SegmentationClassAug/2007_1.png",)),
        ("pets", ("cats/tom.jpg", "cats/felix.jpg")),
        ("pets", ("cats/a_1_7.jpg", "cats/b_2_9.jpg")),
        ("pets", ("cats/a_1.jpg", "cats/b_1.jpg", "cats/tom.jpg", "cats/felix.jpg")),
        ("pets", ("cats/a_1.jpg", "cats/b_1.jpg", "cats/c_1.jpg", "cats/c_2.jpg", "cats/d.jpg")),
    ],
)
def test_directories_of_single_images_are_no_videos(make_tree, name, files):
    root = make_tree(*(f"{name}/{file}" for file in files), f"{name}/notes.txt")
    folder = (root / name / files[0]).parent
    kept = without_collections(videos_by_class(root))
    assert kept == {name: Videos({}, (root / name / "notes.txt", folder))}


@pytest.mark.parametrize(
    "names",
    [
        ("000001.jpg", "000002.jpg"),
        ("img_1.png",),
        ("frame12.5.jpg", "frame12.75.jpg"),
        ("x_1.jpg", "x_2.jpg", "y_1.jpg", "y_2.jpg", "thumbnail.jpg"),
        ("x_1.jpg", "x_2.jpg", "x_3.jpg", "y_1.jpg"),
    ],
)
def test_numbered_series_of_images_stay_videos(make_tree, names):
    root = make_tree(*(f"run/v/{name}" for name in names))
    assert without_collections(videos_by_class(root))["run"].by_name == {"v": root / "run/v"}


def test_video_files_stay_in_a_class_of_any_name(make_tree):
    root = make_tree("train/a.mp4", "train/b/1.jpg", "train/b/2.jpg")
    (kept,) = without_collections(videos_by_class(root)).values()
    assert kept == Videos({"a": root / "train/a.mp4"}, (root / "train/b",))

import pytest

from attncli.data.layouts import cub200
from attncli.data.layouts.images import open_images, recognise
from attncli.errors import AttncliError, UsageError

ALBATROSS, GREBE = "001.Black_footed_Albatross", "002.Eared_Grebe"
LISTS = {
    "images.txt": f"1 {ALBATROSS}/A_0046_18.jpg\n2 {ALBATROSS}/A_0009_34.jpg\n"
    f"3 {GREBE}/E_0007_1.jpg\n4 {GREBE}/E_0002_9.jpg\n",
    "image_class_labels.txt": "1 1\n2 1\n3 2\n4 2\n",
    "train_test_split.txt": "1 0\n2 1\n3 1\n4 0\n",
    "classes.txt": f"1 {ALBATROSS}\n2 {GREBE}\n",
}


@pytest.fixture
def make_cub(tmp_path):
    """Writes the layout; `lists` replaces what lists say, by name; None leaves one out."""

    def make(home=".", has_images=True, **lists):
        folder = tmp_path / "cub" / home
        names = [line.split()[1] for line in LISTS["images.txt"].splitlines() if has_images]
        for file in (folder / "images" / name for name in names):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (LISTS | {f"{key}.txt": text for key, text in lists.items()}).items():
            if text is not None:
                (folder / name).write_text(text, newline="")
        return tmp_path / "cub"

    return make


@pytest.mark.parametrize("home", [".", "CUB_200_2011"])
def test_lists_say_split_and_class_of_each_image(make_cub, home):
    root = make_cub(home)
    assert recognise(root) == "cub200"
    train, val, everything = (open_images(root, split=s) for s in ("train", "val", "all"))
    assert train.classes == val.classes == (ALBATROSS, GREBE)
    assert [(s.id, s.labels) for s in train.samples] == [
        (f"{ALBATROSS}/A_0009_34", {0}),
        (f"{GREBE}/E_0007_1", {1}),
    ]
    assert [s.id for s in val.samples] == [f"{ALBATROSS}/A_0046_18", f"{GREBE}/E_0002_9"]
    assert everything.samples == train.samples + val.samples
    assert all(sample.path.is_file() for sample in everything.samples)
    assert train.labels_from == "image_class_labels.txt"


def test_lines_may_end_as_those_of_windows_and_numbers_come_in_any_order(make_cub):
    expected = open_images(make_cub(), split="all").samples
    lists = {name.removesuffix(".txt"): text.replace("\n", "\r\n") for name, text in LISTS.items()}
    lists["image_class_labels"] = "4 2\r\n1 1\r\n3 2\r\n2 1"
    assert open_images(make_cub(**lists), split="all").samples == expected


def test_without_names_of_classes_those_of_directories_are_taken(make_cub):
    assert open_images(make_cub(classes=None), split="val").classes == (ALBATROSS, GREBE)


def test_a_class_of_no_image_keeps_its_number(make_cub):
    classes = f"1 {ALBATROSS}\n2 {GREBE}\n3 003.Crow\n"
    assert open_images(make_cub(classes=classes), split="train").classes[2] == "003.Crow"


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"images": "1\n"}, r"images\.txt, line 1: expected `number CLASS/IMAGE`"),
        ({"images": "1 a/1.jpg\n1 a/2.jpg\n"}, r"images\.txt, line 2: number '1' is given twice"),
        (
            {"images": "1 a/1.jpg\n2 a/1.png\n"},
            r"images\.txt, line 2: image 'a/1\.png' is listed t",
        ),
        ({"images": "1 ../1.jpg\n"}, r"images\.txt, line 1: expected CLASS/IMAGE"),
        ({"images": ""}, r"images\.txt: is empty"),
        ({"image_class_labels": "1 1\n9 1\n"}, r"labels\.txt, line 2: no image '9' in images\.txt"),
        ({"image_class_labels": "1 1\n1 2\n"}, r"labels\.txt, line 2: image '1' is listed twice"),
        ({"image_class_labels": "1 1\n2 1\n3 2\n"}, r"labels\.txt: has no line for image '4'"),
        ({"image_class_labels": "1 0\n"}, r"labels\.txt, line 1: expected the number of a class"),
        ({"image_class_labels": "1 1 1\n"}, r"labels\.txt, line 1: expected the number of an im"),
        (
            {"image_class_labels": "1 1\n2 1\n3 2\n4 3\n"},
            r"'4' is of class 3, classes\.txt names 2",
        ),
        ({"train_test_split": "1 2\n"}, r"split\.txt, line 1: expected 1 \(train\) or 0 \(test\)"),
        ({"classes": f"1 {ALBATROSS}\n3 {GREBE}\n"}, r"classes\.txt, line 2: expected `2 NAME`"),
        ({"classes": f"1 {GREBE}\n2 {GREBE}\n"}, r"classes\.txt, line 2: expected `2 NAME`"),
    ],
)
def test_a_malformed_list_is_named_with_its_line(make_cub, lists, problem):
    with pytest.raises(AttncliError, match=problem) as error:
        open_images(make_cub(**lists), split="train")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ("1 1\n2 2\n3 2\n4 2\n", r"images\.txt, line 2: .* is not class 2 in other"),
        (
            "1 1\n2 1\n3 3\n4 3\n",
            r"image_class_labels\.txt: class 2 has no image; add classes\.txt",
        ),
    ],
)
def test_directories_that_cannot_name_the_classes_are_refused(make_cub, labels, problem):
    with pytest.raises(AttncliError, match=problem):
        open_images(make_cub(classes=None, image_class_labels=labels), split="train")


def test_without_its_images_or_lists_it_is_refused(make_cub, tmp_path):
    with pytest.raises(AttncliError, match="none of the 2 images of split 'val' exists"):
        open_images(make_cub(has_images=False), split="val")
    with pytest.raises(AttncliError, match="not in CUB-200-2011's layout, looked for images"):
        cub200.open_split(tmp_path, "train")
    (tmp_path / "cub" / "train_test_split.txt").unlink()
    assert not cub200.fits(tmp_path / "cub")


def test_it_has_no_third_split(make_cub):
    with pytest.raises(UsageError, match="no such split: layout cub200 has train"):
        open_images(make_cub(), split="test")

import pytest

from attncli.data.layouts import indoor67
from attncli.data.layouts.images import open_images, recognise
from attncli.errors import AttncliError

IMAGES = (
    *("bakery/Panaderia_02_11.jpg", "bakery/b 2.jpg", "airport_inside/a_0001.jpg"),
    *("winecellar/wine.JPG", "winecellar/in_no_list.jpg"),
)
TRAIN = "bakery/Panaderia_02_11.jpg\nairport_inside/a_0001.jpg\n"
TEST = "winecellar/wine.JPG\r\nbakery/b 2.jpg"


@pytest.fixture
def make_indoor(tmp_path):
    """Writes the layout; None leaves a list out."""

    def make(lists_at=".", images_at=".", train=TRAIN, test=TEST):
        root = tmp_path / "indoor"
        for file in (root / images_at / "Images" / name for name in IMAGES):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        for name, text in (("TrainImages.txt", train), ("TestImages.txt", test)):
            if text is not None:
                (root / lists_at / name).write_text(text, newline="")
        return root

    return make


@pytest.mark.parametrize(
    ("lists_at", "images_at"),
    [(".", "."), (".", "indoorCVPR_09"), ("indoorCVPR_09", "indoorCVPR_09")],
)
def test_lists_say_split_and_class_of_each_image(make_indoor, lists_at, images_at):
    root = make_indoor(lists_at, images_at)
    assert recognise(root) == "indoor67"
    train, val, everything = (open_images(root, split=s) for s in ("train", "val", "all"))
    assert train.classes == val.classes == ("airport_inside", "bakery", "winecellar")
    assert [(s.id, s.labels) for s in train.samples] == [
        ("bakery/Panaderia_02_11", {1}),
        ("airport_inside/a_0001", {0}),
    ]
    assert [(s.id, s.labels) for s in val.samples] == [
        ("winecellar/wine", {2}),
        ("bakery/b 2", {1}),
    ]
    assert everything.samples == train.samples + val.samples
    assert all(sample.path.is_file() for sample in everything.samples)


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"train": "a/1.jpg\nb.jpg\n"}, r"TrainImages\.txt, line 2: expected CLASS/IMAGE"),
        ({"test": "a/1.jpg\n\na/1.jpg\n"}, r"TestImages\.txt, line 3: image .* is listed twice"),
        (
            {"test": TRAIN},
            r"TestImages\.txt, line 1: image .* is listed twice, here or in another list",
        ),
        ({"test": "a/1.mp4\n"}, r"TestImages\.txt, line 1: .* is not an image by its name"),
        ({"train": ""}, r"TrainImages\.txt: is empty"),
        ({"test": None}, r"TestImages\.txt: no such list; get it: both lists together name all"),
        ({"train": None}, r"TrainImages\.txt: no such list"),
    ],
)
def test_a_malformed_list_is_named_with_its_line(make_indoor, lists, problem):
    with pytest.raises(AttncliError, match=problem):
        open_images(make_indoor(**lists), split="train")


def test_without_a_list_it_is_another_layout(make_indoor, tmp_path):
    assert not indoor67.fits(make_indoor(train=None, test=None))
    with pytest.raises(AttncliError, match="not in Indoor67's layout, looked for Images/ with"):
        indoor67.open_split(tmp_path, "train")

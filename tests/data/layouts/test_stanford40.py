import pytest

from attncli.data.layouts import stanford40
from attncli.data.layouts.images import open_images, recognise
from attncli.errors import AttncliError

LISTS = {
    "riding_a_bike_train.txt": "riding_a_bike_002.jpg\nriding_a_bike_001.jpg\n",
    "riding_a_bike_test.txt": "riding_a_bike_003.jpg\r\n",
    "applauding_train.txt": "applauding_001.jpg",
    "applauding_test.txt": "applauding_002.jpg\n",
    "train.txt": "anything\n",
    "test.txt": "",
    "actions.txt": "action_name number_of_images\napplauding 284\n",
}


@pytest.fixture
def make_stanford(tmp_path):
    """Writes the layout; `lists` replaces what lists say, by name; None leaves one out."""

    def make(home=".", **lists):
        folder = tmp_path / "stanford" / home
        for name in ("JPEGImages", "ImageSplits"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for image in "\n".join(LISTS.values()).split():
            if image.endswith(".jpg"):
                (folder / "JPEGImages" / image).touch()
        for name, text in (LISTS | {f"{key}.txt": text for key, text in lists.items()}).items():
            if text is not None:
                (folder / "ImageSplits" / name).write_text(text, newline="")
        return tmp_path / "stanford"

    return make


@pytest.mark.parametrize("home", [".", "Stanford40"])
def test_lists_say_split_and_class_of_each_image(make_stanford, home):
    root = make_stanford(home)
    assert recognise(root) == "stanford40"
    train, val, everything = (open_images(root, split=s) for s in ("train", "val", "all"))
    assert train.classes == val.classes == ("applauding", "riding_a_bike")
    assert [(s.id, s.labels) for s in train.samples] == [
        ("applauding_001", {0}),
        ("riding_a_bike_002", {1}),
        ("riding_a_bike_001", {1}),
    ]
    assert [(s.id, s.labels) for s in val.samples] == [
        ("applauding_002", {0}),
        ("riding_a_bike_003", {1}),
    ]
    assert everything.samples == train.samples + val.samples
    assert all(sample.path.is_file() for sample in everything.samples)


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"applauding_test": None}, r"applauding_test\.txt: no such list; get it: each action has"),
        ({"jumping_test": "j_1.jpg"}, r"jumping_train\.txt: no such list"),
        ({"applauding_test": ""}, r"applauding_test\.txt: is empty"),
        ({"applauding_train": "a/b.jpg"}, r"applauding_train\.txt, line 1: expected IMAGE, not"),
        ({"applauding_train": "a\n"}, r"applauding_train\.txt, line 1: 'a' is not an image by its"),
        (
            {"applauding_test": "a.jpg\napplauding_001.jpg"},
            r"applauding_test\.txt, line 2: image 'applauding_001\.jpg' is listed twice, here or",
        ),
        ({"applauding_train": "a.jpg\na.png"}, r"applauding_train\.txt, line 2: .* listed twice"),
    ],
)
def test_a_malformed_list_is_named_with_its_line(make_stanford, lists, problem):
    for split in ("train", "val", "all"):
        with pytest.raises(AttncliError, match=problem):
            open_images(make_stanford(**lists), split=split)


def test_without_lists_of_actions_it_is_another_layout(make_stanford, tmp_path):
    names = [name.removesuffix(".txt") for name in LISTS if "_t" in name]
    assert not stanford40.fits(make_stanford(**dict.fromkeys(names)))
    with pytest.raises(AttncliError, match="not in Stanford 40's layout, looked for JPEGImages/"):
        stanford40.open_split(tmp_path, "train")

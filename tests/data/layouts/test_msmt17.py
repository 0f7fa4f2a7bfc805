import json

import numpy as np
import pytest
from PIL import Image

from attncli.data.layouts.images import open_images, recognise
from attncli.data.layouts.msmt17 import fits, open_split
from attncli.errors import AttncliError

TRAIN = (
    "0000/0000_000_01_0303morning_0008_0.jpg",
    "0000/0000_001_14_0303noon_0015_1.jpg",
    "0001/0001_000_01_0113afternoon_0604_2.jpg",
)
QUERY = ("0000/0000_000_05_0303morning_0020_0.jpg", "0001/0001_000_02_0302noon_0020_0.jpg")
GALLERY = ("0000/0000_001_06_0303morning_0021_0.jpg", "0001/0001_001_05_0302noon_0021_0.jpg")
LISTS = {"train": TRAIN, "query": QUERY, "gallery": GALLERY, "val": TRAIN[:1]}


@pytest.fixture
def make(tmp_path):
    """Writes the layout; `texts` replaces what lists hold by name, None leaves one out."""

    def write(home=".", folders=("train", "test"), **texts):
        root = tmp_path / "data" / home
        for name, files in LISTS.items():
            lines = [f"{file} {int(file[:4])}\n" for file in files]
            text = texts.get(name, "".join(lines))
            root.mkdir(parents=True, exist_ok=True)
            if text is not None:
                (root / f"list_{name}.txt").write_text(text)
            folder = root / folders[name in ("query", "gallery")]
            for number, file in enumerate(files):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                grey = np.full((16, 8, 3), 20 * number, np.uint8)
                Image.fromarray(grey).save(folder / file)
        return tmp_path / "data"

    return write


def test_people_of_the_training_list_are_the_classes(make):
    dataset = open_split(make(), "train")
    assert dataset.classes == ("train-0000", "train-0001")
    assert [s.id for s in dataset.samples] == [f"train/{name[:-4]}" for name in TRAIN]
    assert [s.labels for s in dataset.samples] == [{0}, {0}, {1}]
    assert [s.camera for s in dataset.samples] == ["1", "14", "1"]
    assert {s.role for s in dataset.samples} == {None}
    assert dataset.notes == ("1 images of list_val.txt left out: they show people to learn from",)


def test_people_of_tests_are_others_than_those_of_the_same_number(make):
    dataset = open_split(make(), "val")
    assert [(s.subject, s.camera, s.role) for s in dataset.samples] == [
        ("test-0000", "5", "query"),
        ("test-0001", "2", "query"),
        ("test-0000", "6", "gallery"),
        ("test-0001", "5", "gallery"),
    ]
    assert {s.labels for s in dataset.samples} == {None}
    assert dataset.classes == ("train-0000", "train-0001")


def test_all_are_both_splits_and_ids_differ(make):
    root = make()
    samples = open_split(root, "all").samples
    assert samples == tuple(
        s for split in ("train", "val") for s in open_split(root, split).samples
    )
    assert len({s.id for s in samples}) == len(TRAIN + QUERY + GALLERY)


@pytest.mark.parametrize("home", [".", "MSMT17_V2"])
def test_the_second_version_has_directories_of_its_own(make, home):
    root = make(home, ("mask_train_v2", "mask_test_v2"))
    assert recognise(root) == "msmt17"
    samples = open_images(root, split="all").samples
    assert samples[0].id == "mask_train_v2/0000/0000_000_01_0303morning_0008_0"
    assert all(sample.path.is_file() for sample in samples)


def test_classes_are_in_the_order_of_their_numbers(make):
    lines = f"{TRAIN[2]} 0\n{TRAIN[0]} 1\n"
    dataset = open_split(make(train=lines), "train")
    assert dataset.classes == ("train-0001", "train-0000")
    assert [s.labels for s in dataset.samples] == [{0}, {1}]


NAME = TRAIN[0]


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"train": f"{NAME}\n"}, r"list_train.txt, line 1: expected PERSON/IMAGE NUMBER"),
        ({"train": f"{NAME} one\n"}, r"line 1: expected PERSON/IMAGE NUMBER, not"),
        ({"train": f"{NAME} 0 1\n"}, r"line 1: expected PERSON/IMAGE NUMBER, not"),
        ({"train": f"{NAME} 0\n{NAME} 0\n"}, r"line 2: train/0000/.* is listed twice"),
        ({"train": f"{NAME} 0\n{TRAIN[1]} 1\n"}, r"line 2: person train-0000 has number 1 here"),
        ({"train": f"{NAME} 0\n{TRAIN[2]} 0\n"}, r"line 2: 0 is person train-0001 here"),
        ({"train": "0000/0002_000_01_a.jpg 0\n"}, r"line 1: '0000/0002.*' is not PERSON/PERSON_"),
        ({"train": "0000/0000_c1s1_01.jpg 0\n"}, r"line 1: '0000/0000_c1s1.*' is not PERSON"),
        ({"train": "../0000_000_01_a.jpg 0\n"}, r"line 1: expected CLASS/IMAGE"),
        ({"train": "0000/0000_000_01_a.txt 0\n"}, r"line 1: .* is not an image by its name"),
        ({"train": "\n"}, r"list_train.txt: is empty"),
        ({"train": None}, r"list_train.txt: no such list"),
        ({"gallery": f"{QUERY[0]} 0\n"}, r"list_gallery.txt, line 1: test/0000.* listed twice"),
        ({"query": f"{QUERY[0]} 3\n"}, r"list_gallery.txt, line 1: person test-0000 has number"),
    ],
)
def test_what_is_wrong_is_named_by_list_and_line(make, lists, problem):
    with pytest.raises(AttncliError, match=problem):
        open_split(make(**lists), "all")


def test_images_have_to_be_beside_the_lists(make):
    root = make(folders=("a", "b"))
    with pytest.raises(AttncliError, match=r"looked for train/ and test/ or mask_train_v2/ and"):
        open_split(root, "train")


def test_other_directories_do_not_fit(make):
    root = make(query=None)
    assert not fits(root)
    with pytest.raises(AttncliError, match="not in MSMT17's layout, looked for"):
        open_split(root, "train")


def test_a_network_learns_these_people_and_looks_for_others(make, tmp_path, run_cli):
    tiny = [
        *("--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--size-hw", "64,32"),
        *("--stripes", "2", "--width", "8", "--epochs", "1", "--batch-size", "3", "-j", "0"),
        *("--schedule", "constant", "--milestones", "", "--device", "cpu", "--json"),
    ]
    answer = run_cli("train", "pcb", "--data", make(), "-o", tmp_path / "r", *tiny)
    assert answer.exit_code == 0, answer.stderr
    (row,) = json.loads(answer.stdout)
    assert (row["images"], row["queries"], row["queries_without_match"]) == (4, 2, 0)

import pytest

from attncli.data.layouts.two_views import fits, open_split
from attncli.errors import AttncliError

VIPER = [f"cam_a/00{n}_0.bmp" for n in range(4)] + [f"cam_b/00{n}_90.bmp" for n in range(4)]
PRID450S = [f"cam_{c}/{kind}_00{n}.png" for c in "ab" for n in range(4) for kind in ("img", "sil")]
GRID = [
    *(f"probe/000{n}_1_25016_107_33_106_221.jpeg" for n in range(1, 5)),
    *(f"gallery/000{n}_5_25023_116_134_128_330.jpeg" for n in range(5)),
]
CUHK01 = [f"campus/000{n}00{shot}.png" for n in range(1, 5) for shot in range(1, 5)]


@pytest.mark.parametrize("names", [VIPER, PRID450S, GRID, CUHK01])
@pytest.mark.parametrize("home", ["", "CUHK01/"])
def test_half_of_the_people_are_for_validation(make_tree, names, home):
    root = make_tree(*(home + name for name in names))
    assert fits(root)
    all_, train, val = (open_split(root, split) for split in ("all", "train", "val"))
    people = {s.subject for s in all_.samples} - {None}
    assert all_.classes == tuple(sorted(people))
    assert len(train.classes) == 2
    sought = {s.subject for s in val.samples} - {None}
    assert sought == people - set(train.classes)
    for part in ("query", "gallery"):
        assert sought <= {s.subject for s in val.samples if s.role == part}
    assert len({s.id for s in all_.samples}) == len(all_.samples)


def test_the_first_view_asks_and_the_second_answers(make_tree):
    samples = open_split(make_tree(*VIPER), "all").samples
    assert [(s.subject, s.camera, s.role) for s in samples[3:5]] == [
        ("003", "cam_a", "query"),
        ("000", "cam_b", "gallery"),
    ]
    assert [s.labels for s in samples] == [{0}, {1}, {2}, {3}] * 2


def test_silhouettes_are_no_images_of_people(make_tree):
    dataset = open_split(make_tree(*PRID450S), "all")
    assert len(dataset.samples) == 8
    assert "8 entries left out (not images of people)" in dataset.notes[0]


def test_nobody_of_grid_stays_in_the_gallery_of_validation(make_tree):
    root = make_tree(*GRID)
    (nobody,) = (s for s in open_split(root, "val").samples if s.subject is None)
    assert nobody.role == "gallery"
    assert nobody.labels is None
    assert all(s.subject is not None for s in open_split(root, "train").samples)


def test_two_images_of_cuhk01_are_of_each_view(make_tree):
    samples = open_split(make_tree(*CUHK01), "all").samples
    first = [(s.id, s.camera, s.role) for s in samples if s.subject == "0001"]
    assert first == [
        ("campus/0001001", "campus-1", "query"),
        ("campus/0001002", "campus-1", "query"),
        ("campus/0001003", "campus-2", "gallery"),
        ("campus/0001004", "campus-2", "gallery"),
    ]


@pytest.mark.parametrize(
    ("names", "wrong", "problem"),
    [
        (VIPER, "cam_b/left.bmp", "left.bmp: name is not PERSON_"),
        (GRID, "probe/x_1.jpeg", "x_1.jpeg: name is not PERSON_"),
        (CUHK01, "campus/00010015.png", "00010015.png: name is not seven digits"),
    ],
)
def test_a_name_that_does_not_parse_is_named(make_tree, names, wrong, problem):
    with pytest.raises(AttncliError, match=problem):
        open_split(make_tree(*names, wrong), "all")


def test_nobody_in_both_views_is_refused(make_tree):
    root = make_tree("cam_a/001_0.bmp", "cam_b/002_0.bmp")
    with pytest.raises(AttncliError, match="shows 0 people whom two cameras saw"):
        open_split(root, "train")


def test_other_directories_do_not_fit(make_tree):
    root = make_tree("probe/readme.txt", "gallery/a.png", "cam_a/1.png")
    assert not fits(root)
    with pytest.raises(AttncliError, match="not a set of two views, looked for"):
        open_split(root, "all")

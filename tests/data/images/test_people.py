import pytest

from attncli.config.reid import PcbConfig
from attncli.data.images.people import PeopleSource
from attncli.errors import AttncliError
from tests.support.people import make_people_images

PEOPLE = ("ann", "bob")


def source(root, **settings):
    ways = {"size_hw": (32, 16), "stripes": 2, "weights": "none", **settings}
    return PeopleSource(PcbConfig(data=root, **ways))


def test_training_images_have_a_class_a_person_and_others_none(tmp_path):
    people = source(make_people_images(tmp_path / "d", PEOPLE))
    train, val = people.open("train"), people.open("val")
    assert train.classes == PEOPLE
    assert [sorted(sample.labels) for sample in train.samples] == [[0], [0], [1], [1]]
    assert val.classes == ()
    assert {(s.subject, s.role, s.labels) for s in val.samples} == {
        *((who, role, None) for who in PEOPLE for role in ("query", "gallery"))
    }
    batch = people.reader(val, training=False).collate(
        [people.reader(val, training=False)[row] for row in range(2)]
    )
    assert batch.images.shape == (2, 3, 32, 16)


def test_other_data_is_read_in_whatever_layout(tmp_path):
    root, other = (make_people_images(tmp_path / name, PEOPLE) for name in "ab")
    config = source(root).config
    found = PeopleSource.of_run(config, tmp_path, other)
    assert isinstance(found, PeopleSource)
    assert found.open("val").root == other


@pytest.mark.parametrize(
    ("old", "new", "split", "message"),
    [
        (",1,\n", ",,\n", "train", "does not say which camera took train/ann_1 and 1 others"),
        (",gallery\n", ",query\n", "val", "no image is of the gallery"),
        (",query\n", ",gallery\n", "val", "no image is of the query"),
    ],
)
def test_what_is_no_search_for_people_is_refused(tmp_path, old, new, split, message):
    root = make_people_images(tmp_path / "d", PEOPLE)
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(old, new))
    with pytest.raises(AttncliError, match=message):
        source(root).open(split)


def test_an_image_of_two_people_teaches_nothing(tmp_path):
    root = make_people_images(tmp_path / "d", PEOPLE)
    manifest = root / "manifest.csv"
    manifest.write_text(
        manifest.read_text().replace("train_ann_1.png,ann,", "train_ann_1.png,ann;bob,")
    )
    with pytest.raises(AttncliError, match="shows 2 people, train/ann_1"):
        source(root).open("train")

from dataclasses import replace

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
        (",gallery\n", ",query\n", "val", "has no image of role .gallery"),
        (",query\n", ",gallery\n", "val", "has no image of role .query"),
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


def test_images_of_one_query_together_are_opened_where_they_are_wanted(tmp_path):
    root = make_people_images(tmp_path / "d", PEOPLE)
    with (root / "manifest.csv").open("a") as file:
        file.write("more/ann,gallery_ann.png,,val,ann,1,multi-query\n")
    single = source(root)
    several = replace(single, multi_query=True)
    assert "more/ann" not in [s.id for s in single.open("val").samples]
    (more,) = [s for s in several.open("val").samples if s.role == "multi-query"]
    assert (more.id, more.labels) == ("more/ann", None)
    assert several.open("train") == single.open("train")


def test_people_are_taken_whole_where_there_is_a_limit(tmp_path):
    root = make_people_images(tmp_path / "d", ("ann", "bob", "cid"))
    few = source(root, limit=5)
    for split in ("train", "val"):
        shown = [sample.subject for sample in few.open(split).samples]
        assert sorted(map(shown.count, set(shown))) == [2, 2]
    assert few.open("train").classes == ("ann", "bob", "cid")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",2,gallery", ",1,gallery", "no query has its person in the gallery by another camera"),
        (",ann,1,query", ",,1,query", "does not say whom query query/ann shows"),
    ],
)
def test_nobody_to_be_found_again_is_refused_before_anything_is_learnt(tmp_path, old, new, message):
    root = make_people_images(tmp_path / "d", PEOPLE)
    text = (root / "manifest.csv").read_text()
    (root / "manifest.csv").write_text(text.replace(old, new))
    source(root).open("train")
    with pytest.raises(AttncliError, match=message):
        source(root).open("val")


def test_without_roles_somebody_has_to_be_seen_by_two_cameras(tmp_path):
    root = make_people_images(tmp_path / "d", PEOPLE)
    text = (root / "manifest.csv").read_text()
    text = text.replace(",query\n", ",\n").replace(",gallery\n", ",\n")
    (root / "manifest.csv").write_text(text)
    assert len(source(root).open("val").samples) == 4
    (root / "manifest.csv").write_text(text.replace(",val,ann,2", ",val,ann,1"))
    assert len(source(root).open("val").samples) == 4
    (root / "manifest.csv").write_text(text.replace(",2,\n", ",1,\n"))
    with pytest.raises(AttncliError, match="no query has its person"):
        source(root).open("val")

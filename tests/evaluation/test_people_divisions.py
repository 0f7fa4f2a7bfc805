from dataclasses import replace

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.evaluation.people import people_of_features
from attncli.evaluation.people_divisions import (
    PARTS,
    draw_people,
    own_people,
    read_people,
    write_people,
)
from attncli.files.features import open_features
from tests.support.features import make_people


def opened(path, **settings):
    directory = open_features(make_people(path, **settings))
    return directory, people_of_features(directory)


def names(people, rows):
    return {people.names[row] for row in rows.tolist()}


def parts(division):
    return [division.part(name).tolist() for name in PARTS]


def test_own_division_is_that_of_splits_and_roles(tmp_path):
    directory, people = opened(tmp_path / "f")
    found = own_people(directory, people)
    for name, rows in zip(PARTS, parts(found), strict=True):
        said = [directory.roles[row] or directory.splits[row] for row in rows]
        assert set(said) == {name}
    assert sum(map(len, parts(found))) == len(people.ids)


def test_own_division_needs_people_to_learn_from(tmp_path):
    directory, people = opened(tmp_path / "f")
    with pytest.raises(AttncliError, match="no image is of split 'train'; divide people at random"):
        own_people(replace(directory, splits=("val",) * len(people.ids)), people)
    unknown = replace(people, names=("", *people.names[1:]))
    with pytest.raises(AttncliError, match="does not say whom training image 0001_c1_0 shows"):
        own_people(directory, unknown)


@pytest.mark.parametrize("cameras", [("1", "2"), ("1", "2", "3")])
def test_nobody_is_learnt_from_and_looked_for(tmp_path, cameras):
    _, people = opened(tmp_path / "f", cameras=cameras)
    found = draw_people(people, count=3, share=0.25, seed=1)
    assert [one.number for one in found] == [1, 2, 3]
    for one in found:
        queries, gallery = one.search.queries, one.search.gallery
        assert len(names(people, one.train)) == 2
        assert names(people, queries).isdisjoint(names(people, one.train))
        assert names(people, queries) == names(people, gallery) - {""}
        assert not set(queries.tolist()) & set(gallery.tolist())
    assert len({tuple(one.train.tolist()) for one in found}) > 1


def test_of_two_cameras_one_asks_and_the_other_answers(tmp_path):
    _, people = opened(tmp_path / "f", cameras=("a", "b"))
    (found,) = draw_people(people, count=1, share=0.5, seed=0)
    cameras = np.array(people.cameras)
    assert set(cameras[found.search.queries]) == {"a"}
    assert set(cameras[found.search.gallery]) == {"b"}
    roles = tuple("query" if camera == "b" else "gallery" for camera in people.cameras)
    (other,) = draw_people(replace(people, roles=roles), count=1, share=0.5, seed=0)
    assert set(cameras[other.search.queries]) == {"b"}


def test_a_division_is_the_same_for_any_count(tmp_path):
    _, people = opened(tmp_path / "f")
    few, many = (draw_people(people, count=n, share=0.5, seed=3) for n in (1, 2))
    assert parts(few[0]) == parts(many[0])


def test_images_that_are_queries_together_are_in_no_part(tmp_path):
    _, people = opened(tmp_path / "f", cameras=("1", "2", "3"), per_camera=3)
    roles = ["multi-query" if row % 3 == 2 else role for row, role in enumerate(people.roles)]
    (found,) = draw_people(replace(people, roles=tuple(roles)), count=1, share=0.5, seed=0)
    used = [found.train, found.search.queries, found.search.gallery]
    others = [row for row, role in enumerate(roles) if role != "multi-query"]
    assert sorted(np.concatenate(used)) == others
    assert not len(found.search.together)


def test_divisions_are_read_as_they_were_written(tmp_path):
    _, people = opened(tmp_path / "f")
    found = draw_people(people, count=2, share=0.5, seed=0)
    write_people(tmp_path / "s.csv", found, people)
    again = read_people(tmp_path / "s.csv", people)
    assert [parts(one) for one in again] == [parts(one) for one in found]
    (tmp_path / "s.csv").write_text("split,id,part\n1,nobody,train\n")
    with pytest.raises(AttncliError, match="line 2: does not divide these images"):
        read_people(tmp_path / "s.csv", people)

from pathlib import Path

import numpy as np
import pytest

from attncli.data.samples import ImageSample
from attncli.errors import AttncliError, UsageError
from attncli.evaluation.people import (
    People,
    Search,
    multi_queries,
    people_of_features,
    people_of_samples,
    search_among,
)
from attncli.files.features import open_features
from tests.support.features import make_features, make_people

WHERE = Path("here")


def people(names, cameras=None, roles=None):
    ids = tuple(f"i{n}" for n in range(len(names)))
    cameras = cameras or ["1"] * len(names)
    return People(ids, tuple(names), tuple(cameras), tuple(roles or [""] * len(names)), WHERE)


def test_people_are_numbered_from_1_and_nobody_is_0():
    seen = people(["b", "", "a", "b"], ["c2", "c1", "c2", "c1"]).sightings(np.array([0, 1, 2]))
    assert seen.identities.tolist() == [2, 0, 1]
    assert seen.cameras.tolist() == [1, 0, 1]


def test_features_without_a_subject_are_of_their_class(tmp_path):
    directory = open_features(make_people(tmp_path / "f"))
    found = people_of_features(directory)
    assert found.names == directory.subjects
    assert set(found.roles) == {"", "query", "gallery"}


def test_features_of_no_people_are_refused(tmp_path):
    with pytest.raises(AttncliError, match="does not say which camera took each image"):
        people_of_features(open_features(make_features(tmp_path / "f")))


def test_a_role_that_is_none_is_named(tmp_path):
    path = make_people(tmp_path / "f")
    index = path / "index.csv"
    index.write_text(index.read_text().replace(",query", ",probe", 1))
    with pytest.raises(AttncliError, match=r"index.csv: role of .* must be one of"):
        people_of_features(open_features(path))


def test_samples_may_show_nobody():
    samples = [ImageSample("a", Path("a"), None, subject="7", camera="1", role="query")]
    samples.append(ImageSample("b", Path("b"), None, camera="2", role="gallery"))
    assert people_of_samples(samples, WHERE) == People(
        ("a", "b"), ("7", ""), ("1", "2"), ("query", "gallery"), WHERE
    )


def test_queries_and_gallery_are_as_their_roles_say():
    seen = people(["7", "7", "8"], None, ["query", "gallery", "gallery"])
    found = search_among(seen, np.array([0, 2]))
    assert (found.queries.tolist(), found.gallery.tolist()) == ([0], [2])


def test_without_roles_everybody_known_is_looked_for_among_all():
    found = search_among(people(["7", "", "8"]), np.arange(3))
    assert (found.queries.tolist(), found.gallery.tolist()) == ([0, 2], [0, 1, 2])


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (people(["7"], None, ["gallery"]), "here: holds no query; use images of people"),
        (people(["7"], None, ["query"]), "holds no gallery image"),
        (people(["", ""]), "holds no query"),
        (people(["", "7"], None, ["query", "gallery"]), "query i0 shows an unknown person"),
        (people(["7", "7"], ["1", ""]), "does not say which camera took i1"),
    ],
)
def test_what_cannot_be_searched_is_refused(seen, message):
    with pytest.raises(AttncliError, match=message):
        search_among(seen, np.arange(len(seen.ids)))


def test_queries_of_a_person_by_a_camera_are_one_query_together():
    seen = people(["b", "a", "b", "b", "a"], ["1", "1", "2", "1", "2"])
    several = multi_queries(seen, Search(np.array([0, 1, 2, 3]), np.array([4])))
    assert [rows.tolist() for rows in several.groups] == [[1], [0, 3], [2]]
    assert several.search.queries.tolist() == [1, 0, 2]
    assert several.search.gallery.tolist() == [4]


def test_images_of_that_role_are_asked_in_the_place_of_queries():
    roles = ["query", "query", "gallery", *["multi-query"] * 4]
    seen = people(["a", "b", "a", "b", "a", "a", "a"], ["1", "1", "2", "1", "1", "1", "2"], roles)
    search = search_among(seen, np.arange(7))
    assert search.queries.tolist() == [0, 1]
    several = multi_queries(seen, search)
    assert [rows.tolist() for rows in several.groups] == [[4, 5], [3]]
    assert several.search.queries.tolist() == [0, 1]


def test_single_images_are_no_queries_together():
    seen = people(["a", "b", "a"], ["1", "1", "2"], ["query", "query", "gallery"])
    with pytest.raises(UsageError, match=r"^--multi-query: here has only one image of each query"):
        multi_queries(seen, search_among(seen, np.arange(3)))


def test_a_query_without_images_of_that_role_is_named():
    roles = ["query", "query", "gallery", "multi-query"]
    seen = people(["a", "b", "a", "b"], ["1", "1", "2", "1"], roles)
    with pytest.raises(AttncliError, match="no image is a query together with i0, or none could"):
        multi_queries(seen, search_among(seen, np.arange(4)))

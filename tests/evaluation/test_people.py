from pathlib import Path

import numpy as np
import pytest

from attncli.data.samples import ImageSample
from attncli.errors import AttncliError
from attncli.evaluation.people import (
    People,
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
    with pytest.raises(AttncliError, match="does not say by which camera people are seen"):
        people_of_features(open_features(make_features(tmp_path / "f")))


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
        (people(["7"], None, ["gallery"]), "here: there is no query; use images of people"),
        (people(["7"], None, ["query"]), "there is no gallery image"),
        (people(["", ""]), "there is no query"),
        (people(["", "7"], None, ["query", "gallery"]), "query i0 shows nobody who is known"),
        (people(["7", "7"], ["1", ""]), "does not say which camera took i1"),
    ],
)
def test_what_cannot_be_searched_is_refused(seen, message):
    with pytest.raises(AttncliError, match=message):
        search_among(seen, np.arange(len(seen.ids)))

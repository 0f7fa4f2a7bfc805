from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.evaluation import rankings
from attncli.evaluation.distances import Cosine, unit_rows
from attncli.evaluation.people import People, Search
from attncli.evaluation.rankings import Embedded, find, write_curves, write_lists
from attncli.metrics.ranking import nearest


class Given:
    """Distances that are the gallery's own numbers."""

    def embed(self, features):
        return features

    def between(self, probe, gallery):
        return np.repeat(gallery[:, 0][None].astype(np.float64), len(probe), axis=0)


def worked():
    """Query 7 by camera 1; gallery 3, 7, 7, 7 and nobody by cameras 2, 2, 3, 1, 1."""
    names, cameras = ("7", "3", "7", "7", "7", ""), ("1", "2", "2", "3", "1", "1")
    ids = ("q", *(f"g{n}" for n in range(1, 6)))
    people = People(ids, names, cameras, ("query", *["gallery"] * 5), Path("here"))
    gallery = np.array([[1.0], [2.0], [4.0], [5.0], [6.0]])
    return people, Search(np.array([0]), np.arange(1, 6)), Embedded(np.zeros((1, 1)), gallery)


def test_figures_curve_and_list_of_a_worked_example():
    people, search, embedded = worked()
    found = find(people, search, Given(), embedded, listed=3)
    assert (found.figures.rank1, found.figures.rank5) == (0, 100)
    assert found.figures.map == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert found.figures.map_official == pytest.approx(41.6667, abs=1e-3)
    assert found.curve.tolist() == [0, *[100] * 49]
    assert found.lists == [
        ("q", 1, "g1", "3", "2", 0),
        ("q", 2, "g2", "7", "2", 1),
        ("q", 3, "g3", "7", "3", 1),
    ]
    assert not find(people, search, Given(), embedded, listed=0).lists


def test_blocks_and_the_order_of_the_gallery_make_no_difference(monkeypatch):
    rng = np.random.default_rng(0)
    names = tuple(str(n) for n in rng.integers(0, 4, 30))
    cameras = tuple(str(n) for n in rng.integers(0, 3, 30))
    people = People(tuple(map(str, range(30))), names, cameras, ("",) * 30, Path("here"))
    features = unit_rows(rng.integers(0, 2, (30, 3)).astype(np.float32))  # many ties
    rows = np.arange(30)
    whole = find(people, Search(rows, rows), Cosine(), Embedded(features, features))
    monkeypatch.setattr(rankings, "QUERIES_AT_ONCE", 7)
    mixed = rng.permutation(30)
    other = find(people, Search(rows, mixed), Cosine(), Embedded(features, features[mixed]))
    assert other.figures == whole.figures
    np.testing.assert_array_equal(other.curve, whole.curve)


@pytest.mark.parametrize("listed", [1, 4, 40])
def test_lists_are_the_beginning_of_the_whole_ranking(listed):
    rng = np.random.default_rng(1)
    names = tuple(str(n) for n in rng.integers(0, 3, 30))
    cameras = tuple(str(n) for n in rng.integers(0, 2, 30))
    people = People(tuple(map(str, range(30))), names, cameras, ("",) * 30, Path("here"))
    features = unit_rows(rng.integers(0, 3, (30, 2)).astype(np.float32))
    rows = np.arange(30)
    found = find(people, Search(rows, rows), Cosine(), Embedded(features, features), listed=listed)
    for query in range(30):
        distances = Cosine().between(features[[query]], features)[0]
        seen = people.sightings(rows)
        own = seen.identities[query], seen.cameras[query]
        expected = nearest(distances, *map(int, own), seen, count=listed)
        told = [line[2] for line in found.lists if line[0] == str(query)]
        assert told == [str(row) for row in expected]


def test_queries_without_a_match_count_for_nothing_or_0():
    people, search, embedded = worked()
    both = Search(np.array([0, 1]), search.gallery)
    queries = Embedded(np.zeros((2, 1)), embedded.gallery)
    skipped = find(people, both, Given(), queries).figures
    zero = find(people, both, Given(), queries, unmatched="zero").figures
    assert (skipped.rank5, zero.rank5) == (100, 50)
    assert (zero.queries, zero.queries_without_match) == (2, 1)


def test_one_camera_alone_is_refused_with_the_reason():
    people, search, embedded = worked()
    alone = People(people.ids, people.names, ("1",) * 6, people.roles, people.where)
    with pytest.raises(AttncliError, match="here: all images are of one camera"):
        find(alone, search, Given(), embedded)


def test_files_are_a_line_a_rank(tmp_path):
    people, search, embedded = worked()
    found = find(people, search, Given(), embedded, listed=1)
    write_lists(tmp_path, ("fc", "I"), found.lists)
    write_curves(tmp_path, {("fc", "I"): found.curve[:2]})
    assert (tmp_path / "rankings" / "I" / "fc.csv").read_text().splitlines() == [
        "query,rank,id,identity,camera,right",
        "q,1,g1,3,2,0",
    ]
    lines = (tmp_path / "cmc.csv").read_text().splitlines()
    assert lines == ["layer,source,rank,percent", "fc,I,1,0.0", "fc,I,2,100.0"]

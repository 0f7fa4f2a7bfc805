import csv

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent
from attncli.workflows.visualize import ranked_lists
from tests.support.people import make_people_images, write_rankings

KEY = ("all", "I")
LINES = [
    ("query/7", 1, "gallery/8", "8", "2", 0),
    ("query/7", 2, "gallery/7", "7", "2", 1),
    ("query/8", 1, "gallery/8", "8", "2", 1),
    ("query/8", 2, "gallery/7", "7", "2", 0),
]


@pytest.fixture
def data(tmp_path):
    return make_people_images(tmp_path / "people")


@pytest.fixture
def run(tmp_path):
    def make(name="xqda", lines=LINES, key=KEY):
        return write_rankings(
            tmp_path / name, {key: lines, ("conv4", "I"): lines}, {("conv4", "I"): [9], key: [50]}
        )

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return the lists that were drawn."""
    calls = []
    draw = ranked_lists.draw_ranked_lists

    def record(lists, **looks):
        calls.append(lists)
        return draw(lists, **looks)

    monkeypatch.setattr(ranked_lists, "draw_ranked_lists", record)
    return calls


@pytest.fixture
def draw(tmp_path, data):
    def draw(*runs, dry_run=False, **options):
        out = tmp_path / "out" / "a.png"
        usual = {"data": data, "order": None if "ids" in options else "first"}
        config = VisualizeConfig(out=out, dpi=50, **{**usual, **options})
        looks = {"dry_run": dry_run, "overwrite": True, "reporter": Silent()}
        return ranked_lists.draw(config, list(runs), **looks)

    return draw


def test_lists_are_of_the_best_feature_with_pictures_by_their_ids(run, draw, drawn, tmp_path):
    path = run()
    outcome = draw(path)
    ((first, second),) = drawn
    assert (first.query, first.identity, first.camera, first.name) == ("query/7", "7", "1", "")
    assert [found.is_right for found in first.found] == [False, True]
    assert [found.camera for found in second.found] == ["2", "2"]
    assert np.unique(first.picture) == 60
    assert np.unique(first.found[0].picture) == 120
    assert outcome.rows[1] == {
        "run": str(path),
        "layer": "all",
        "source": "I",
        "query": "query/7",
        "rank": 2,
        "id": "gallery/7",
        "identity": "7",
        "camera": "2",
        "right": True,
    }
    with (tmp_path / "out" / "a.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


def test_only_the_nearest_ten_are_shown(run, draw, drawn):
    draw(run(lines=[("query/7", n, "gallery/8", "8", "2", 0) for n in range(1, 21)]))
    assert len(drawn[0][0].found) == 10


def test_lists_of_several_features_stand_below_each_other(run, draw, drawn):
    draw(run("a"), run("b"), clips=1)
    draw(run("c"), layers=("conv4", "all"), ids=("query/8",))
    shown = [[(one.name, one.query) for one in lists] for lists in drawn]
    assert shown[0] == [("a", "query/7"), ("b", "query/7")]
    assert shown[1] == [("conv4", "query/8"), ("all", "query/8")]


def test_queries_are_chosen_by_person_and_by_id(run, draw, drawn):
    path = run()
    draw(path, classes=("8",))
    assert [one.query for one in drawn[0]] == ["query/8"]
    with pytest.raises(UsageError, match="--class: no such name: 'nobody'"):
        draw(path, classes=("nobody",))
    with pytest.raises(UsageError, match="--id: no such name: 'query/9'"):
        draw(path, ids=("query/9",))


def test_a_random_choice_is_the_same_for_the_same_seed(run, draw):
    path = run()
    chosen = [draw(path, order=None, clips=1, seed=s, dry_run=True).rows[0] for s in range(9)]
    again = [draw(path, order=None, clips=1, seed=s, dry_run=True).rows[0] for s in range(9)]
    assert chosen == again
    assert {row["query"] for row in chosen} == {"query/7", "query/8"}


def test_a_query_that_another_run_was_not_asked_for_is_named(run, draw):
    with pytest.raises(AttncliError, match="has no list of query query/8; draw runs of the same"):
        draw(run("a"), run("b", LINES[:2]))


def test_images_of_another_dataset_are_refused(run, draw, tmp_path):
    other = make_people_images(tmp_path / "others", ["1"])
    with pytest.raises(AttncliError, match="no such image: 'query/7'; give the dataset"):
        draw(run(), data=other)


def test_an_image_that_cannot_be_read_leaves_its_query_out(run, draw, drawn, data):
    (data / "query_7.png").write_bytes(b"none")
    outcome = draw(run())
    assert [one.query for one in drawn[0]] == ["query/8"]
    assert [failure.id for failure in outcome.failures] == ["query/7"]
    assert {row["query"] for row in outcome.rows} == {"query/8"}


def test_a_dry_run_writes_nothing(run, draw, tmp_path):
    assert len(draw(run(), dry_run=True).rows) == 4
    assert not (tmp_path / "out").exists()

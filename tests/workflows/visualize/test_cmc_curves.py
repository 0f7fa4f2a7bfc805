import csv

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.reporting import Silent
from attncli.workflows.visualize import cmc_curves
from tests.support.people import write_rankings

CURVES = {("conv4", "I"): np.linspace(10, 100, 30), ("all", "I"): np.linspace(40, 100, 30)}


@pytest.fixture
def run(tmp_path):
    def make(name="xqda", curves=CURVES):
        return write_rankings(tmp_path / name, {}, curves)

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return the curves that were drawn."""
    calls = []
    draw = cmc_curves.draw_cmc_curves

    def record(curves, **looks):
        calls.append(curves)
        return draw(curves, **looks)

    monkeypatch.setattr(cmc_curves, "draw_cmc_curves", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(*runs, dry_run=False, **options):
        config = VisualizeConfig(out=tmp_path / "out" / "a.png", dpi=50, show="cmc", **options)
        return cmc_curves.draw(
            config, list(runs), dry_run=dry_run, overwrite=True, reporter=Silent()
        )

    return draw


def test_all_features_are_drawn_up_to_rank_20(run, draw, drawn, tmp_path):
    path = run()
    rows = draw(path).rows
    ((first, second),) = drawn
    np.testing.assert_array_equal(first.ranks, np.arange(1, 21))
    np.testing.assert_allclose(first.percent, CURVES["conv4", "I"][:20])
    assert (first.name, second.name) == ("conv4", "all")
    assert rows[0]["rank1"] == 10
    assert rows[1] == {
        "run": str(path),
        "layer": "all",
        "source": "I",
        "rank1": 40.0,
        "rank5": pytest.approx(CURVES["all", "I"][4]),
        "rank10": pytest.approx(CURVES["all", "I"][9]),
    }
    with (tmp_path / "out" / "a.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 40


def test_curves_are_called_by_what_they_differ_in(run, draw, drawn):
    draw(run("a"), run("b"), layers=("all",), names=("XQDA", "average"))
    draw(run("c"), layers=("all",))
    draw(run("d"), run("e"))
    names = [[curve.name for curve in curves] for curves in drawn]
    assert names == [["XQDA", "average"], ["c"], ["d conv4", "d all", "e conv4", "e all"]]


def test_a_gallery_shorter_than_the_ranks_ends_early(run, draw, drawn):
    (row,) = draw(run(curves={("all", "I"): [50, 100]})).rows
    assert len(drawn[0][0].ranks) == 2
    assert row["rank5"] is None


@pytest.mark.parametrize("percents", [[50, 40], [float("nan"), 50], [50, 101], [-1, 5]])
def test_a_curve_that_cannot_be_is_refused(run, draw, percents):
    with pytest.raises(AttncliError, match="the curve of all of I does not rise from 0 towards"):
        draw(run(curves={("all", "I"): percents}))


@pytest.mark.parametrize("option", [{"clips": 2}, {"ids": ("a",)}, {"classes": ("7",)}])
def test_options_about_queries_are_refused(run, draw, option):
    with pytest.raises(UsageError, match="is about single queries; leave it out, or choose --show"):
        draw(run(), **option)


def test_a_dry_run_writes_nothing(run, draw, tmp_path):
    assert len(draw(run(), dry_run=True).rows) == 2
    assert not (tmp_path / "out").exists()

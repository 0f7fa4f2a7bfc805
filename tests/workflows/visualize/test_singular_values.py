import csv

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError
from attncli.files.features import open_features
from attncli.reporting import Silent
from attncli.workflows.visualize import singular_values
from tests.support.features import make_features


def draw(path, out, **call):
    config = VisualizeConfig(out=out, dpi=50)
    return singular_values.draw(config, [path], reporter=Silent(), **call)


@pytest.fixture
def path(tmp_path):
    return make_features(tmp_path / "f", sources=("I", "P"), dim=10)


def test_a_row_a_source_says_what_few_dimensions_hold(path, tmp_path):
    rows = draw(path, tmp_path / "sv.png").rows
    assert [row["source"] for row in rows] == ["I", "P"]
    for row in rows:
        values = open_features(path).bases()[row["source"], "singular_values"]
        assert row["singular_values"] == 10
        for power, name in ((1, ""), (2, "_squared")):
            powers = values**power
            half = 100 * powers[:5].sum() / powers.sum()
            assert row[f"half_holds{name}_percent"] == pytest.approx(half)
            # The first place where they hold 80 %, counted one after the other.
            first = next(n for n in range(1, 11) if powers[:n].sum() >= 0.8 * powers.sum())
            assert row[f"dimensions_80{name}_percent"] == pytest.approx(10 * first)


def test_the_table_has_every_singular_value(path, tmp_path):
    draw(path, tmp_path / "sv.png")
    with (tmp_path / "sv.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["number"] for line in lines] == [str(n) for n in range(1, 11)] * 2
    assert float(lines[9]["cumulated"]) == pytest.approx(1)
    assert (tmp_path / "sv.png").stat().st_size > 1000


def test_a_dry_run_writes_nothing(path, tmp_path):
    assert len(draw(path, tmp_path / "sv.png", dry_run=True).rows) == 2
    assert not list(tmp_path.glob("sv*"))


def test_features_without_singular_values_are_refused(path, tmp_path):
    (path / "basis.npz").unlink()
    with pytest.raises(AttncliError, match="holds no singular values; extract svd-fc"):
        draw(path, tmp_path / "sv.png")


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.0, 0.0], [1.0, np.nan], [1.0, -1.0]])
def test_values_that_cannot_be_are_refused(tmp_path, values):
    path = make_features(tmp_path / "f")
    np.savez(path / "basis.npz", **{"I/singular_values": np.array(values)})
    with pytest.raises(AttncliError, match="singular values of I do not fall"):
        draw(path, tmp_path / "sv.png")

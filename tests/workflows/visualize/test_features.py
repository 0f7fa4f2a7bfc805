from functools import partial

import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import UsageError
from attncli.reporting import Outcome, Silent
from attncli.workflows.visualize import accuracies, feature_maps, features, singular_values
from attncli.workflows.visualize.kinds import draw as draw_any
from tests.support.features import make_features


@pytest.fixture
def drawn(monkeypatch):
    """Return the names of the figures that were drawn."""
    calls = []

    def record(called, *_, **__):
        calls.append(called)
        return Outcome()

    for module, name in [
        (accuracies, "draw_table"),
        (accuracies, "draw_combinations"),
        (singular_values, "draw"),
        (feature_maps, "draw"),
    ]:
        called = f"{module.__name__.rpartition('.')[2]}.{name}"
        monkeypatch.setattr(module, name, partial(record, called))
    return calls


def draw(*paths, **options):
    return features.draw(VisualizeConfig(**options), list(paths), reporter=Silent())


def test_runs_are_drawn_as_a_table_or_as_what_is_asked_for(drawn, tmp_path):
    draw(tmp_path / "run")
    draw(tmp_path / "run", show="combinations")
    assert drawn == ["accuracies.draw_table", "accuracies.draw_combinations"]


def test_features_are_drawn_as_maps_where_they_have_some_and_else_as_singular_values(
    drawn, tmp_path
):
    maps = make_features(tmp_path / "maps", layers=("conv5", "cam"), pool="none")
    conv = make_features(tmp_path / "conv", layers=("conv5",), pool="none")
    pooled = make_features(tmp_path / "pooled", layers=("cam", "fc"))
    for path in (maps, conv, pooled):
        draw(path)
    draw(maps, show="singular-values")
    draw(maps, show="mean-maps")
    values = "singular_values.draw"
    assert drawn == ["feature_maps.draw", values, values, values, "feature_maps.draw"]


def test_any_figure_of_features_is_found_from_the_command(drawn, tmp_path):
    path = make_features(tmp_path / "f")
    draw_any(VisualizeConfig(), [path], reporter=Silent())
    draw_any(VisualizeConfig(show="table"), [tmp_path / "run"], reporter=Silent())
    assert drawn == ["singular_values.draw", "accuracies.draw_table"]


def test_a_figure_of_another_kind_is_refused(tmp_path):
    path = make_features(tmp_path / "f")
    with pytest.raises(UsageError, match="--show table: is not of feature directories; choose sin"):
        draw(path, show="table")
    with pytest.raises(UsageError, match="--show maps: is not of runs; choose table or comb"):
        draw(tmp_path / "run", show="maps")
    with pytest.raises(UsageError, match="a figure shows one feature directory"):
        draw(path, path)


def test_options_about_videos_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--range: is about attention in videos; leave it out"):
        draw(tmp_path / "run", value_range="clip")

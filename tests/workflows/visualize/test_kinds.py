from pathlib import Path

import numpy as np
import pytest

from attncli.config.toml import dump
from attncli.config.visualize import VisualizeConfig
from attncli.errors import UsageError
from attncli.files.attention import ClipRecord
from attncli.files.seeds import write_description
from attncli.reporting import Outcome, Silent
from attncli.visualization.page.lettering import text_scale
from attncli.workflows.visualize import (
    classes,
    clips,
    curves,
    faces,
    features,
    identities,
    label_maps,
    position_maps,
    score_maps,
)
from attncli.workflows.visualize.kinds import draw, kind_of
from tests.support.features import make_features
from tests.support.runs import begin_run, write_attention
from tests.support.settings import tiny

PLAIN = VisualizeConfig()


@pytest.fixture
def abn(tmp_path):
    return begin_run(tmp_path / "abn", "abn", tmp_path)


@pytest.fixture
def ram(tmp_path):
    return begin_run(tmp_path / "ram", "convlstm-ram", tmp_path)


def test_runs_of_methods_that_are_drawn_alike_get_their_figure(abn, ram):
    assert kind_of(PLAIN, [ram, ram]) is faces.draw
    assert kind_of(PLAIN, [abn]) is clips.draw


def test_runs_that_are_drawn_in_different_ways_are_drawn_along_their_time(abn, ram):
    assert kind_of(PLAIN, [ram, abn]) is clips.draw


def test_attention_of_any_origin_is_drawn_along_its_time(ram, tmp_path):
    assert kind_of(PLAIN, [ram, tmp_path / "none"]) is clips.draw


@pytest.mark.parametrize(
    "config",
    [
        VisualizeConfig(clips=2),
        VisualizeConfig(ids=("S005/001",)),
        VisualizeConfig(order="first"),
        VisualizeConfig(masks=Path("m")),
        VisualizeConfig(edits=Path("e")),
        VisualizeConfig(out=Path("clip.mp4")),
        VisualizeConfig(format="mp4"),
    ],
)
def test_clips_of_faces_are_drawn_along_their_time_where_they_are_asked_for(
    ram, config, monkeypatch
):
    drawn = Outcome(rows=[{"id": "along its time"}])
    monkeypatch.setattr(clips, "draw", lambda *_, **__: drawn)
    assert kind_of(config, [ram])(config, [ram], reporter=Silent()) is drawn


def test_the_apex_of_any_runs_is_drawn_where_it_is_asked_for(abn):
    assert kind_of(VisualizeConfig(apex=True, ids=("S005/001",)), [abn]) is faces.draw


def test_runs_of_several_seeds_are_drawn_one_by_one_but_as_one_curve(abn, tmp_path, monkeypatch):
    several = tmp_path / "several"
    seeds = [begin_run(several / f"seed{n}", "abn", tmp_path, seed=n) for n in (0, 1)]
    text = dump(tiny("abn", data=tmp_path), method="abn", several=2)
    (several / "config.toml").write_text(text)
    drawn = []

    def note(_, runs, **__):
        drawn.append(runs)
        return Outcome()

    for kind in (clips, curves):
        monkeypatch.setattr(kind, "draw", note)
    draw(PLAIN, [several, abn], reporter=Silent())
    draw(VisualizeConfig(curves=True), [several, abn], reporter=Silent())
    assert drawn == [[*seeds, abn], [several, abn]]


def evaluate(run, **temporal):
    record = ClipRecord(0, "v0", "A", "A", (0, 1), (0.0, 0.0, 8.0, 8.0), False)
    write_attention(run, [record], spatial=np.ones((1, 2, 3, 3), np.float32), **temporal)


def test_classes_of_runs_without_temporal_attention_are_mean_maps(ram):
    evaluate(ram)
    assert kind_of(VisualizeConfig(by_class=True, data=Path("d")), [ram]) is faces.draw_class_means


def test_classes_of_runs_with_temporal_attention_are_curves_of_no_videos(abn, ram):
    evaluate(ram)
    evaluate(abn, temporal=np.ones((1, 2), np.float32))
    assert kind_of(VisualizeConfig(by_class=True), [ram, abn]) is classes.draw
    with pytest.raises(UsageError, match="--data: is about single clips; omit --by-class"):
        kind_of(VisualizeConfig(by_class=True, data=Path("d")), [ram, abn])


def test_seeds_are_drawn_as_label_maps(abn, tmp_path):
    seeds = tmp_path / "seeds"
    write_description(seeds, stage="psa", parameters={}, classes=("A",), ids=(), parents={})
    assert kind_of(PLAIN, [seeds]) is label_maps.draw
    assert kind_of(PLAIN, [abn, seeds]) is label_maps.draw
    assert kind_of(VisualizeConfig(contact_sheet=True), [abn]) is label_maps.draw
    assert kind_of(VisualizeConfig(errors=True), [abn]) is label_maps.draw


def test_runs_that_tell_classes_of_pixels_are_drawn_so_with_and_without_cams(tmp_path):
    cam = begin_run(tmp_path / "cam", "cam", tmp_path)
    segmenter = begin_run(tmp_path / "seg", "segmentation", tmp_path, seeds=tmp_path)
    assert kind_of(PLAIN, [cam]) is score_maps.draw
    assert kind_of(PLAIN, [segmenter]) is label_maps.draw
    assert kind_of(PLAIN, [cam, segmenter]) is label_maps.draw


def test_features_and_what_is_asked_for_of_them_are_drawn_so(abn, tmp_path):
    path = make_features(tmp_path / "feats")
    assert kind_of(PLAIN, [path]) is features.draw
    assert kind_of(VisualizeConfig(show="table"), [abn]) is features.draw


def test_figures_of_people_are_drawn_where_they_are_asked_for_whatever_of(abn, tmp_path):
    path = make_features(tmp_path / "f")
    for show in ("ranked-lists", "cmc"):
        assert kind_of(VisualizeConfig(show=show), [abn, path]) is identities.draw
    assert kind_of(VisualizeConfig(show="position-maps"), [path]) is position_maps.draw


def test_layers_are_named_of_peoples_features_alone(abn):
    with pytest.raises(UsageError, match="--layer: is about people's features; leave it out"):
        draw(VisualizeConfig(layers=("conv5",)), [abn], reporter=Silent())


def test_a_figure_has_text_of_the_size_asked_for(abn, monkeypatch):
    scales = []

    def drawing(*_, **__):
        scales.append(text_scale())
        return Outcome()

    monkeypatch.setattr("attncli.workflows.visualize.kinds.kind_of", lambda *_: drawing)
    draw(VisualizeConfig(font_size=13.0), [abn], reporter=Silent())
    draw(PLAIN, [abn], reporter=Silent())
    assert scales == [2, 1]


def test_curves_of_any_runs_are_drawn_where_they_are_asked_for(abn, ram):
    assert kind_of(VisualizeConfig(curves=True), [abn, ram]) is curves.draw

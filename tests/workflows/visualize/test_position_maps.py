import csv
from types import SimpleNamespace

import numpy as np
import pytest

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import open_features
from attncli.files.fits import Fit, join_fits, write_fit
from attncli.files.runs import RunDirectory
from attncli.reporting import Silent
from attncli.workflows.visualize import position_maps
from tests.support.people import SIZE_HW, make_people_images, make_people_maps

TRAIN = ("train/7_1", "train/7_2", "train/8_1", "train/8_2")
RATIOS = np.array([3.0, 2.0])


def maps(n_cameras=2, n_maps=2, places=2):
    return np.arange(1.0, 1 + n_cameras * n_maps * places).reshape(n_cameras, n_maps, places)


@pytest.fixture
def features(tmp_path):
    def make(name="maps", **about):
        seen = about or {"whole_hw": list(SIZE_HW)}
        data = tmp_path / "people"
        if not data.exists():
            make_people_images(data)
        return make_people_maps(tmp_path / name, data, ids=TRAIN, **seen)

    return make


@pytest.fixture
def run(tmp_path, features, monkeypatch):
    """Return what writes the position maps of a run."""
    path = tmp_path / "dpcf"
    path.mkdir()

    def make(state=None, *, cameras="1,2", method="c-dpcf", data=None):
        state = {"maps": maps(), "ratios": RATIOS} if state is None else state
        config = SimpleNamespace(data=data or features())
        # What is drawn is read from weights and features alone.
        opened = SimpleNamespace(method=method, config=config, directory=RunDirectory(path))
        monkeypatch.setattr(position_maps, "load", lambda _: opened)
        fit = Fit(0, "conv5", "I", 4, 3, {"cameras": cameras})
        part = tmp_path / "part.safetensors"
        write_fit(part, fit, state, {"method": "c-dpcf"})
        join_fits(path / "model.safetensors", [part])
        return path

    return make


@pytest.fixture
def drawn(monkeypatch):
    """Return the cameras and maps that were drawn."""
    calls = []
    draw = position_maps.draw_position_maps

    def record(people, shown, **looks):
        calls.append((people, shown))
        return draw(people, shown, **looks)

    monkeypatch.setattr(position_maps, "draw_position_maps", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(*runs, dry_run=False, reporter=None, **options):
        config = VisualizeConfig(out=tmp_path / "out" / "a.png", dpi=50, **options)
        looks = {"dry_run": dry_run, "overwrite": True, "reporter": reporter or Silent()}
        return position_maps.draw(config, list(runs), **looks)

    return draw


def test_maps_of_each_camera_are_drawn_over_the_mean_of_its_training_images(
    run, draw, drawn, tmp_path
):
    rows = draw(run()).rows
    ((people, shown),) = drawn
    assert [(one.name, one.images) for one in people] == [("camera 1", 2), ("camera 2", 2)]
    assert [np.unique(one.mean).tolist() for one in people] == [[60], [120]]
    assert [one.facts for one in shown] == [("map 1", "ratio 3"), ("map 2", "ratio 2")]
    np.testing.assert_array_equal(shown[1].weights, [[[3], [4]], [[7], [8]]])
    assert [(row["map"], row["camera"]) for row in rows] == [(1, "1"), (1, "2"), (2, "1"), (2, "2")]
    assert (rows[1]["least"], rows[1]["greatest"], rows[1]["ratio"]) == (5, 6, 3)
    with (tmp_path / "out" / "a.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


def test_maps_that_cameras_share_are_drawn_over_the_mean_of_all(run, draw, drawn):
    rows = draw(run({"maps": maps(1), "ratios": RATIOS}, cameras="")).rows
    ((people, _),) = drawn
    assert [(one.name, one.images) for one in people] == [("all cameras", 4)]
    assert np.unique(people[0].mean) == 90
    assert {row["camera"] for row in rows} == {"all cameras"}


def test_a_network_that_sees_the_middle_of_images_has_the_mean_of_that(run, draw, drawn, features):
    seen = {"resize_px": 8, "crop_px": 6, "interpolation": "bilinear"}
    draw(run(data=features("cut", **seen)))
    assert drawn[0][0][0].mean.shape == (6, 6, 3)


def test_maps_beyond_those_there_is_room_for_are_left_out_and_counted(run, draw, drawn):
    notes = []
    reporter = Silent()
    reporter.note = notes.append
    draw(run({"maps": maps(n_maps=12), "ratios": np.ones(12)}), reporter=reporter)
    assert len(drawn[0][1]) == position_maps.MOST_MAPS
    assert notes[0] == "3 maps of lower ratios are not shown; name layers with --layer"


def test_layers_of_several_sources_are_called_by_these_too(features):
    opened = open_features(features())
    layers = [
        position_maps._Layer(source, "conv5", np.ones((1, 1, 2, 1)), (1.0,), ())
        for source in ("I", "P")
    ]
    shown = [position_maps._Shown(opened.path, opened, tuple(layers[:n]), 1) for n in (1, 2)]
    titles = [[one.title for one in all_of.maps] for all_of in shown]
    assert titles == [["conv5"], ["I conv5", "P conv5"]]


def test_a_run_without_position_maps_says_so(run, draw):
    with pytest.raises(AttncliError, match="pools without position maps; train it with --pooling"):
        draw(run({}))
    with pytest.raises(AttncliError, match="a run of xqda has no position maps; name a run of c-"):
        draw(run(method="xqda"))


def test_maps_of_other_places_than_those_of_the_features_are_refused(run, draw):
    state = {"maps": maps(places=6), "ratios": RATIOS}
    with pytest.raises(AttncliError, match="has weights of 6 places of conv5, but that has 2x1"):
        draw(run(state))


def test_a_camera_without_training_images_is_named(run, draw):
    with pytest.raises(AttncliError, match="holds no training image of camera 5; name its"):
        draw(run(cameras="1,5"))


def test_an_image_that_cannot_be_read_is_left_out_of_the_mean(run, draw, drawn, tmp_path):
    path = run()
    (tmp_path / "people" / "train_7_1.png").write_bytes(b"none")
    outcome = draw(path)
    assert [failure.id for failure in outcome.failures] == ["train/7_1"]
    assert [one.images for one in drawn[0][0]] == [1, 2]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"clips": 2}, "--clips: is about single images, not their mean"),
        ({"classes": ("7",)}, "--class: is about single images"),
        ({"value_range": "clip"}, "--range: is about attention in videos"),
        ({"layers": ("conv1",)}, "--layer: no such name: 'conv1' in the runs"),
    ],
)
def test_options_that_mean_nothing_here_are_refused(run, draw, option, message):
    with pytest.raises(UsageError, match=message):
        draw(run(), **option)


def test_a_figure_shows_one_run(run, draw):
    path = run()
    with pytest.raises(UsageError, match="--show position-maps: shows one run; name one"):
        draw(path, path)


def test_a_dry_run_writes_nothing(run, draw, tmp_path):
    assert len(draw(run(), dry_run=True).rows) == 4
    assert not (tmp_path / "out").exists()

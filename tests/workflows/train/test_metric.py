import csv

import numpy as np
import pytest

from attncli import catalog
from attncli.config.evaluate import EvaluateCall
from attncli.errors import AttncliError, UsageError
from attncli.files.fits import open_fits
from attncli.reporting import Silent
from attncli.workflows.evaluate.directories import evaluate
from attncli.workflows.train import metric
from attncli.workflows.train.metric import train
from tests.support.features import make_people
from tests.support.reporters import Told


@pytest.fixture
def features(tmp_path):
    return make_people(tmp_path / "f", n_people=12, sources=("I", "P"), noise=0.5)


def learn(features, out, method="xqda", *, reporter=None, **settings):
    ways = {name: settings.pop(name, False) for name in ("resume", "overwrite", "dry_run")}
    config = catalog.load(catalog.method(method).config)(data=features, **settings)
    return train(method, config, out=out, **ways, reporter=reporter or Silent())


@pytest.mark.parametrize("method", ["xqda", "kernel-xqda"])
def test_a_run_holds_its_fits_and_ends_with_its_evaluation(features, tmp_path, method):
    outcome = learn(features, tmp_path / "r", method)
    assert [(row["layer"], row["source"]) for row in outcome.rows] == [("fc", "I"), ("fc", "P")]
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names >= {"config.toml", "environment.json", "fits.csv", "model.safetensors", "eval"}
    assert not names & {"fits", "splits.csv"}
    with (tmp_path / "r" / "fits.csv").open() as file:
        (first, _) = csv.DictReader(file)
    assert (first["layer"], first["n_train"], first["n_dims"]) == ("fc", "24", "8")
    assert int(first["directions"]) >= 1


def test_a_learnt_distance_finds_people_that_a_camera_hides(tmp_path):
    # The camera's shift is as large as people are apart: cosines find the camera.
    features = make_people(tmp_path / "f", n_people=40, dim=12, noise=0.3, seed=2)
    array = np.load(features / "I" / "fc.npy")
    index = (features / "index.csv").read_text().splitlines()[1:]
    array[[line.split(",")[4] == "1" for line in index], :4] += 4
    np.save(features / "I" / "fc.npy", array)
    (mine,) = learn(features, tmp_path / "r").rows
    (plain,) = evaluate(EvaluateCall(runs=(features,)), reporter=Silent()).rows
    assert mine["rank1"] > plain["rank1"] + 20


def test_all_layers_together_are_taken_where_they_are_there(tmp_path):
    features = make_people(tmp_path / "f", layers=("conv5", "all"))
    assert [row["layer"] for row in learn(features, tmp_path / "r").rows] == ["all"]
    rows = learn(features, tmp_path / "s", layers=("conv5",)).rows
    assert [row["layer"] for row in rows] == ["conv5"]


def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(features, tmp_path, monkeypatch):
    learn(features, tmp_path / "whole", splits=2)
    done, keep = [], metric.write_fit

    def interrupted(path, *rest):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(path)
        keep(path, *rest)

    monkeypatch.setattr(metric, "write_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learn(features, tmp_path / "r", splits=2)
    again = []
    monkeypatch.setattr(metric, "write_fit", lambda path, *rest: again.append(keep(path, *rest)))
    learn(features, tmp_path / "r", splits=2, resume=True)
    assert len(again) == 1
    for name in ("model.safetensors", "fits.csv", "splits.csv", "eval/val/results.csv"):
        assert (tmp_path / "r" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_complete_run_is_evaluated_and_not_learnt_again(features, tmp_path):
    learn(features, tmp_path / "r")
    before = (tmp_path / "r" / "model.safetensors").stat().st_mtime_ns
    told = Told()
    assert learn(features, tmp_path / "r", resume=True, reporter=told).rows
    assert (tmp_path / "r" / "model.safetensors").stat().st_mtime_ns == before
    assert any("all distances are learnt" in note for note in told.notes)


def test_other_settings_and_other_features_are_refused_on_the_way(features, tmp_path):
    learn(features, tmp_path / "r")
    with pytest.raises(UsageError, match="begun with other settings: --projection"):
        learn(features, tmp_path / "r", projection=True, resume=True)
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="was fitted to other features"):
        learn(features, tmp_path / "r", resume=True)
    assert learn(features, tmp_path / "r", overwrite=True).rows


def test_views_of_more_cameras_follow_from_the_seed(tmp_path):
    features = make_people(tmp_path / "f", cameras=("a", "b", "c"))
    weights = []
    for name, seed in (("r", 0), ("same", 0), ("other", 1)):
        learn(features, tmp_path / name, seed=seed)
        fits = open_fits(tmp_path / name / "model.safetensors")
        weights.append(fits.state(fits.fits[0])["singular_values"])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.allclose(weights[0], weights[2])


def test_random_divisions_of_features_that_a_run_learnt_are_told(features, tmp_path):
    run = tmp_path / "dpcf"
    run.mkdir()
    (run / "config.toml").write_text('method = "c-dpcf"\n')
    features.rename(run / "features")
    told = Told()
    learn(run, tmp_path / "own", reporter=told)
    assert told.warnings == []
    learn(run, tmp_path / "r", splits=2, reporter=told)
    assert any("learnt its features from people whom random" in text for text in told.warnings)


def test_a_dry_run_says_how_much_memory_a_fit_takes(features, tmp_path):
    rows = learn(features, tmp_path / "r", splits=3, dry_run=True).rows
    (plan,) = rows
    assert (plan["features"], plan["fits"], plan["train_images"]) == (2, 6, 24)
    assert 0 < plan["fit_memory_gib"] < 1
    assert not (tmp_path / "r").exists()


def test_a_dry_run_refuses_what_learning_would(features, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(metric, "join_fits", _stop)
        learn(features, tmp_path / "r", splits=2)
    kept = sorted((tmp_path / "r" / "fits").iterdir())
    kept[0].unlink()
    ways = {"splits": 2, "dry_run": True}
    with pytest.raises(AttncliError, match="exists already"):
        learn(features, tmp_path / "r", **ways)
    with pytest.raises(UsageError, match="begun with other settings: --seed"):
        learn(features, tmp_path / "r", **ways, seed=1, resume=True)
    (plan,) = learn(features, tmp_path / "r", **ways, resume=True).rows
    assert (plan["fits"], plan["finished"]) == (len(kept), len(kept) - 1)
    (plan,) = learn(features, tmp_path / "r", **ways, overwrite=True).rows
    assert "finished" not in plan
    assert sorted((tmp_path / "r" / "fits").iterdir()) == kept[1:]
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="was fitted to other features"):
        learn(features, tmp_path / "r", **ways, resume=True)


def test_a_dry_run_counts_all_fits_of_a_complete_run(features, tmp_path):
    learn(features, tmp_path / "r")
    (plan,) = learn(features, tmp_path / "r", resume=True, dry_run=True).rows
    assert plan["finished"] == plan["fits"] > 0


def _stop(*_, **__):
    raise KeyboardInterrupt


def test_a_fit_that_does_not_go_into_memory_is_refused_before_it_begins(
    features, tmp_path, monkeypatch
):
    monkeypatch.setattr(metric, "free_memory_bytes", lambda: 1000)
    with pytest.raises(AttncliError, match=r"a fit takes about .* GiB of memory"):
        learn(features, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_people_of_one_camera_teach_nothing(tmp_path):
    features = make_people(tmp_path / "f", cameras=("1", "2"))
    index = features / "index.csv"
    text = index.read_text().splitlines()
    index.write_text("\n".join(line.replace(",2,", ",1,") for line in text) + "\n")
    with pytest.raises(AttncliError, match="all images to learn from are of camera 1"):
        learn(features, tmp_path / "r")
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "fc of I holds a number that is not finite for image"),
        (1.0, "fc of I, split 0: all images have the same features"),
    ],
)
def test_features_that_say_nothing_are_refused(features, tmp_path, value, message):
    array = np.load(features / "I" / "fc.npy")
    np.save(features / "I" / "fc.npy", np.full_like(array, value))
    with pytest.raises(AttncliError, match=message):
        learn(features, tmp_path / "r")


def test_features_that_are_not_finite_are_named_before_a_run_is_begun(features, tmp_path):
    array = np.load(features / "I" / "fc.npy")
    array[3, 1] = np.nan
    np.save(features / "I" / "fc.npy", array)
    with pytest.raises(AttncliError, match="fc of I holds a number that is not finite for image"):
        learn(features, tmp_path / "r")
    assert not (tmp_path / "r").exists()

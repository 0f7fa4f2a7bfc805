import csv
import json

import numpy as np
import pytest

from attncli.config.linear_svm import LinearSvmConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.fits import open_fits
from attncli.reporting import Silent
from attncli.workflows.train import estimator, fitting
from attncli.workflows.train.estimator import train
from tests.support.features import make_features
from tests.support.reporters import Told
from tests.support.seeds import contents


@pytest.fixture
def features(tmp_path):
    return make_features(tmp_path / "f", sources=("I", "P"), n_train=30, n_val=15, noise=2.0)


def fit(features, out, *, resume=False, overwrite=False, dry_run=False, reporter=None, **settings):
    given = {"c_grid": (0.1, 1.0), "workers": 0, **settings}
    config = LinearSvmConfig(data=features, **given)
    ways = {"resume": resume, "overwrite": overwrite, "dry_run": dry_run}
    return train("linear-svm", config, out=out, **ways, reporter=reporter or Silent())


def test_a_run_holds_its_fits_and_ends_with_its_evaluation(features, tmp_path):
    outcome = fit(features, tmp_path / "r")
    assert [(row["layer"], row["source"]) for row in outcome.rows] == [
        *[("fc", "I"), ("fc", "P"), ("fc", "I+P")],
        *[("svd-fc", "I"), ("svd-fc", "P"), ("svd-fc", "I+P")],
    ]
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names >= {"config.toml", "classes.txt", "fits.csv", "model.safetensors", "eval"}
    assert not names & {"fits", "splits.csv"}
    with (tmp_path / "r" / "fits.csv").open() as file:
        (first, *_) = csv.DictReader(file)
    assert (first["layer"], first["n_train"], first["n_dims"]) == ("fc", "30", "8")
    assert first["c"] in ("0.1", "1.0")
    environment = json.loads((tmp_path / "r" / "environment.json").read_text())
    assert "scikit-learn" in environment


def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(features, tmp_path, monkeypatch):
    whole = fit(features, tmp_path / "whole", splits=2)
    done, keep = [], fitting.write_fit

    def interrupted(path, *rest):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(path)
        keep(path, *rest)

    monkeypatch.setattr(fitting, "write_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(features, tmp_path / "r", splits=2)
    assert len(list((tmp_path / "r" / "fits").iterdir())) == 3
    again = []
    monkeypatch.setattr(fitting, "write_fit", lambda path, *rest: again.append(keep(path, *rest)))
    outcome = fit(features, tmp_path / "r", splits=2, resume=True)
    assert len(again) == 12 - 3
    for name in ("model.safetensors", "fits.csv", "splits.csv"):
        assert (tmp_path / "r" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert [row["accuracy"] for row in outcome.rows] == [row["accuracy"] for row in whole.rows]


@pytest.mark.parametrize("last", ["write_fit_table", "evaluate_estimators"])
def test_a_run_interrupted_after_its_fits_ends_as_if_it_had_not_been(
    features, tmp_path, monkeypatch, last
):
    def stops(*_, **__):
        raise KeyboardInterrupt

    fit(features, tmp_path / "whole" / "r", c=1.0)
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(estimator, last, stops)
        fit(features, tmp_path / "cut" / "r", c=1.0)
    fit(features, tmp_path / "cut" / "r", c=1.0, resume=True)
    whole, cut = contents(tmp_path / "whole" / "r"), contents(tmp_path / "cut" / "r")
    assert cut.keys() == whole.keys()
    for name in ("fits.csv", "model.safetensors"):
        assert cut[name] == whole[name]


def test_a_complete_run_is_evaluated_and_not_fitted_again(features, tmp_path, monkeypatch):
    fit(features, tmp_path / "r", layers=("fc",))
    before = (tmp_path / "r" / "model.safetensors").stat().st_mtime_ns
    told = Told()
    assert fit(features, tmp_path / "r", layers=("fc",), resume=True, reporter=told).rows
    assert (tmp_path / "r" / "model.safetensors").stat().st_mtime_ns == before
    assert any("all fits are done" in note for note in told.notes)


def test_other_settings_and_other_features_are_refused_on_the_way(features, tmp_path):
    fit(features, tmp_path / "r", layers=("fc",))
    with pytest.raises(UsageError, match="begun with other settings: --seed"):
        fit(features, tmp_path / "r", layers=("fc",), seed=1, resume=True)
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="was fitted to other features"):
        fit(features, tmp_path / "r", layers=("fc",), resume=True)
    assert fit(features, tmp_path / "r", layers=("fc",), overwrite=True).rows


def test_a_dry_run_says_what_would_be_fitted_and_how_much_memory_it_takes(features, tmp_path):
    rows = fit(features, tmp_path / "r", splits=3, dry_run=True).rows
    (plan,) = rows
    assert (plan["features"], plan["fits"], plan["train_images"]) == (6, 18, 21)
    assert 0 < plan["fit_memory_gib"] < 1
    assert not (tmp_path / "r").exists()


def test_a_dry_run_refuses_what_a_fit_would(features, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(estimator, "join_fits", _stop)
        fit(features, tmp_path / "r", splits=2, layers=("fc",), c=1.0)
    kept = sorted((tmp_path / "r" / "fits").iterdir())
    kept[0].unlink()
    ways = {"splits": 2, "layers": ("fc",), "c": 1.0, "dry_run": True}
    before = contents(tmp_path / "r")
    with pytest.raises(AttncliError, match="exists already"):
        fit(features, tmp_path / "r", **ways)
    with pytest.raises(UsageError, match="begun with other settings: --seed"):
        fit(features, tmp_path / "r", **ways, seed=1, resume=True)
    (plan,) = fit(features, tmp_path / "r", **ways, resume=True).rows
    assert (plan["fits"], plan["finished"]) == (len(kept), len(kept) - 1)
    assert "finished" not in fit(features, tmp_path / "r", **ways, overwrite=True).rows[0]
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="was fitted to other features"):
        fit(features, tmp_path / "r", **ways, resume=True)
    assert contents(tmp_path / "r") == before


def test_a_dry_run_counts_all_fits_of_a_complete_run_and_refuses_other_features(features, tmp_path):
    ways = {"layers": ("fc",), "c": 1.0}
    fit(features, tmp_path / "r", **ways)
    (plan,) = fit(features, tmp_path / "r", **ways, resume=True, dry_run=True).rows
    assert plan["finished"] == plan["fits"] > 0
    with (features / "config.toml").open("a") as file:
        file.write("# another\n")
    with pytest.raises(AttncliError, match="was fitted to other features"):
        fit(features, tmp_path / "r", **ways, resume=True, dry_run=True)


def _stop(*_, **__):
    raise KeyboardInterrupt


def test_features_that_are_not_finite_stop_it_before_a_fit(features, tmp_path):
    array = np.load(features / "P" / "svd-fc.npy")
    array[40, 0] = np.inf
    np.save(features / "P" / "svd-fc.npy", array)
    with pytest.raises(AttncliError, match="svd-fc of P holds a number that is not finite for"):
        fit(features, tmp_path / "r")
    with pytest.raises(AttncliError, match="svd-fc of P holds a number that is not finite for"):
        fit(features, tmp_path / "r", dry_run=True)
    assert not (tmp_path / "r").exists()
    fit(features, tmp_path / "r", layers=("fc",), c=1.0)
    before = contents(tmp_path / "r")
    with pytest.raises(AttncliError, match="svd-fc of P holds a number that is not finite for"):
        fit(features, tmp_path / "r", overwrite=True)
    assert contents(tmp_path / "r") == before  # what could not be replaced is still there


@pytest.mark.parametrize("splits", [0, 2])
def test_images_of_one_class_begin_no_run(tmp_path, splits):
    features = make_features(tmp_path / "f", n_classes=1)
    with pytest.raises(AttncliError, match=r"f: all images are of class 'class0'; two classes"):
        fit(features, tmp_path / "r", splits=splits)
    assert not (tmp_path / "r").exists()


def test_training_images_of_one_class_begin_no_run(tmp_path):
    features = make_features(tmp_path / "f", n_classes=2)
    lines = (features / "index.csv").read_text().splitlines()
    changed = [line.replace("class1,train", "class0,train") for line in lines]
    (features / "index.csv").write_text("\n".join(changed) + "\n")
    with pytest.raises(AttncliError, match="all training images are of class 'class0'"):
        fit(features, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_class_with_one_training_image_is_told_and_takes_part(tmp_path):
    features = make_features(tmp_path / "f", n_train=7, n_val=6, n_classes=2)
    index = (features / "index.csv").read_text().splitlines()
    changed = [line.replace("class1", "class0") for line in index[:6]] + index[6:]
    (features / "index.csv").write_text("\n".join(changed) + "\n")
    told = Told()
    fit(features, tmp_path / "r", c=1.0, reporter=told)
    assert any("1 classes have one training image alone" in text for text in told.warnings)


def test_fits_that_did_not_converge_are_told(features, tmp_path):
    told = Told()
    fit(features, tmp_path / "r", c=1e6, max_iter=1, fuse=("none",), reporter=told)
    assert "4 of 4 fits did not converge, such as fc of I" in told.warnings


def test_a_dataset_without_validation_images_is_to_be_divided(tmp_path):
    features = make_features(tmp_path / "f", n_val=0)
    with pytest.raises(AttncliError, match="holds no image of split 'val'; divide them at random"):
        fit(features, tmp_path / "r")
    assert fit(features, tmp_path / "r", splits=2).rows


@pytest.mark.slow
def test_fits_side_by_side_are_the_same(features, tmp_path):
    fit(features, tmp_path / "one", layers=("fc",))
    fit(features, tmp_path / "two", layers=("fc",), workers=2)
    one, two = (open_fits(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert [fit.facts["c"] for fit in one.fits] == [fit.facts["c"] for fit in two.fits]
    for mine, other in zip(one.fits, two.fits, strict=True):
        np.testing.assert_allclose(one.state(mine)["weight"], two.state(other)["weight"], rtol=1e-5)

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attncli.config.reid_features import CDpcfConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.features import open_features
from attncli.files.fits import open_fits
from attncli.methods.reid.c_dpcf import PositionMaps
from attncli.reporting import Outcome, Silent
from attncli.workflows.train import pooling, scatter_pass
from attncli.workflows.train.pooling import train
from tests.support.features import make_features, make_people
from tests.support.reporters import Told

LAYERS = ("conv4", "conv5")


@pytest.fixture
def features(tmp_path: Path) -> Path:
    return make_people(tmp_path / "f", maps_hw=(6, 2), layers=LAYERS)


def fit(features: Path, out: Path, **changes: Any) -> Outcome:
    ways = {name: changes.pop(name, False) for name in ("resume", "overwrite", "dry_run")}
    reporter = changes.pop("reporter", Silent())
    config = CDpcfConfig(data=features, **{"maps": 2, "projection": 4, **changes})
    return train("c-dpcf", config, out=out, **ways, reporter=reporter)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_run_makes_features_of_all_images(features: Path, tmp_path: Path) -> None:
    (row,) = fit(features, tmp_path / "r").rows
    assert row | {"train_sec": 0, "scatter_sec": 0, "solve_sec": 0, "pool_sec": 0} == {
        "run": str(tmp_path / "r"),
        "method": "c-dpcf",
        "pooling": "c-dpcf",
        "source": "I",
        "layers": "conv4,conv5,all",
        "dims": "16,16,32",
        "images": 33,
        "failed": 0,
        "train_sec": 0,
        "scatter_sec": 0,
        "solve_sec": 0,
        "pool_sec": 0,
    }
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names >= {"config.toml", "environment.json", "fits.csv", "model.safetensors", "features"}
    made, maps = open_features(tmp_path / "r"), open_features(features)
    assert (made.pool, made.layers) == ("c-dpcf", ("conv4", "conv5", "all"))
    assert (made.ids, made.roles, made.cameras) == (maps.ids, maps.roles, maps.cameras)
    assert made.settings["data"] == maps.settings["data"]
    assert made.settings["learnt_from_images"] == 16


def test_features_are_pooled_by_the_weights_that_are_kept(features: Path, tmp_path: Path) -> None:
    fit(features, tmp_path / "r")
    fits, made = open_fits(tmp_path / "r" / "model.safetensors"), open_features(tmp_path / "r")
    (first, _) = fits.fits
    state = fits.state(first)
    assert (first.layer, first.n_train, first.facts["cameras"]) == ("conv4", 16, "1,2")
    maps = PositionMaps(state["maps"], state["ratios"], ("1", "2"))
    array = np.array(open_features(features).open("I", "conv4"))
    np.testing.assert_array_equal(made.open("I", "conv4"), maps.pool(array, made.cameras))
    parts = [unit(np.array(made.open("I", layer))) for layer in LAYERS]
    np.testing.assert_allclose(made.open("I", "all"), np.hstack(parts), rtol=1e-6)
    with (tmp_path / "r" / "fits.csv").open() as file:
        assert [line["grid"] for line in csv.DictReader(file)] == ["6x2", "6x2"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("average", lambda maps: maps.mean((2, 3))),
        (
            "stripes",
            lambda maps: np.hstack([maps[:, :, :3].mean((2, 3)), maps[:, :, 3:].mean((2, 3))]),
        ),
    ],
)
def test_baselines_are_means_and_learn_nothing(
    features: Path, tmp_path: Path, name: str, expected: Any
) -> None:
    (row,) = fit(features, tmp_path / "r", pooling=name, stripes=2, layers=("conv5",)).rows
    assert (row["layers"], row["train_sec"]) == ("conv5", 0)
    made = open_features(tmp_path / "r")
    array = np.array(open_features(features).open("I", "conv5"))
    np.testing.assert_allclose(made.open("I", "conv5"), expected(array), rtol=1e-4, atol=1e-6)
    assert made.settings["learnt_from_images"] == 0


def test_fine_maps_are_weighed_by_parts(features: Path, tmp_path: Path) -> None:
    fit(features, tmp_path / "r", grid_hw=(3, 1), pooling="shared-maps", layers=("conv5",))
    fits = open_fits(tmp_path / "r" / "model.safetensors")
    state = fits.state(fits.fits[0])
    assert (fits.fits[0].facts["cameras"], fits.fits[0].facts["grid"]) == ("", "3x1")
    weights = state["maps"].reshape(1, 2, 3, 4)
    np.testing.assert_allclose(weights, weights[..., :1].repeat(4, axis=-1))


def test_what_is_in_memory_at_once_does_not_matter(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(features, tmp_path / "a")
    monkeypatch.setattr(scatter_pass, "CHUNK_BYTES", 2000)
    fit(features, tmp_path / "b")
    found = [np.array(open_features(tmp_path / name).open("I", "all")) for name in "ab"]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3, atol=1e-4)


def test_an_interrupted_run_goes_on(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(features, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(scatter_pass, "CHUNK_BYTES", 2000)
        patch.setattr(pooling, "complete", _stop)
        with pytest.raises(KeyboardInterrupt):
            fit(features, tmp_path / "r")
    with pytest.raises(AttncliError, match="not finished"):
        open_features(tmp_path / "r")
    told = Told()
    (row,) = fit(features, tmp_path / "r", resume=True, reporter=told).rows
    assert any("all weights are learnt" in text for text in told.notes)
    assert row["pool_sec"] is not None
    pairs = [open_features(tmp_path / name).open("I", "all") for name in ("whole", "r")]
    np.testing.assert_allclose(*pairs, rtol=1e-3, atol=1e-4)
    assert fit(features, tmp_path / "r", resume=True).rows[0]["pool_sec"] is None
    with pytest.raises(UsageError, match="begun with other settings: --maps"):
        fit(features, tmp_path / "r", resume=True, maps=1)


def test_weights_of_other_features_are_not_gone_on_with(features: Path, tmp_path: Path) -> None:
    fit(features, tmp_path / "r")
    index = features / "index.csv"
    index.write_text(index.read_text().replace("0001_c1_0", "another"))
    with pytest.raises(AttncliError, match="was fitted to other features"):
        fit(features, tmp_path / "r", resume=True)


def test_a_plan_touches_nothing(features: Path, tmp_path: Path) -> None:
    (plan,) = fit(features, tmp_path / "r", dry_run=True).rows
    counts = (plan["learning_images"], plan["learning_people"], plan["cameras"])
    assert counts == (16, 4, 2)
    assert not (tmp_path / "r").exists()


def test_a_plan_is_refused_as_the_run_would_be(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pooling, "join_fits", _stop)
        fit(features, tmp_path / "r")
    kept = sorted((tmp_path / "r" / "fits").iterdir())
    kept[0].unlink()
    with pytest.raises(AttncliError, match="exists already"):
        fit(features, tmp_path / "r", dry_run=True)
    with pytest.raises(UsageError, match="begun with other settings: --maps"):
        fit(features, tmp_path / "r", resume=True, maps=1, dry_run=True)
    (plan,) = fit(features, tmp_path / "r", resume=True, dry_run=True).rows
    assert plan["finished"] == len(kept) - 1 > 0
    (plan,) = fit(features, tmp_path / "r", overwrite=True, dry_run=True).rows
    assert "finished" not in plan
    assert sorted((tmp_path / "r" / "fits").iterdir()) == kept[1:]
    index = features / "index.csv"
    index.write_text(index.read_text().replace("0001_c1_0", "another"))
    with pytest.raises(AttncliError, match="was fitted to other features"):
        fit(features, tmp_path / "r", resume=True, dry_run=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": ("conv2",)}, "--layers: no such layer: 'conv2'; use conv4, conv5"),
        ({"pooling": "stripes", "stripes": 7}, "--stripes: conv4 of I has 6 rows, too few for 7"),
        ({"maps": 25}, "--maps: conv4 of I can have 1 to 24 maps of weights, not 25"),
    ],
)
def test_what_is_not_there_is_refused(
    features: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as error:
        fit(features, tmp_path / "r", **changes)
    assert message in str(error.value)


def test_vectors_cannot_be_pooled(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match="holds vectors, not maps; extract maps with"):
        fit(make_features(tmp_path / "f"), tmp_path / "r")


def test_an_image_that_is_not_finite_is_named(features: Path, tmp_path: Path) -> None:
    path = features / "I" / "conv5.npy"
    values = np.load(path)
    values[-1] = np.inf
    np.save(path, values)
    with pytest.raises(AttncliError, match=r"conv5 of I holds a number .* for image 0000_c1_0"):
        fit(features, tmp_path / "r", pooling="average")


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt

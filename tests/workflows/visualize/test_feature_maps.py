import csv

import numpy as np
import pytest
from PIL import Image

from attncli.config.visualize import VisualizeConfig
from attncli.errors import AttncliError, UsageError
from attncli.files.feature_writing import Description, Rows, write_features
from attncli.reporting import Silent
from attncli.workflows.visualize import feature_maps

IDS = ("a", "b", "c", "d")
LABELS = ("cat", "dog", "cat", "dog")
SPLITS = ("train", "val", "val", "val")
CLASSES = 5
LAYERS = ("cam", "svd-cam")
SIDE = {"I": 8, "P": 6}
"""Pixels that each source sees of an image, of 10 its short side has."""


@pytest.fixture
def data(tmp_path):
    """Images of one grey each."""
    root = tmp_path / "images"
    root.mkdir()
    for grey, id_ in enumerate(IDS):
        Image.fromarray(np.full((10, 14, 3), 40 * grey, np.uint8)).save(root / f"{id_}.png")
    rows = (f"{i},{i}.png,{c},{s}" for i, c, s in zip(IDS, LABELS, SPLITS, strict=True))
    (root / "manifest.csv").write_text("\n".join(["id,path,label,split", *rows]) + "\n")
    return root


@pytest.fixture
def maps():
    """Return maps in which I sees most of class n in image n, and P of class n + 1."""
    rng = np.random.default_rng(0)
    found = {}
    for number, source in enumerate(SIDE):
        for layer in LAYERS:
            values = rng.normal(size=(4, CLASSES, 3, 3)).astype(np.float32)
            values[range(4), [n + number for n in range(4)]] += 9
            found[source, layer] = values
    return found


@pytest.fixture
def write(tmp_path, data, maps):
    def write(name="f", *, pool="none", about=None, arrays=None, **settings):
        seen = {
            source: {"classes": CLASSES, "resize_px": 10, "crop_px": side, "weights": "none"}
            | {"interpolation": "bilinear", **(about or {})}
            for source, side in SIDE.items()
        }
        settings = {"data": str(data), "layout": "manifest", "basis": "polar", **settings}
        path = tmp_path / name
        write_features(
            path,
            Rows(IDS, LABELS, SPLITS, ("cat", "dog")),
            Description(pool, LAYERS, seen, settings=settings),
            maps if arrays is None else arrays,
        )
        return path

    return write


@pytest.fixture
def drawn(monkeypatch):
    calls = []
    draw = feature_maps.draw_feature_maps

    def record(images, columns, **looks):
        calls.append((images, columns))
        return draw(images, columns, **looks)

    monkeypatch.setattr(feature_maps, "draw_feature_maps", record)
    return calls


@pytest.fixture
def draw(tmp_path):
    def draw(path, *, name="m.png", dry_run=False, **options):
        order = {} if "ids" in options else {"order": "first"}
        config = VisualizeConfig(out=tmp_path / "out" / name, dpi=50, **{**order, **options})
        return feature_maps.draw(config, [path], dry_run=dry_run, reporter=Silent())

    return draw


def test_maps_are_of_the_class_each_source_sees_most_of(write, draw, drawn, maps, tmp_path):
    rows = draw(write()).rows
    ((images, columns),) = drawn
    assert columns == ["CAM I", "SVD-CAM I", "CAM P", "SVD-CAM P"]
    assert [image.name for image in images] == ["b", "c", "d"]
    assert [one.caption for one in images[0].maps] == ["class 1"] * 2 + ["class 2"] * 2
    np.testing.assert_array_equal(images[0].maps[1].values, maps["I", "svd-cam"][1, 1])
    np.testing.assert_array_equal(images[2].maps[2].values, maps["P", "cam"][3, 4])
    assert rows[3]["max"] == pytest.approx(maps["P", "svd-cam"][1, 2].max())
    with (tmp_path / "out" / "m.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows) == 12


def test_each_map_lies_over_what_its_source_saw(write, draw, drawn):
    draw(write(), ids=("c",))
    (image,) = drawn[0][0]
    assert [one.image.shape for one in image.maps] == [(8, 8, 3)] * 2 + [(6, 6, 3)] * 2
    assert all((one.image == 80).all() for one in image.maps)


def test_a_class_can_be_asked_for_beside_images(write, draw, drawn):
    path = write(about={"class_names": list("vwxyz")})
    draw(path, ids=("d", "a"), source_classes=("I=x", "P=0"))
    (images, _) = drawn[0]
    assert [image.name for image in images] == ["d", "a"]
    assert [one.caption for one in images[0].maps] == ["x", "x", "v", "v"]
    with pytest.raises(UsageError, match="--source-class"):
        draw(path, source_classes=("9",))


def test_mean_maps_are_of_the_magnitudes_of_all_classes(write, draw, drawn, maps):
    rows = draw(write(basis="vt"), show="mean-maps").rows
    one = drawn[0][0][0].maps[1]
    naive = sum(np.abs(maps["I", "svd-cam"][1, k].astype(np.float64)) for k in range(CLASSES))
    np.testing.assert_allclose(one.values, naive / CLASSES)
    assert (one.caption, rows[0]["class"]) == ("", None)


def test_images_of_a_class_and_split_are_chosen(write, draw):
    path = write()
    ids = [row["id"] for row in draw(path, classes=("cat",), dry_run=True).rows]
    assert dict.fromkeys(ids) == {"c": None}
    ids = [row["id"] for row in draw(path, split="train", dry_run=True).rows]
    assert dict.fromkeys(ids) == {"a": None}
    with pytest.raises(UsageError, match="--class: no such name: 'bird'"):
        draw(path, classes=("bird",))
    with pytest.raises(UsageError, match="--id: no such name: 'z'"):
        draw(path, ids=("z",))


def test_an_image_that_is_gone_or_not_finite_is_a_failure(write, draw, data, maps, tmp_path):
    (data / "b.png").unlink()
    maps["I", "cam"][2] = np.nan
    outcome = draw(write())
    assert [failure.id for failure in outcome.failures] == ["b", "c"]
    assert "cam of I holds a value that is not finite" in outcome.failures[1].error
    assert {row["id"] for row in outcome.rows} == {"d"}
    assert (tmp_path / "out" / "m.failures.jsonl").is_file()


def test_images_may_lie_elsewhere(write, draw, data, tmp_path):
    path = write()
    data.rename(tmp_path / "moved")
    assert draw(path, data=tmp_path / "moved", clips=1).rows
    (tmp_path / "moved" / "manifest.csv").write_text("id,path,label,split\na,a.png,cat,val\n")
    with pytest.raises(AttncliError, match="no such image: 'b'; give the dataset"):
        draw(path, name="n.png", data=tmp_path / "moved", clips=1)


def test_features_without_maps_of_classes_are_refused(write, draw, maps):
    flat = {key: values.mean(axis=(2, 3)) for key, values in maps.items()}
    with pytest.raises(AttncliError, match="has no maps of classes; extract with --pool none"):
        draw(write(pool="gap", arrays=flat))
    with pytest.raises(AttncliError, match="cam of I holds vectors, not maps"):
        draw(write("flat", arrays=flat))


def test_rows_of_another_basis_are_no_classes(write, draw):
    with pytest.raises(AttncliError, match="its SVD-CAM has no map of each class; extract"):
        draw(write(basis="vt"))


def test_a_dry_run_writes_nothing(write, draw, tmp_path):
    assert len(draw(write(), dry_run=True).rows) == 12
    assert not (tmp_path / "out").exists()

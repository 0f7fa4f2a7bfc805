from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.features import holds_features, is_source_name, open_features
from tests.support.features import MAP_SIZE, make_features, make_people


def test_what_was_written_is_read(tmp_path: Path) -> None:
    ways = {"sources": ("I", "P"), "fusions": ("I+P",), "pool": "mpn-cbp"}
    found = open_features(make_features(tmp_path / "f", n_train=4, n_val=2, n_classes=2, **ways))
    assert found.ids[:2] == ("train/class0/0", "train/class1/1")
    assert found.labels == ("class0", "class1") * 3
    assert found.splits == ("train",) * 4 + ("val",) * 2
    assert (found.sources, found.fusions, found.pool) == (("I", "P"), ("I+P",), "mpn-cbp")
    assert found.settings["data"] == str(tmp_path / "data")
    array = found.open("I+P", "fc")
    assert (array.shape, array.dtype, type(array)) == ((6, 8), np.float32, np.memmap)
    assert found.has("P", "svd-fc")
    assert not found.has("P", "conv5")
    assert set(found.bases()) == {("I", "singular_values"), ("P", "singular_values")}
    assert found.n_failed == 0


def test_people_are_known_by_subject_camera_and_role(tmp_path: Path) -> None:
    found = open_features(make_people(tmp_path / "f", n_people=2))
    assert found.subjects == ("0001",) * 4 + ("0002",) * 4 + ("",)
    assert found.cameras == ("1", "1", "2", "2") * 2 + ("1",)
    assert found.roles == ("",) * 4 + ("query", "gallery") * 2 + ("gallery",)
    assert found.labels == ("0001",) * 4 + ("",) * 5
    plain = open_features(make_features(tmp_path / "g", n_train=2, n_val=1))
    assert (plain.subjects, plain.cameras, plain.roles) == (("", "", ""),) * 3


def test_a_run_s_own_features_are_found_in_it(tmp_path: Path) -> None:
    make_people(tmp_path / "run" / "features")
    assert not holds_features(tmp_path)
    assert not holds_features(tmp_path / "run")  # which it made, and is not
    assert open_features(tmp_path / "run").path == tmp_path / "run" / "features"
    (tmp_path / "run" / "config.toml").write_text('format_version = 1\nmethod = "c-dpcf"\n')
    assert open_features(tmp_path / "run").path == tmp_path / "run" / "features"


def test_maps_have_their_own_shape(tmp_path: Path) -> None:
    found = open_features(make_features(tmp_path / "f", pool="none"))
    assert found.open("I", "fc").shape == (36, 8, MAP_SIZE, MAP_SIZE)


def test_the_hash_follows_settings_and_images(tmp_path: Path) -> None:
    first = open_features(make_features(tmp_path / "a", data=tmp_path)).sha256
    assert open_features(make_features(tmp_path / "b", data=tmp_path)).sha256 == first
    assert open_features(make_features(tmp_path / "c", data=tmp_path, n_val=11)).sha256 != first
    assert open_features(make_features(tmp_path / "d", data=tmp_path / "x")).sha256 != first


def test_what_is_not_whole_is_refused(tmp_path: Path) -> None:
    path = make_features(tmp_path / "f")
    assert holds_features(path)
    (path / "index.csv").unlink()
    assert not holds_features(path)
    with pytest.raises(AttncliError, match=r"its features are not finished; go on with .*--resume"):
        open_features(path)
    (path / "config.toml").write_text("format_version = 1\nmethod = 'cam'\n")
    with pytest.raises(AttncliError, match="holds no features; name a directory"):
        open_features(path)
    assert not holds_features(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("config.toml", 'pool = "gap"', 'pool = "mean"', "no such pooling: 'mean'"),
        ("config.toml", 'pool = "gap"', "", "its pool is missing or malformed"),
        ("index.csv", "id,label,split", "id,split", "is not (an index of features|a CSV table)"),
        ("index.csv", "train/class1/1,", "train/class0/0,", "names image train/class0/0 twice"),
    ],
)
def test_damaged_descriptions_are_refused(
    tmp_path: Path, name: str, before: str, after: str, message: str
) -> None:
    path = make_features(tmp_path / "f")
    text = (path / name).read_text()
    assert before in text
    (path / name).write_text(text.replace(before, after))
    with pytest.raises(AttncliError, match=message):
        open_features(path)


def test_arrays_must_fit_the_index(tmp_path: Path) -> None:
    found = open_features(make_features(tmp_path / "f", n_train=4, n_val=2))
    with pytest.raises(AttncliError, match="no such file"):
        found.open("I", "conv5")
    for wrong in (np.zeros((5, 8), np.float32), np.zeros((6, 8)), np.zeros(6, np.float32)):
        np.save(found.array_path("I", "fc"), wrong)
        with pytest.raises(AttncliError, match="not float32 features of the 6 images"):
            found.open("I", "fc")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    found = open_features(make_features(tmp_path / "f"))
    (found.path / "basis.npz").write_bytes(b"no archive")
    with pytest.raises(AttncliError, match=r"basis\.npz: is not an archive of arrays"):
        found.bases()
    (found.path / "basis.npz").unlink()
    assert found.bases() == {}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "I+P", "-a", "é", "index.csv", "a\n"])
def test_some_names_cannot_be_a_source_s(name: str) -> None:
    assert not is_source_name(name)

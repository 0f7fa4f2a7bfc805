import tomllib
from pathlib import Path

import numpy as np
import pytest

from attncli.errors import Failure
from attncli.files.failures import read_failures
from attncli.files.feature_writing import Description, Rows, complete, write_features
from attncli.files.features import COLUMNS, PEOPLE_COLUMNS, holds_features

ROWS = Rows(["a", 'b,"c"', "d"], ["x y", " lead", ""], ["train", "train", "val"], ["x y", " lead"])


def test_a_directory_keeps_all_that_it_is_told(tmp_path: Path) -> None:
    failure = Failure("e", "e.png", "no image")
    about = {"I": {"network": "resnet50"}, "P.1": {"network": "resnet18"}}
    scales = {"fc": {"I": 0.5, "P.1": 2.0}}
    settings = {"data": "/data", "resize_px": None}
    description = Description("gap", ["fc"], about, scales=scales, settings=settings)
    arrays = {("I", "fc"): np.arange(6.0).reshape(3, 2)}
    bases = {("I", "svd-fc"): np.eye(2)}
    found = write_features(tmp_path, ROWS, description, arrays, bases=bases, failures=[failure])
    assert (found.ids, found.labels) == (tuple(ROWS.ids), tuple(ROWS.labels))
    assert (found.splits, found.classes) == (tuple(ROWS.splits), tuple(ROWS.classes))
    assert found.open("I", "fc").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert found.bases()["I", "svd-fc"].tolist() == [[1, 0], [0, 1]]
    assert (found.sources, found.settings["scales"]) == (("I", "P.1"), scales)
    assert found.n_failed == 1
    assert read_failures(tmp_path / "failures.jsonl") == [failure]
    text = tomllib.loads((tmp_path / "config.toml").read_text())
    assert (text["format_version"], text["kind"], "resize_px" in text) == (1, "features", False)


def test_people_s_columns_are_there_where_anything_is_known() -> None:
    plain = Rows(["a", "b"], ["x", ""], ["train", "val"], ["x"], ["", ""], ["", ""], ["", ""])
    header, lines = plain.table()
    assert (header, list(lines)) == (COLUMNS, [("a", "x", "train"), ("b", "", "val")])
    header, lines = Rows(["a", "b"], ["x", ""], ["train", "val"], ["x"], cameras=["", "2"]).table()
    assert header == (*COLUMNS, *PEOPLE_COLUMNS)
    assert list(lines) == [("a", "x", "train", "", "", ""), ("b", "", "val", "", "2", "")]


def test_the_index_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = Description("gap", ["fc"], {"I": {}})
    arrays = {("I", "fc"): np.zeros((3, 2))}
    write_features(tmp_path, ROWS, description, arrays)

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "save", stops)
    with pytest.raises(KeyboardInterrupt):
        write_features(tmp_path, ROWS, description, arrays)
    assert not holds_features(tmp_path)


def test_archives_of_nothing_are_removed(tmp_path: Path) -> None:
    complete(tmp_path, ROWS, bases={("I", "x"): np.ones(2)}, sketches={"I/h": np.ones(2)})
    with np.load(tmp_path / "sketch.npz") as archive:
        assert archive["I/h"].tolist() == [1, 1]
    complete(tmp_path, ROWS, bases={})
    assert not (tmp_path / "basis.npz").exists()
    assert not (tmp_path / "sketch.npz").exists()

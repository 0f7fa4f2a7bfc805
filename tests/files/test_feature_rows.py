from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files import feature_rows
from attncli.files.feature_rows import FeatureRows, done_in

SHAPES = {("I", "fc"): (3,), ("I", "conv5"): (2, 2, 1)}
FC = np.arange(21, dtype=np.float64).reshape(7, 3)
MAPS = np.arange(28, dtype=np.float32).reshape(7, 2, 2, 1)


@pytest.fixture
def rows(tmp_path: Path) -> FeatureRows:
    rows = FeatureRows(tmp_path / "out", 7, SHAPES)
    rows.begin()
    return rows


def put(rows: FeatureRows, first: int, stop: int, *, whole: bool = True) -> None:
    values = {("I", "fc"): FC[first:stop], ("I", "conv5"): MAPS[first:stop]}
    rows.write(first, values, np.full(stop - first, whole))


def test_rows_may_come_in_any_order(rows: FeatureRows) -> None:
    assert rows.waiting(3) == [range(3), range(3, 6), range(6, 7)]
    put(rows, 6, 7)
    put(rows, 0, 3)
    assert rows.waiting(3) == [range(3, 6)]
    assert rows.waiting(2) == [range(2, 4), range(4, 6)]
    rows.begin()  # what is there stays
    put(rows, 3, 6)
    assert rows.waiting(3) == []
    rows.finish()
    rows.clear()
    assert np.load(rows.path / "I" / "fc.npy").tolist() == FC.tolist()
    assert np.load(rows.path / "I" / "conv5.npy").tolist() == MAPS.tolist()
    assert not rows.place.exists()


@pytest.mark.parametrize("copied_bytes", [1, 30, 2**20])
def test_rows_that_are_not_there_are_left_out(
    rows: FeatureRows, monkeypatch: pytest.MonkeyPatch, copied_bytes: int
) -> None:
    monkeypatch.setattr(feature_rows, "COPIED_BYTES", copied_bytes)
    put(rows, 0, 7)
    put(rows, 2, 4, whole=False)
    rows.finish()
    kept = [0, 1, 4, 5, 6]
    assert np.load(rows.path / "I" / "fc.npy").tolist() == FC[kept].tolist()
    assert np.load(rows.path / "I" / "conv5.npy").tolist() == MAPS[kept].tolist()


def test_finishing_can_be_repeated(rows: FeatureRows) -> None:
    put(rows, 0, 7)
    rows.finish()
    rows.begin()  # the arrays were moved, and are not made again
    assert rows.waiting(3) == []
    rows.finish()
    assert np.load(rows.path / "I" / "fc.npy").tolist() == FC.tolist()


def test_arrays_of_another_shape_are_refused(rows: FeatureRows) -> None:
    other = FeatureRows(rows.path, 7, {**SHAPES, ("I", "fc"): (4,)})
    with pytest.raises(AttncliError, match=r"fc\.npy: has shape \(7, 3\).*--overwrite"):
        other.begin()
    with pytest.raises(AttncliError, match=r"has shape \(7,|has shape \(7\b"):
        FeatureRows(rows.path, 8, SHAPES).begin()


def test_nothing_is_done_where_nothing_was_begun(tmp_path: Path, rows: FeatureRows) -> None:
    assert done_in(tmp_path, 2).tolist() == [False, False]
    put(rows, 1, 3)
    assert done_in(rows.path, 7).tolist() == [False, True, True, False, False, False, False]

from pathlib import Path

import numpy as np
import pytest

from attncli.errors import AttncliError
from attncli.files.score_maps import (
    read_score_maps,
    score_maps_path,
    write_score_maps,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random((2, 5, 7)).astype(np.float32)
    write_score_maps(tmp_path, "2007/img-7.a", np.array([3, 20]), scores)
    assert (tmp_path / "2007" / "img-7.a.npz").is_file()
    found = read_score_maps(tmp_path, "2007/img-7.a")
    assert found.classes.tolist() == [3, 20]
    assert found.scores.dtype == np.float16
    np.testing.assert_allclose(found.scores, scores, atol=5e-4)


def test_an_image_may_show_no_class(tmp_path: Path) -> None:
    write_score_maps(tmp_path, "a", np.empty(0, np.int64), np.empty((0, 4, 4), np.float32))
    assert read_score_maps(tmp_path, "a").scores.shape == (0, 4, 4)


@pytest.mark.parametrize(
    ("classes", "scores"),
    [
        (np.array([2, 1]), np.zeros((2, 4, 4), np.float16)),
        (np.array([1]), np.zeros((2, 4, 4), np.float16)),
        (np.array([-1]), np.zeros((1, 4, 4), np.float16)),
        (np.array([1]), np.zeros((1, 4, 4), np.float32)),
        (np.array([1]), np.full((1, 4, 4), 1.5, np.float16)),
        (np.array([1]), np.full((1, 4, 4), np.nan, np.float16)),
        (np.array([1.0]), np.zeros((1, 4, 4), np.float16)),
    ],
    ids=["order", "number", "negative", "precision", "range", "nan", "kind"],
)
def test_anything_else_is_refused_by_name(
    tmp_path: Path, classes: np.ndarray, scores: np.ndarray
) -> None:
    np.savez(score_maps_path(tmp_path, "a"), classes=classes, scores=scores)
    with pytest.raises(AttncliError, match=r"a\.npz"):
        read_score_maps(tmp_path, "a")


def test_a_missing_or_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(AttncliError, match=r"a\.npz"):
        read_score_maps(tmp_path, "a")
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(AttncliError, match=r"a\.npz"):
        read_score_maps(tmp_path, "a")

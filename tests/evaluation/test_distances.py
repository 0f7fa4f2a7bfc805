import numpy as np

from attncli.evaluation import distances
from attncli.evaluation.distances import Cosine, unit_rows


def test_unit_rows_have_length_1_but_zeros():
    rows = unit_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-7)
    assert rows.dtype == np.float32


def test_distance_is_1_less_the_cosine():
    query = unit_rows(np.array([[1.0, 0.0]]))
    gallery = unit_rows(np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]))
    found = Cosine().between(query, gallery)
    np.testing.assert_allclose(found, [[0, 1, 2, 1, 1 - 0.5**0.5]], atol=1e-7)


def test_same_features_are_equally_far_in_whatever_block(monkeypatch):
    monkeypatch.setattr(distances, "ROWS_AT_ONCE", 3)
    rng = np.random.default_rng(0)
    rows = unit_rows(rng.normal(size=(4, 50)))
    found = Cosine().between(rows[:2], np.concatenate([rows, rows[::-1]]))
    np.testing.assert_array_equal(found[:, :4], found[:, :3:-1])

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.errors import AttncliError, UsageError
from attncli.methods.svd_fc.basis import (
    orthonormal_basis,
    random_basis,
    share_of_dimensions,
)

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def weight(k: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((k, d)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 5), form=st.sampled_from(["polar", "vt"]))
def test_rows_are_orthonormal_or_rotate_where_there_are_more_classes_than_dimensions(
    shape, seed, form
):
    basis = orthonormal_basis(weight(*shape, seed), form=form)
    rows = basis.rows
    assert rows.dtype == np.float64
    assert basis.rank == min(shape)
    product = rows @ rows.T if shape[0] <= shape[1] else rows.T @ rows
    np.testing.assert_allclose(product, np.eye(basis.rank), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 5))
def test_inner_products_of_features_are_the_same_in_both_forms(shape, seed):
    w, features = weight(*shape, seed), weight(6, shape[1], seed + 1)
    polar, vt = (features @ orthonormal_basis(w, form=form).rows.T for form in ("polar", "vt"))
    np.testing.assert_allclose(polar @ polar.T, vt @ vt.T, atol=1e-10)


def test_the_polar_form_keeps_row_and_class_together():
    # Rows that are orthogonal already are only scaled to 1, whatever their order.
    w = np.array([[0.0, 3.0, 0.0], [0.5, 0.0, 0.0]])
    np.testing.assert_allclose(orthonormal_basis(w).rows, [[0, 1, 0], [1, 0, 0]], atol=1e-15)
    # Classes in another order have their rows in that order.
    w, order = weight(5, 8), [3, 1, 4, 0, 2]
    np.testing.assert_allclose(
        orthonormal_basis(w[order]).rows, orthonormal_basis(w).rows[order], atol=1e-12
    )


def test_the_polar_form_is_the_inverse_root_of_the_gram_matrix_times_the_weight():
    # (W W^T)^(-1/2) W, by eigenvectors: the symmetric orthonormalisation of Löwdin.
    w = weight(4, 7).astype(np.float64)
    values, vectors = np.linalg.eigh(w @ w.T)
    by_hand = vectors @ np.diag(values**-0.5) @ vectors.T @ w
    np.testing.assert_allclose(orthonormal_basis(w).rows, by_hand, atol=1e-12)


def test_the_other_form_goes_from_the_heaviest_direction_on_with_signs_that_are_known():
    w = np.array([[0.0, -3.0, 0.0], [0.5, 0.0, 0.0]])
    basis = orthonormal_basis(w, form="vt")
    np.testing.assert_allclose(basis.rows, [[0, 1, 0], [1, 0, 0]], atol=1e-15)
    np.testing.assert_allclose(basis.singular_values, [3, 0.5])


@pytest.mark.parametrize(("form", "n_rows"), [("polar", 6), ("vt", 4)])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
def test_directions_of_next_to_nothing_are_left_out(form, n_rows, scale):
    w = scale * (weight(6, 4, 1).astype(np.float64) @ weight(4, 10, 2))
    basis = orthonormal_basis(w, form=form)
    assert (basis.rank, basis.rows.shape, len(basis.singular_values)) == (4, (n_rows, 10), 6)
    # The rows span what the weight spans: projecting on them changes none of its rows.
    np.testing.assert_allclose(w @ (basis.rows.T @ basis.rows), w, rtol=1e-9, atol=1e-9 * scale)


def test_the_tolerance_is_a_part_of_the_largest_value():
    w = np.diag([10.0, 1.0, 0.1])
    ranks = [orthonormal_basis(w, tolerance=t).rank for t in (0.0, 0.0099, 0.05, 0.5)]
    assert ranks == [3, 3, 2, 1]


@pytest.mark.parametrize(
    ("values", "problem"), [([[0.0, 0.0]], "is zero"), ([[1.0, np.nan]], "not finite")]
)
def test_a_weight_that_says_nothing_is_refused(values, problem):
    with pytest.raises(AttncliError, match=f"weight of the last layer: .*{problem}"):
        orthonormal_basis(np.array(values))
    with pytest.raises(AttncliError, match=f"weight of the last layer: .*{problem}"):
        random_basis(np.array(values), rank=1, seed=0)


def test_a_random_basis_is_orthonormal_and_its_seeds():
    w = weight(5, 8)
    basis = random_basis(w, rank=5, seed=3)
    np.testing.assert_allclose(basis.rows @ basis.rows.T, np.eye(5), atol=1e-12)
    np.testing.assert_array_equal(basis.rows, random_basis(w, rank=5, seed=3).rows)
    assert np.abs(basis.rows - random_basis(w, rank=5, seed=4).rows).max() > 0.1
    # Of the weight it knows the singular values alone.
    np.testing.assert_allclose(basis.singular_values, orthonormal_basis(w).singular_values)
    assert basis.form == "random"


def test_random_rows_favour_no_direction():
    # The mean of x x^T over unit vectors x is I / d, within four standard errors.
    rows = np.concatenate([random_basis(weight(2, 3), rank=1, seed=s).rows for s in range(400)])
    outer = rows[:, :, None] * rows[:, None, :]
    error = outer.std(0) / np.sqrt(len(rows))
    assert (np.abs(outer.mean(0) - np.eye(3) / 3) < 4 * error).all()
    assert (np.abs(rows.mean(0)) < 4 * rows.std(0) / np.sqrt(len(rows))).all()


@pytest.mark.parametrize("rank", [0, 9])
def test_there_are_no_more_orthonormal_rows_than_dimensions(rank):
    with pytest.raises(UsageError, match="1 to 8 orthonormal rows"):
        random_basis(weight(5, 8), rank=rank, seed=0)


@pytest.mark.parametrize(
    ("values", "share", "power", "expected"),
    [
        ([6, 2, 1, 1], 0.8, 1, 0.5),  # 8 of 10
        ([6, 2, 1, 1], 0.81, 1, 0.75),
        ([6, 2, 1, 1], 0.8, 2, 0.25),  # 36 of 42
        ([1, 1, 1, 1, 1], 0.8, 1, 0.8),
        ([5], 0.8, 1, 1.0),
        ([3, 0, 0, 0], 1.0, 1, 0.25),
    ],
)
def test_the_share_of_dimensions_is_counted_from_the_largest_value_on(
    values, share, power, expected
):
    values = np.array(values, dtype=np.float64)
    assert share_of_dimensions(values, share=share, power=power) == expected
    # Scale does not matter.
    assert share_of_dimensions(values / 7, share=share, power=power) == expected

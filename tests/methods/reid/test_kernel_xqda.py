from pathlib import Path

import numpy as np
import pytest

from attncli.config.reid_metrics import KernelXqdaConfig
from attncli.errors import AttncliError
from attncli.methods.reid.kernel_xqda import (
    build_kernel_xqda,
    fit_kernel_xqda,
    kernel_rows,
    rbf_width,
    squared_lengths,
)
from attncli.methods.reid.xqda import fit_xqda
from attncli.training.metric import TwoViews


def views(n_people=12, d=4, seed=0, noise=0.2):
    """Draw two images of each person, one a view."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(n_people, d))
    gallery, probe = (people + noise * rng.normal(size=people.shape) for _ in range(2))
    return gallery, probe, np.arange(n_people), np.arange(n_people)


def explicit_kernel_xqda(gallery, probe, gallery_ids, probe_ids, regularization=1e-7):
    """EK-XQDA by explicit pairs of kernel columns, one pair and one entry at a time."""
    training = np.concatenate([gallery, probe])
    width = np.sqrt(np.mean([(a - b) @ (a - b) for a in training for b in training]) / 2)

    def column(x):
        return np.array([np.exp(-((x - t) @ (x - t)) / (2 * width**2)) for t in training])

    pairs = {True: [], False: []}
    for x, x_id in zip(gallery, gallery_ids, strict=True):
        for z, z_id in zip(probe, probe_ids, strict=True):
            difference = column(x) - column(z)
            pairs[bool(x_id == z_id)].append(np.outer(difference, difference))
    intra, extra = (np.mean(pairs[kind], axis=0) for kind in (True, False))
    intra += regularization * np.eye(len(training))
    values, vectors = np.linalg.eig(np.linalg.inv(intra) @ extra)
    theta = vectors.real[:, values.real > 1]
    gamma = np.linalg.inv(theta.T @ intra @ theta) - np.linalg.inv(theta.T @ extra @ theta)

    def distance(x, z):
        difference = theta.T @ (column(x) - column(z))
        return difference @ gamma @ difference

    return lambda x, z: np.array([[distance(a, b) for b in z] for a in x])


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_explicit_pairs(seed):
    data = views(seed=seed)
    gallery, probe, *_ = views(seed=seed + 50)
    expected = explicit_kernel_xqda(*data, regularization=1e-3)(probe, gallery)
    found = fit_kernel_xqda(*data, regularization=1e-3).distances(probe, gallery)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * expected.max())


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_kernel_is_xqda_where_all_directions_are_kept(seed):
    data = views(seed=seed)
    gallery, probe, *_ = views(seed=seed + 50)
    plain = fit_xqda(*data, regularization=1e-12)
    assert plain.W.shape == (4, 4)
    linear = fit_kernel_xqda(*data, kernel="linear")
    assert linear.metric.W.shape == (24, 4)
    expected, found = plain.distances(probe, gallery), linear.distances(probe, gallery)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.max())
    assert (np.argsort(found, axis=1) == np.argsort(expected, axis=1)).all()


def test_directions_have_length_1_in_the_kernels_space():
    found = fit_kernel_xqda(*views())
    rows = found.columns(found.training)
    lengths = np.einsum("tr,ts,sr->r", found.metric.W, rows, found.metric.W)
    np.testing.assert_allclose(lengths, 1, rtol=1e-6)
    n_kept = found.metric.W.shape[1]
    assert (found.metric.singular_values[:n_kept] > 1).all()
    assert (found.metric.singular_values[n_kept:] <= 1).all()
    assert (np.diag(found.metric.M) > 0).all()


def test_people_on_rings_need_the_gaussian_kernel():
    # Each person is a distance from the centre, whatever the direction: no linear measure sees it.
    rng = np.random.default_rng(0)
    ids = np.tile(np.arange(4), 15)

    def view():
        angles = rng.uniform(0, 2 * np.pi, len(ids))
        return (1.0 + ids)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)

    data = (view(), view(), ids, ids)
    gallery, probe = view(), view()
    right = ids[:, None] == ids
    shares = []
    for measure in (fit_xqda(*data), fit_kernel_xqda(*data, regularization=1e-3)):
        nearest = np.argsort(measure.distances(probe, gallery), axis=1)[:, :15]
        shares.append(np.take_along_axis(right, nearest, axis=1).mean())
    assert shares[0] < 0.7
    assert shares[1] > 0.8


def test_the_width_is_the_root_of_half_the_mean_squared_distance():
    # Squared distances 0, 16, 16, 0.
    assert rbf_width(np.array([[0.0], [4.0]])) == pytest.approx(np.sqrt(8 / 2))


def test_kernels_by_hand():
    features, training = np.array([[0.0, 1.0]]), np.array([[0.0, 3.0], [2.0, 1.0]])
    assert squared_lengths(features, training).tolist() == [[4, 4]]
    assert kernel_rows(features, training, None).tolist() == [[3, 1]]
    np.testing.assert_allclose(kernel_rows(features, training, 2.0), np.exp(-0.5))


def test_one_direction_without_a_value_above_one_is_projected_away():
    # The two images of each person are as far apart as those of any two are.
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(3), 30)
    features = rng.normal(size=(90, 2)), rng.normal(size=(90, 2))
    plain, projected = (
        fit_kernel_xqda(*features, ids, ids, regularization=100.0, projection=projection)
        for projection in (False, True)
    )
    assert plain.metric.W.shape == (180, 1)
    assert plain.metric.M.item() < 0
    assert projected.metric.M.item() == 0


def test_features_that_are_not_finite_are_refused():
    gallery, probe, *ids = views()
    gallery[0, 0] = np.nan
    with pytest.raises(AttncliError, match="a feature is not finite"):
        fit_kernel_xqda(gallery, probe, *ids)


def test_constant_features_are_refused():
    gallery, probe, *ids = views()
    with pytest.raises(AttncliError, match="all images have the same features"):
        fit_kernel_xqda(np.ones_like(gallery), np.ones_like(probe), *ids)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_distance_is_restored_from_its_state(kernel):
    gallery, probe, *ids = views()
    rows = gallery.astype(np.float32), probe.astype(np.float32)
    maker = build_kernel_xqda(KernelXqdaConfig(data=Path("f"), kernel=kernel))
    learnt = maker.fit(TwoViews(*rows, *ids))
    again = maker.restored(learnt.state())
    assert again.width == learnt.width
    expected = learnt.distances(rows[1], rows[0])
    parts = again.embed(rows[1]), again.embed(rows[0])
    np.testing.assert_array_equal(again.between(*parts), expected)
    assert learnt.facts["width"] == learnt.width


def test_memory_goes_with_pairs_of_images():
    maker = build_kernel_xqda(KernelXqdaConfig(data=Path("f")))
    assert maker.memory_bytes(2000, 8) > 3 * maker.memory_bytes(1000, 8)

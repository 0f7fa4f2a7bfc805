import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.config.reid_metrics import XqdaConfig
from attncli.errors import AttncliError
from attncli.methods.reid.xqda import (
    build_xqda,
    fit_xqda,
    pair_covariances,
    positive_part,
    random_views,
)
from attncli.training.metric import TwoViews


def views(n_people=8, d=5, seed=0, noise=0.5):
    """Draw two views of some people, of one to three images each."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(n_people, d))
    ids = [np.repeat(np.arange(n_people), rng.integers(1, 4, n_people)) for _ in range(2)]
    shuffled = [rng.permutation(view) for view in ids]
    features = [people[view] + noise * rng.normal(size=(len(view), d)) for view in shuffled]
    return *features, *shuffled


def explicit_covariances(gallery, probe, gallery_ids, probe_ids):
    """The definitions: means of (x - z)(x - z)' over the pairs, one pair at a time."""
    pairs = {True: [], False: []}
    for x, x_id in zip(gallery, gallery_ids, strict=True):
        for z, z_id in zip(probe, probe_ids, strict=True):
            pairs[bool(x_id == z_id)].append(np.outer(x - z, x - z))
    return np.mean(pairs[True], axis=0), np.mean(pairs[False], axis=0)


def explicit_xqda(gallery, probe, gallery_ids, probe_ids, regularization=1e-3):
    """The paper by explicit pairs, d x d, with inverses written out; returns a distance."""
    intra, extra = explicit_covariances(gallery, probe, gallery_ids, probe_ids)
    intra += regularization * np.eye(len(intra))
    u, values, _ = np.linalg.svd(np.linalg.inv(intra) @ extra)
    w = u[:, : max(1, int((values > 1).sum()))]
    m = np.linalg.inv(w.T @ intra @ w) - np.linalg.inv(w.T @ extra @ w)
    return lambda x, z: np.array([[(a - b) @ w @ m @ w.T @ (a - b) for b in z] for a in x])


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(other).max())


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_covariances_are_means_over_pairs(seed):
    data = views(seed=seed)
    found = pair_covariances(*data)
    intra, extra = explicit_covariances(*data)
    np.testing.assert_allclose(found.intra, intra, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.extra, extra, rtol=1e-10, atol=1e-12)


def test_people_in_one_view_alone_are_pairs_of_two():
    gallery, probe = np.array([[0.0], [1.0]]), np.array([[3.0], [7.0]])
    found = pair_covariances(gallery, probe, np.array([1, 2]), np.array([1, 3]))
    assert found.intra.item() == 9
    assert found.extra.item() == pytest.approx((49 + 4 + 36) / 3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("d", [5, 60])
def test_distances_are_those_of_explicit_pairs(seed, d):
    data = views(d=d, seed=seed)
    gallery, probe, *_ = views(d=d, seed=seed + 100)
    found = fit_xqda(*data)
    assert_close(found.distances(probe, gallery), explicit_xqda(*data)(probe, gallery))


def test_all_directions_of_a_value_above_one_are_kept():
    found = fit_xqda(*views(d=5))
    n_kept = found.W.shape[1]
    assert (found.singular_values[:n_kept] > 1).all()
    assert (found.singular_values[n_kept:] <= 1).all()
    assert (np.diff(found.singular_values) <= 0).all()
    np.testing.assert_allclose(found.W.T @ found.W, np.eye(n_kept), atol=1e-12)


def test_one_direction_is_kept_where_none_tells_people_apart():
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(10), 20)
    features = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    found = fit_xqda(*features, ids, ids, regularization=1.0)
    assert (found.singular_values < 1).all()
    assert found.W.shape == (3, 1)
    assert found.M.shape == (1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_qr_changes_no_distance(seed):
    data = views(d=80, seed=seed)
    gallery, probe, *_ = views(d=80, seed=seed + 100)
    reduced, whole = fit_xqda(*data), fit_xqda(*data, qr=False)
    n = len(data[0]) + len(data[1])
    assert n < 80
    assert len(reduced.singular_values) == n
    assert len(whole.singular_values) == 80
    np.testing.assert_allclose(whole.singular_values[:n], reduced.singular_values, atol=1e-8)
    assert_close(reduced.distances(probe, gallery), whole.distances(probe, gallery))


def test_projection_leaves_no_negative_distance():
    data = views(n_people=30, d=40, noise=3.0)
    plain, projected = fit_xqda(*data), fit_xqda(*data, projection=True)
    assert np.linalg.eigvalsh(plain.M).min() < -1e-6
    # Along the direction of M's lowest eigenvalue two features are nearer than equal ones.
    worst = (plain.W @ np.linalg.eigh(plain.M)[1][:, :1]).T
    assert plain.distances(worst, np.zeros_like(worst)).item() < 0
    assert projected.distances(worst, np.zeros_like(worst)).item() == pytest.approx(0, abs=1e-9)


def test_the_positive_part_by_hand():
    np.testing.assert_allclose(positive_part(np.diag([2.0, -3.0])), np.diag([2.0, 0.0]))


def test_a_direction_that_only_cameras_differ_in_is_ignored():
    # Axis 0 tells people apart, axis 1 is noise of any image: XQDA ranks by axis 0.
    rng = np.random.default_rng(0)
    ids = np.arange(1, 41)
    who = rng.normal(size=40)
    gallery, probe = (
        np.stack([who + 0.05 * rng.normal(size=40), 5 * rng.normal(size=40)], 1) for _ in range(2)
    )
    distances = fit_xqda(gallery, probe, ids, ids).distances(probe, gallery)
    plain = np.linalg.norm(probe[:, None] - gallery, axis=2)
    own = np.arange(40)
    # How many gallery images are nearer than the right one.
    nearer = [(table < table[own, own][:, None]).sum(1).mean() for table in (distances, plain)]
    assert nearer[0] < 2
    assert nearer[1] > 8


def test_32_bit_features_are_fitted_in_64_bits():
    gallery, probe, *ids = views()
    narrow = fit_xqda(gallery.astype(np.float32), probe.astype(np.float32), *ids)
    assert narrow.W.dtype == narrow.M.dtype == np.float64
    distances = narrow.distances(probe.astype(np.float32), gallery.astype(np.float32))
    assert distances.dtype == np.float64


def test_images_with_the_same_features_are_equally_far_anywhere():
    data = views(d=33)
    found = fit_xqda(*data)
    gallery = np.tile(data[0][:1], (301, 1))
    assert (np.ptp(found.distances(data[1], gallery), axis=1) == 0).all()


def test_blocks_of_probes_have_the_same_distances():
    data = views(n_people=40, d=33)
    found = fit_xqda(*data)
    whole = found.distances(data[1], data[0])
    parts = [found.distances(data[1][row : row + 1], data[0]) for row in range(len(data[1]))]
    assert (np.concatenate(parts) == whole).mean() > 0.999
    assert_close(np.concatenate(parts), whole)


def test_one_person_is_refused():
    with pytest.raises(AttncliError, match="only one person"):
        fit_xqda(np.eye(2), np.eye(2), np.ones(2, np.int64), np.ones(2, np.int64))


def test_views_of_different_people_are_refused():
    with pytest.raises(AttncliError, match="nobody is in both"):
        fit_xqda(np.eye(2), np.eye(2), np.array([1, 2]), np.array([3, 4]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(value):
    gallery, probe, *ids = views()
    probe[1, 2] = value
    with pytest.raises(AttncliError, match="a feature is not finite"):
        fit_xqda(gallery, probe, *ids)


def test_constant_features_are_refused():
    gallery, probe, *ids = views()
    with pytest.raises(AttncliError, match="all images have the same features"):
        fit_xqda(np.full_like(gallery, 0.1), np.full_like(probe, 0.1), *ids)


IDS = np.repeat([4, 5, 6, 7], [5, 4, 3, 6])
CAMERAS = np.array([1, 1, 2, 3, 3, 1, 2, 3, 4, 2, 2, 2, 1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize("seed", range(10))
def test_views_share_no_camera_of_a_person(seed):
    gallery, probe = random_views(IDS, CAMERAS, np.random.default_rng(seed))
    together = np.sort(np.concatenate([gallery, probe]))
    assert together.tolist() == np.flatnonzero(IDS != 6).tolist()  # one camera saw 6
    assert (np.diff(gallery) > 0).all()
    for person in (4, 5, 7):
        sides = [set(CAMERAS[rows][IDS[rows] == person]) for rows in (gallery, probe)]
        assert not sides[0] & sides[1]
        assert abs(len(sides[0]) - len(sides[1])) <= 1


def test_views_are_a_matter_of_the_seed():
    draws = [
        tuple(random_views(IDS, CAMERAS, np.random.default_rng(seed))[0].tolist())
        for seed in (0, 0, *range(20))
    ]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 5


def test_one_camera_is_refused():
    with pytest.raises(AttncliError, match="nobody was seen by two cameras"):
        random_views(IDS, np.ones_like(IDS), np.random.default_rng(0))


@pytest.mark.parametrize("projection", [False, True])
def test_a_distance_is_restored_from_its_state(projection):
    gallery, probe, *ids = views()
    rows = gallery.astype(np.float32), probe.astype(np.float32)
    maker = build_xqda(XqdaConfig(data=Path("f"), regularization=0.1, projection=projection))
    learnt = maker.fit(TwoViews(*rows, *ids))
    expected = fit_xqda(*rows, *ids, regularization=0.1, projection=projection)
    again = maker.restored(learnt.state())
    parts = again.embed(rows[1]), again.embed(rows[0])
    np.testing.assert_array_equal(again.between(*parts), expected.distances(rows[1], rows[0]))
    assert learnt.facts["directions"] == expected.W.shape[1]


def test_memory_goes_with_the_smaller_side_of_the_features():
    maker = build_xqda(XqdaConfig(data=Path("f")))
    assert maker.memory_bytes(100, 12_288) < maker.memory_bytes(12_288, 12_288) / 50


@pytest.mark.parametrize("size", [(120, 900), (600, 80)])
def test_a_fit_takes_no_more_memory_than_it_says(size):
    n_rows, n_dims = size
    rng = np.random.default_rng(0)
    ids = np.arange(n_rows // 2, dtype=np.int64) // 3
    views = [rng.normal(size=(n_rows // 2, n_dims)).astype(np.float32) for _ in range(2)]
    maker = build_xqda(XqdaConfig(data=Path("f")))
    tracemalloc.start()
    maker.fit(TwoViews(views[0], views[1], ids, ids))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    needed = maker.memory_bytes(n_rows, n_dims)
    assert needed / 8 < peak < needed

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.errors import AttncliError, UsageError
from attncli.methods.reid.cells import cell_means
from attncli.methods.reid.scatter import ScatterSums, random_projection


def people(seed=0, n_people=5, channels=3, hw=(2, 2), cameras=("a", "b")):
    """Draw maps of people seen once to five times each, by cameras at random."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(n_people), rng.integers(1, 6, n_people))
    features = rng.normal(size=(n_people, channels, *hw))[identities]
    features = features + rng.normal(size=features.shape)
    seen_by = rng.permutation([cameras[i % len(cameras)] for i in range(len(identities))])
    return features, identities, seen_by.tolist()


def scatter(features, identities, cameras, projection=None, **options):
    sums = ScatterSums(projection, **options)
    sums.add(features, identities, cameras)
    return sums.scatter()


def placed(features, cameras, names):
    """Return Z: each map in the columns of its camera."""
    n, c, h, w = features.shape
    z = np.zeros((n, c, len(names), h * w))
    for i, name in enumerate(cameras):
        z[i, :, names.index(name)] = features[i].reshape(c, -1)
    return z.reshape(n, c, -1)


def by_pairs(z, identities):
    """Sugiyama's sums over pairs: each of one person 1 / n_k within, every pair 1 / n in all."""
    n, size = len(z), z.shape[2]
    within, between = np.zeros((size, size)), np.zeros((size, size))
    for i in range(n):
        for j in range(i):
            difference = z[i] - z[j]
            product = difference.T @ difference
            own = 0.0
            if identities[i] == identities[j]:
                own = 1 / int((identities == identities[i]).sum())
            within += own * product
            between += (1 / n - own) * product
    return within / n, between / n


def assert_same(one, other):
    np.testing.assert_allclose(one.within, other.within, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(one.between, other.between, rtol=1e-9, atol=1e-11)
    assert one.mean_square == pytest.approx(other.mean_square)
    assert one.cameras == other.cameras


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_scatter_is_what_loops_over_pairs_give(seed):
    features, identities, cameras = people(seed)
    found = scatter(features, identities, cameras)
    z = placed(features, cameras, list(found.cameras))
    within, between = by_pairs(z, identities)
    np.testing.assert_allclose(found.within, within, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.between, between, rtol=1e-9, atol=1e-11)
    assert found.cameras == ("a", "b")
    assert found.mean_square == pytest.approx((features**2).sum() / len(features))


def test_two_people_by_hand():
    features = np.array([1.0, 3.0, 8.0]).reshape(3, 1, 1, 1)
    found = scatter(features, np.array([0, 0, 1]), ["a"] * 3)
    assert found.within.item() == pytest.approx(2 / 3)
    # Means 2, 2 and 8, of mean 4.
    assert found.between.item() == pytest.approx((4 + 4 + 16) / 3)


def test_more_people_than_are_multiplied_together():
    features, identities, cameras = people(n_people=70)
    within, between = by_pairs(placed(features, cameras, ["a", "b"]), identities)
    found = scatter(features, identities, cameras)
    np.testing.assert_allclose(found.within, within, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.between, between, rtol=1e-9, atol=1e-11)


def test_batches_and_their_order_do_not_matter():
    features, identities, cameras = people()
    order = np.random.default_rng(1).permutation(len(features))
    sums = ScatterSums()
    for rows in np.array_split(order, 4):
        sums.add(features[rows], identities[rows], [cameras[row] for row in rows])
    assert_same(sums.scatter(), scatter(features, identities, cameras))


def test_cameras_that_share_weights_are_one_camera():
    features, identities, cameras = people()
    shared = scatter(features, identities, cameras, shared=True)
    single = scatter(features, identities, ["a"] * len(cameras))
    np.testing.assert_array_equal(shared.within, single.within)
    np.testing.assert_array_equal(shared.between, single.between)
    assert shared.cameras == ()
    assert shared.n_cameras == single.n_cameras == 1


def test_blocks_of_channels_add_up():
    features, identities, cameras = people()
    parts = [scatter(features[:, one], identities, cameras) for one in np.split(np.arange(3), [1])]
    assert_same(parts[0] + parts[1], scatter(features, identities, cameras))
    shared = scatter(features, identities, cameras, shared=True)
    with pytest.raises(ValueError, match="cameras"):
        parts[0] + shared


def test_as_many_rows_at_right_angles_as_channels_keep_scatter():
    features, identities, cameras = people(channels=6)
    whole = random_projection(6, 6, seed=3)
    assert_same(
        scatter(features, identities, cameras, whole), scatter(features, identities, cameras)
    )


@pytest.mark.parametrize("draw", ["orthonormal", "gaussian"])
def test_projections_keep_lengths_on_average(draw):
    x = np.random.default_rng(0).normal(size=8)
    lengths = [
        np.square(random_projection(8, 2, seed=seed, draw=draw) @ x).sum() for seed in range(500)
    ]
    assert np.mean(lengths) == pytest.approx(np.square(x).sum(), rel=0.15)


def test_orthonormal_rows_are_of_one_length_and_at_right_angles():
    rows = random_projection(8, 2, seed=0)
    np.testing.assert_allclose(rows @ rows.T, 4 * np.eye(2), atol=1e-12)
    np.testing.assert_array_equal(rows, random_projection(8, 2, seed=0))
    assert not np.allclose(rows, random_projection(8, 2, seed=1))


@pytest.mark.parametrize("n_rows", [0, 9])
def test_no_more_rows_than_channels(n_rows):
    with pytest.raises(UsageError, match="1 to 8 rows, not"):
        random_projection(8, n_rows, seed=0)


def test_projection_and_cells_come_before_sums():
    features, identities, cameras = people(hw=(4, 2))
    rows, cells = random_projection(3, 2, seed=0), cell_means((4, 2), (2, 1))
    made = np.einsum("rc,ncp,pq->nrq", rows, features.reshape(-1, 3, 8), cells)[..., None]
    assert_same(
        scatter(features, identities, cameras, rows, cells=cells),
        scatter(made, identities, cameras),
    )


def test_camera_ten_comes_after_camera_nine():
    features, identities, _ = people(n_people=3)
    names = [("9", "10")[i % 2] for i in range(len(identities))]
    assert scatter(features, identities, names).cameras == ("9", "10")


def test_one_person_is_refused():
    features, _, cameras = people()
    with pytest.raises(AttncliError, match="show 1 people, at least two are needed"):
        scatter(features, np.zeros(len(cameras), np.int64), cameras)


def test_no_image_is_refused():
    with pytest.raises(AttncliError, match="show 0 people"):
        ScatterSums().scatter()


def test_a_person_of_one_image_counts_between_people_alone():
    features = np.array([1.0, 3.0, 8.0]).reshape(3, 1, 1, 1)
    identities = np.array([0, 0, 1])
    found = scatter(features, identities, ["a"] * 3)
    moved = scatter(features + np.array([0, 0, 2.0])[:, None, None, None], identities, ["a"] * 3)
    assert moved.within.item() == pytest.approx(found.within.item())
    assert moved.between.item() > found.between.item()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("projection", [None, random_projection(3, 2, seed=0)])
def test_values_that_are_not_finite_are_refused(value, projection):
    features, identities, cameras = people()
    features[0, :, 0, 0] = value
    with pytest.raises(AttncliError, match="not finite"):
        scatter(features, identities, cameras, projection)

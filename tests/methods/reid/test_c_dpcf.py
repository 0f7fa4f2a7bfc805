from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.config.reid_features import CDpcfConfig
from attncli.errors import AttncliError, UsageError
from attncli.methods.reid.c_dpcf import PositionMaps, build_c_dpcf, solve
from attncli.methods.reid.cells import cell_means
from attncli.methods.reid.scatter import Scatter, ScatterSums

HW = (2, 3)


def people(seed=0, n_people=12, per_camera=3, channels=4, cameras=("a", "b"), telling=None):
    """Draw people; `telling` is the one position by camera that shows who it is, if there is."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(n_people), per_camera * len(cameras))
    seen_by = list(cameras) * (n_people * per_camera)
    features = rng.normal(size=(len(identities), channels, HW[0] * HW[1]))
    who = rng.normal(size=(n_people, channels))
    for i, camera in enumerate(seen_by):
        at = slice(None) if telling is None else telling[camera]
        features[i, :, at] += (3 * who[identities[i]]).reshape(channels, *[1] * (telling is None))
    return features.reshape(len(identities), channels, *HW), identities, seen_by


def maps_of(features, identities, cameras, n_maps=2, shared=False, **options):
    sums = ScatterSums(shared=shared)
    sums.add(features, identities, cameras)
    return solve(sums.scatter(), n_maps, **options)


def scatter_of_pooled(pooled, identities):
    """Mean squared deviation within and between people, by the definition."""
    within = between = 0.0
    for person in np.unique(identities):
        own = pooled[identities == person]
        mean = own.mean(axis=0)
        within += np.square(own - mean).sum()
        between += len(own) * np.square(mean - pooled.mean(axis=0)).sum()
    return within / len(pooled), between / len(pooled)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_ratios_and_scale_are_those_of_pooled_features(seed):
    features, identities, cameras = people(seed)
    found = maps_of(features, identities, cameras, regularization=0.0)
    pooled = found.pool(features, cameras).astype(np.float64)
    for number, own in enumerate(np.split(pooled, 2, axis=1)):
        within, between = scatter_of_pooled(own, identities)
        assert within == pytest.approx(1, rel=1e-4)
        assert between / within == pytest.approx(found.ratios[number], rel=1e-4)
    assert found.ratios[0] >= found.ratios[1]


def test_no_other_weights_tell_people_apart_better():
    features, identities, cameras = people()
    best = maps_of(features, identities, cameras, n_maps=1, regularization=0.0)
    rng = np.random.default_rng(0)
    for size in (0.01, 0.1, 1.0, 10.0):
        other = best.maps + size * np.abs(best.maps).max() * rng.normal(size=best.maps.shape)
        pooled = PositionMaps(other, best.ratios, best.cameras).pool(features, cameras)
        within, between = scatter_of_pooled(pooled.astype(np.float64), identities)
        assert between / within < best.ratios[0] + 1e-4


def test_each_camera_finds_the_position_that_shows_who_it_is():
    found = maps_of(*people(telling={"a": 1, "b": 5}), n_maps=1)
    weights = np.abs(found.maps[:, 0])
    assert weights.argmax(axis=1).tolist() == [1, 5]
    for camera, position in enumerate((1, 5)):
        assert np.delete(weights[camera], position).max() < 0.35 * weights[camera, position]
    # One sign, as features of both cameras are compared.
    assert (found.maps[[0, 1], 0, [1, 5]] > 0).all()


def test_shared_maps_cannot_follow_cameras():
    case = people(telling={"a": 1, "b": 5})
    shared, joint = (maps_of(*case, n_maps=1, shared=each) for each in (True, False))
    assert joint.ratios[0] > 1.5 * shared.ratios[0]


def test_one_camera_is_as_shared():
    case = people(cameras=("a",))
    shared, single = (maps_of(*case, shared=each) for each in (True, False))
    np.testing.assert_array_equal(shared.maps, single.maps)
    np.testing.assert_array_equal(shared.pool(case[0], case[2]), single.pool(case[0], case[2]))
    assert (shared.cameras, single.cameras) == ((), ("a",))


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_units_of_features_do_not_matter(scale):
    features, identities, cameras = people()
    one, other = (maps_of(f, identities, cameras) for f in (features, scale * features))
    np.testing.assert_allclose(one.ratios, other.ratios, rtol=1e-8)
    np.testing.assert_allclose(
        one.pool(features, cameras), other.pool(scale * features, cameras), rtol=1e-3, atol=1e-4
    )


def test_order_of_images_does_not_matter():
    features, identities, cameras = people()
    order = np.random.default_rng(0).permutation(len(features))
    mixed = maps_of(features[order], identities[order], [cameras[row] for row in order])
    np.testing.assert_allclose(mixed.maps, maps_of(features, identities, cameras).maps, rtol=1e-7)


def test_pooled_features_by_hand():
    maps = np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, -1.0]]])
    found = PositionMaps(maps, np.ones(2), ("a", "b"))
    features = np.array([[[[1.0], [2.0]], [[3.0], [4.0]]]] * 2)
    np.testing.assert_array_equal(found.pool(features, ["b", "a"]), [[3, 7, -1, -1], [1, 3, 4, 8]])


def test_a_coarse_grid_gives_maps_of_all_positions():
    features, identities, cameras = people()
    cells = cell_means(HW, (2, 1))
    sums = ScatterSums(cells=cells)
    sums.add(features, identities, cameras)
    found = solve(sums.scatter(), 1, cells=cells)
    assert found.maps.shape == (2, 1, 6)
    rows = found.maps.reshape(2, 2, 3)
    np.testing.assert_allclose(rows, rows[:, :, :1].repeat(3, axis=2))
    coarse = (features.reshape(*features.shape[:2], -1) @ cells)[..., None]
    np.testing.assert_allclose(
        found.pool(features, cameras),
        maps_of(coarse, identities, cameras, n_maps=1).pool(coarse, cameras),
        rtol=1e-4,
        atol=1e-5,
    )


def test_regularization_counts_by_the_scatter_within_people():
    scatter = Scatter(np.diag([1.0, 3.0]), np.diag([2.0, 9.0]), (), 15.0)
    found = solve(scatter, 2, regularization=0.5)
    np.testing.assert_allclose(found.ratios, [9 / 4, 2 / 2])
    np.testing.assert_allclose(found.maps, [[[0, 0.5], [0.5**0.5, 0]]], atol=1e-12)


def test_a_position_that_never_varies_needs_regularization():
    features, identities, cameras = people()
    features[..., 0] = 0
    assert np.isfinite(maps_of(features, identities, cameras).maps).all()
    with pytest.raises(AttncliError, match="use a larger one"):
        maps_of(features, identities, cameras, regularization=0.0)


@pytest.mark.parametrize("n_maps", [0, 13])
def test_as_many_maps_as_positions_of_all_cameras(n_maps):
    case = people()
    assert maps_of(*case, n_maps=12).maps.shape == (2, 12, 6)
    with pytest.raises(UsageError, match="1 to 12 maps, not"):
        maps_of(*case, n_maps=n_maps)


def test_one_image_a_person_says_nothing_of_what_to_ignore():
    features, _, cameras = people()
    with pytest.raises(AttncliError, match="no person has two images that differ"):
        maps_of(features, np.arange(len(features)), cameras)


@pytest.mark.parametrize("shared", [True, False])
def test_constant_features_are_refused(shared):
    features, identities, cameras = people()
    with pytest.raises(AttncliError, match=r"images that differ|all people are the same"):
        maps_of(np.full_like(features, 0.3), identities, cameras, shared=shared)


def test_a_camera_not_learnt_from_is_named():
    features, identities, cameras = people()
    found = maps_of(features, identities, cameras)
    with pytest.raises(AttncliError, match="no weights for camera 'c', only for a, b"):
        found.pool(features[:2], ["a", "c"])
    shared = maps_of(features, identities, cameras, shared=True)
    assert shared.pool(features[:2], ["a", "c"]).shape == (2, 8)


def test_maps_of_another_size_are_refused():
    features, identities, cameras = people()
    found = maps_of(features, identities, cameras)
    with pytest.raises(AttncliError, match="weights are of 6 positions, and maps have 3x3"):
        found.pool(np.zeros((1, 4, 3, 3)), ["a"])


@pytest.mark.parametrize(("projection", "rows"), [(0, 4), (2, 2), (4, 4), (9, 4)])
def test_layers_with_few_channels_keep_them(projection, rows):
    how = build_c_dpcf(CDpcfConfig(data=Path(), projection=projection))
    assert how.rows(4) == rows


@pytest.mark.parametrize("name", ["c-dpcf", "shared-maps"])
def test_settings_pool_as_their_parts_do(name):
    features, identities, cameras = people()
    how = build_c_dpcf(CDpcfConfig(data=Path(), pooling=name, maps=2, projection=0))
    sums = how.sums(4, HW, range(4))
    sums.add(features, identities, cameras)
    maps = how.solve(sums.scatter(), HW)
    expected = maps_of(features, identities, cameras, shared=name == "shared-maps")
    np.testing.assert_allclose(maps.maps, expected.maps)
    pooled = how.pool(features, cameras, maps)
    np.testing.assert_allclose(pooled, expected.pool(features, cameras), rtol=1e-5)
    assert how.is_learnt


def test_blocks_of_projected_channels_are_parts_of_one_projection():
    features, identities, cameras = people()
    how = build_c_dpcf(CDpcfConfig(data=Path(), projection=3))
    parts = []
    for rows in (range(3), range(1), range(1, 3)):
        sums = how.sums(4, HW, rows)
        sums.add(features, identities, cameras)
        parts.append(sums.scatter())
    np.testing.assert_allclose(parts[0].within, (parts[1] + parts[2]).within)


def test_maps_are_at_most_positions_times_cameras():
    how = build_c_dpcf(CDpcfConfig(data=Path(), maps=5, grid_hw=(2, 1)))
    how.require_maps((4, 3), 3, name="conv5")
    with pytest.raises(UsageError, match="--maps: conv5 can have 1 to 4 maps of weights, not 5"):
        how.require_maps((4, 3), 2, name="conv5")


def test_baselines_learn_nothing():
    features, _, cameras = people()
    for name, width in (("average", 4), ("stripes", 8)):
        how = build_c_dpcf(CDpcfConfig(data=Path(), pooling=name, stripes=2))
        assert not how.is_learnt
        assert how.pool(features, cameras, None).shape == (len(features), width)
    how = build_c_dpcf(CDpcfConfig(data=Path(), pooling="stripes", stripes=3))
    how.require_maps((3, 2), 1, name="conv5")
    with pytest.raises(UsageError, match="--stripes: conv5 has 2 rows, too few for 3 stripes"):
        how.require_maps((2, 3), 1, name="conv5")

import numpy as np
import pytest

from attncli.data.toy.painting import (
    BODY_RGB,
    BODY_SHARE,
    BULGE,
    PATCH_PX,
    Body,
    backdrop,
    paint,
    patch,
    sway,
    with_noise,
)

HW = (60, 80)


def rng(seed=0):
    return np.random.default_rng(seed)


def body(*, centre_xy=(40.0, 30.0), radius_px=12.0, opacity=1.0, n_frames=1, turn_rad=0.0):
    return Body(
        patch=patch(rng(1)),
        centre_xy=np.tile(centre_xy, (n_frames, 1)),
        radius_px=np.full(n_frames, radius_px),
        turn_rad=np.full(n_frames, turn_rad),
        opacity=np.full(n_frames, opacity),
    )


def test_a_background_follows_from_its_draws_and_moves():
    one, again = (backdrop(rng(1), rng(2), 40, HW) for _ in range(2))
    assert np.array_equal(one, again)
    assert one.shape == (40, *HW, 3)
    assert np.abs(one[20] - one[0]).mean() > 1
    assert not np.array_equal(one, backdrop(rng(1), rng(3), 40, HW))


def test_who_films_does_not_change_what_is_filmed():
    one, other = (backdrop(rng(1), rng(course), 1, (200, 200)) for course in (2, 3))
    assert one.mean() == pytest.approx(other.mean(), abs=3)
    assert np.abs(one.mean((0, 1, 2)) - other.mean((0, 1, 2))).max() < 3


def test_sway_is_a_slow_oscillation_within_one():
    swaying = sway(200, rng(), n=3)
    assert swaying.shape == (200, 3)
    assert 0.9 < np.abs(swaying).max(axis=0).min() <= 1
    # 2 pi / 30 is the fastest change there is, of the shortest period.
    assert np.abs(np.diff(swaying, axis=0)).max() <= 2 * np.pi / 30


@pytest.mark.parametrize("seed", range(5))
def test_a_body_is_of_about_the_size_and_colour_it_was_asked_for(seed):
    drawn = patch(rng(seed))
    inside = drawn[..., 3] >= 128
    radius = np.sqrt(inside.sum() / np.pi) / (PATCH_PX / 2)
    assert radius == pytest.approx(BODY_SHARE, rel=0.06)
    y, x = np.argwhere(inside).T - (PATCH_PX - 1) / 2
    assert np.hypot(x, y).max() <= BULGE * BODY_SHARE * PATCH_PX / 2
    assert np.abs(drawn[inside][:, :3].mean(axis=0) - BODY_RGB).max() < 25 + 10


def test_a_painted_body_covers_its_mask_and_nothing_beyond_its_reach():
    frames = np.zeros((1, *HW, 3), dtype=np.float32)
    masks = paint(frames, body())
    assert masks.sum() == pytest.approx(np.pi * 12**2, rel=0.1)
    y, x = np.argwhere(masks[0]).T
    assert (y.mean(), x.mean()) == pytest.approx((30, 40), abs=1.5)
    assert np.hypot(y - 30, x - 40).max() <= BULGE * 12 + 1
    painted = frames[0].any(axis=-1)
    assert painted[masks[0]].all()
    assert not painted[:10].any()


def test_a_body_that_is_half_there_changes_half_as_much_and_covers_nothing():
    whole, half = (np.full((1, *HW, 3), 100, dtype=np.float32) for _ in range(2))
    paint(whole, body())
    masks = paint(half, body(opacity=0.4))
    np.testing.assert_allclose(half - 100, 0.4 * (whole - 100), atol=0.01)
    assert not masks.any()


@pytest.mark.parametrize("centre_xy", [(-100.0, 30.0), (40.0, 300.0)])
def test_a_body_out_of_view_is_not_painted(centre_xy):
    frames = np.zeros((1, *HW, 3), dtype=np.float32)
    assert not paint(frames, body(centre_xy=centre_xy)).any()
    assert not frames.any()


def test_a_body_at_the_edge_is_cut_off():
    frames = np.zeros((1, *HW, 3), dtype=np.float32)
    masks = paint(frames, body(centre_xy=(0.0, 30.0)))
    assert masks.sum() == pytest.approx(np.pi * 12**2 / 2, rel=0.2)
    assert masks[0, :, 0].any()


def test_a_turned_body_is_the_same_one_turned():
    straight, turned = (
        paint(np.zeros((1, 81, 81, 3), np.float32), body(centre_xy=(40.0, 40.0), turn_rad=turn))
        for turn in (0.0, np.pi / 2)
    )
    assert (np.rot90(straight[0], -1) != turned[0]).mean() < 0.01


def test_noise_is_another_one_in_each_frame_and_of_the_cameras_strength():
    frames = with_noise(np.full((8, *HW, 3), 128, dtype=np.float32), rng())
    assert frames.dtype == np.uint8
    assert frames.std() == pytest.approx(4, rel=0.1)
    assert len({frame.tobytes() for frame in frames}) == 8


def test_noise_leaves_pixels_in_their_range():
    frames = np.zeros((2, *HW, 3), dtype=np.float32)
    frames[1] = 255
    noisy = with_noise(frames, rng())
    assert noisy[0].max() < 50 and noisy[1].min() > 200

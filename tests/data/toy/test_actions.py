import numpy as np
import pytest

from attncli.data.toy.actions import ACTIONS, Handling, Interval, render_action

SIZE_HW = (64, 72)
N_FRAMES = 48
LEFT_TO_RIGHT = "Pushing [something] from left to right"


def video(action: str, seed: int = 0, **options: int) -> Handling:
    return render_action(
        action,
        n_frames=N_FRAMES,
        size_hw=SIZE_HW,
        **options,
        look=np.random.default_rng(seed),
        course=np.random.default_rng(seed + 1000),
    )


def middles(masks: np.ndarray) -> np.ndarray:
    """Column and row of a body's middle in each frame; NaN where it is not to be seen."""
    rows, columns = np.indices(masks.shape[1:])
    area = masks.sum(axis=(1, 2)).astype(float)
    area[area == 0] = np.nan
    return np.stack([(masks * grid).sum(axis=(1, 2)) / area for grid in (columns, rows)], axis=1)


def change(handling: Handling, values: np.ndarray) -> float:
    """How much a value per frame grows while the action takes place."""
    return values[handling.active.last] - values[handling.active.first]


@pytest.mark.parametrize("seed", range(6))
def test_the_handled_body_does_what_its_class_says(seed):
    moved = {}
    for action in ACTIONS:
        handling = video(action, seed)
        x, y = middles(handling.scene.masks).T
        area = handling.scene.masks.sum(axis=(1, 2)).astype(float)
        moved[action] = (change(handling, x), change(handling, y), change(handling, area))
    assert moved["Pushing [something] from left to right"][0] > 10
    assert moved["Pushing [something] from right to left"][0] < -10
    assert moved["Moving [something] down"][1] > 8
    assert moved["Moving [something] up"][1] < -8
    for growing in ("Moving [something] towards the camera", "[Something] appearing"):
        assert moved[growing][2] > 20
    for shrinking in ("Moving [something] away from the camera", "[Something] disappearing"):
        assert moved[shrinking][2] < -20


def test_something_appears_out_of_nothing_and_disappears_into_it():
    appearing, disappearing = video("[Something] appearing"), video("[Something] disappearing")
    assert not appearing.scene.masks[: appearing.active.first + 1].any()
    assert appearing.scene.masks[appearing.active.last].any()
    assert not disappearing.scene.masks[disappearing.active.last :].any()


@pytest.mark.parametrize("seed", range(6))
def test_outside_the_interval_the_handled_body_rests(seed):
    handling = video(LEFT_TO_RIGHT, seed)
    middle = middles(handling.scene.masks)
    before, after = middle[: handling.active.first + 1], middle[handling.active.last :]
    # It trembles, and the hand hides a part of it as it comes and goes.
    for idle in (before, after):
        assert np.ptp(idle[:, 0]) < 8


@pytest.mark.parametrize("seed", range(20))
def test_the_key_part_lies_within_the_action_and_the_action_within_the_video(seed):
    handling = video("Moving [something] up", seed)
    active, key = handling.active, handling.key
    assert 0 < active.first <= key.first <= key.last <= active.last < N_FRAMES
    assert 0.2 * N_FRAMES < active.last - active.first + 1 < 0.5 * N_FRAMES
    assert key.last - key.first < 0.6 * (active.last - active.first)


def test_times_places_and_looks_do_not_depend_on_the_class():
    videos = [video(action) for action in ACTIONS]
    assert len({handling.active for handling in videos}) == 1
    # Before anybody acts, those whose body is there and halfway large show it in one place.
    backgrounds = [handling.scene.frames[0, :6, :6] for handling in videos]
    for background in backgrounds[1:]:
        assert np.abs(background.astype(float) - backgrounds[0]).mean() < 12


def largest_change_while_idle(handling: Handling) -> float:
    """Largest change of a pixel between frames in which neither action nor hand is to be seen."""
    frames = handling.scene.frames.astype(float)
    idle = [*range(1, handling.active.first - 6), *range(handling.active.last + 8, N_FRAMES)]
    return max(np.abs(frames[i] - frames[i - 1]).mean(axis=2).max() for i in idle)


def test_other_bodies_act_outside_the_interval_too_unless_there_are_none():
    action = "[Something] appearing"
    misled = [largest_change_while_idle(video(action, seed)) for seed in range(12)]
    alone = [largest_change_while_idle(video(action, seed, others=0)) for seed in range(12)]
    assert np.median(misled) > 1.3 * np.median(alone)


def test_a_hand_is_there_while_the_action_takes_place_and_only_then():
    for seed in range(6):
        handling = video(LEFT_TO_RIGHT, seed, others=0)
        # Of all there is, the hand alone is as bright in blue.
        bright = (handling.scene.frames[..., 2] > 150) & (handling.scene.frames[..., 0] > 190)
        there = bright.mean(axis=(1, 2))
        active = there[handling.active.first : handling.active.last + 1]
        idle = np.r_[there[: max(0, handling.active.first - 6)], there[handling.active.last + 7 :]]
        assert active.min() > idle.max()


def test_the_same_draws_give_the_same_video():
    first, again, other = (video(LEFT_TO_RIGHT, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.scene.frames, again.scene.frames)
    np.testing.assert_array_equal(first.scene.masks, again.scene.masks)
    assert (first.scene.frames != other.scene.frames).any()


def test_progress_is_0_until_an_interval_1_from_its_end_and_half_in_its_middle():
    done = Interval(2, 6).progress(9)
    np.testing.assert_array_equal(done[:3], 0)
    np.testing.assert_array_equal(done[6:], 1)
    assert done[4] == 0.5
    assert (np.diff(done) >= 0).all()
    assert Interval(10, 20).part(0.3, 0.7) == Interval(13, 17)

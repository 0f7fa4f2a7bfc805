import numpy as np
import pytest

from attncli.data.toy.painting import Scene
from attncli.data.toy.scenes import MOTIONS, render

SIZE_HW = (60, 80)


def scene(motion: str, *, look: int = 0, course: int = 0) -> Scene:
    return render(
        motion,
        n_frames=40,
        size_hw=SIZE_HW,
        look=np.random.default_rng(look),
        course=np.random.default_rng(course),
    )


def spreads(masks: np.ndarray) -> dict[str, float]:
    """How far the mask's middle travels across and down, and how much its area changes."""
    rows, columns = np.indices(masks.shape[1:])
    area = masks.sum(axis=(1, 2))
    x = (masks * columns).sum(axis=(1, 2)) / area
    y = (masks * rows).sum(axis=(1, 2)) / area
    return {"x": np.ptp(x), "y": np.ptp(y), "area": np.ptp(area) / area.mean()}


@pytest.mark.parametrize("course", range(5))
def test_a_body_moves_as_its_class_says(course):
    moved = {motion: spreads(scene(motion, course=course).masks) for motion in MOTIONS}
    assert moved["Sliding"]["x"] > 3 * moved["Sliding"]["y"]
    assert moved["Hopping"]["y"] > 3 * moved["Hopping"]["x"]
    for both in ("Circling", "Slanting"):
        assert min(moved[both]["x"], moved[both]["y"]) > 6
    assert moved["Pulsing"]["area"] > 0.8
    still = moved["Spinning"]
    assert max(still["x"], still["y"]) < 6
    assert still["area"] < 0.4


def test_looks_do_not_depend_on_the_class():
    # Places and looks come from the same draws whatever the class is: the sizes are the same.
    areas = [scene(motion).masks[0].sum() for motion in ("Sliding", "Hopping", "Circling")]
    assert np.ptp(areas) < 0.05 * np.mean(areas)


def test_the_background_moves_too():
    sliding = scene("Sliding")
    background = ~sliding.masks.any(axis=0)
    early, late = (sliding.frames[i][background].astype(float) for i in (0, 20))
    noise = np.abs(np.diff([sliding.frames[i][background].astype(float) for i in (0, 1)], axis=0))
    assert np.abs(late - early).mean() > 1.5 * noise.mean()


def test_the_same_draws_give_the_same_video():
    first, again, other = (scene("Circling", course=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.frames, again.frames)
    assert (first.frames != other.frames).any()


@pytest.mark.parametrize("motion", MOTIONS)
def test_the_body_is_seen_in_every_frame(motion):
    assert (scene(motion).masks.mean(axis=(1, 2)) > 0.02).all()

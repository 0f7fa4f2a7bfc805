from dataclasses import replace

import numpy as np
import pytest

from attncli.data.toy.cameras import draw_camera, photograph
from attncli.data.toy.people import draw_person

PERSON = draw_person(np.random.default_rng(5))
CAMERA = replace(draw_camera(0, np.random.default_rng(0)), noise=0.0)


def take(person=PERSON, camera=CAMERA, *, looseness=1.0, seed=0, size_hw=(64, 32)):
    rng = np.random.default_rng(seed)
    return photograph(person, camera, size_hw=size_hw, looseness=looseness, rng=rng)


def test_a_box_has_the_size_asked_for_and_follows_from_the_seed():
    box = take(size_hw=(96, 40))
    assert box.shape == (96, 40, 3)
    assert box.dtype == np.uint8
    np.testing.assert_array_equal(box, take(size_hw=(96, 40)))
    assert (box != take(size_hw=(96, 40), seed=1)).any()


def test_the_side_that_a_camera_mostly_sees_comes_round():
    cameras = [draw_camera(n, np.random.default_rng(n)) for n in range(5)]
    assert [int(camera.views.argmax()) for camera in cameras] == [0, 1, 2, 3, 0]
    for camera in cameras:
        assert camera.views.sum() == pytest.approx(1)


def test_cast_and_tone_change_all_pixels_as_written():
    plain = replace(CAMERA, cast=np.ones(3), gamma=1.0)
    cast = np.array([0.5, 0.25, 1.0])
    light = take(camera=plain).astype(float)
    np.testing.assert_allclose(take(camera=replace(plain, cast=cast)), light * cast, atol=1)


def test_two_cameras_see_one_person_otherwise():
    other = draw_camera(1, np.random.default_rng(1))
    means = [take(camera=camera).mean(axis=(0, 1)) for camera in (CAMERA, other)]
    assert np.abs(means[0] - means[1]).max() > 10


def test_a_box_about_nobody_is_background():
    same = replace(CAMERA, backdrop=np.full_like(CAMERA.backdrop, 128), gamma=1.0, cast=np.ones(3))
    boxes = [take(None, same, seed=seed) for seed in range(6)]
    assert any(box.std() == 0 for box in boxes)
    assert take(PERSON, same).std() > 5


def test_boxes_drawn_by_hand_hold_the_person_in_their_middle():
    """Loose boxes move people about, hand-drawn ones do not."""
    same = replace(CAMERA, backdrop=np.full_like(CAMERA.backdrop, 0), loose=0.2)
    centres = {
        loose: [_centre(take(camera=same, looseness=loose, seed=n)) for n in range(12)]
        for loose in (0.0, 1.0)
    }
    spread = {loose: np.std(found) for loose, found in centres.items()}
    assert spread[0.0] < 3 < spread[1.0]


def _centre(box):
    rows = np.flatnonzero(box.max(axis=(1, 2)) > 20)
    return (rows[0] + rows[-1]) / 2

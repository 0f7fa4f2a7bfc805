from dataclasses import replace

import numpy as np
import pytest

from attncli.data.toy.faces import Action, Look, Pose, Unit, landmarks, paint_face

SIZE_HW = (96, 112)
POSE = Pose(56.0, 44.0, 25.0)
LIPS, EYES = slice(48, 68), slice(36, 48)


def look(seed: int = 0) -> Look:
    return Look.draw(np.random.default_rng(seed))


def acting(**units: float) -> Action:
    action = np.zeros(len(Unit))
    for name, strength in units.items():
        action[Unit[name]] = strength
    return action


def moved(*, seed: int = 0, **units: float) -> np.ndarray:
    """How far each landmark moves right and down, in pixels."""
    return landmarks(look(seed), acting(**units), POSE) - landmarks(look(seed), acting(), POSE)


@pytest.mark.parametrize("seed", range(8))
def test_landmarks_lie_as_in_a_face(seed):
    points = landmarks(look(seed), acting(), POSE)
    jaw, brows, nose, eyes, lips = np.split(points, [17, 27, 36, 48])
    assert (np.diff(jaw[:, 0]) > 0).all()
    assert jaw[:, 1].argmax() == 8
    assert (np.diff(brows[:, 0]) > 0).all()
    assert brows[:, 1].max() < eyes[:, 1].min() < eyes[:, 1].max() < nose[4:, 1].min()
    assert nose[:, 1].max() < lips[:, 1].min() < lips[:, 1].max() < jaw[8, 1]
    assert (np.diff(nose[4:, 0]) > 0).all()
    # Eyes and lips run round clockwise, from their left ends.
    for ring, half in ((eyes[:6], 3), (eyes[6:], 3), (lips[:12], 6), (lips[12:], 4)):
        assert ring[:, 0].argmin() == 0
        assert ring[:, 0].argmax() == half
        assert ring[1:half, 1].mean() <= ring[half + 1 :, 1].mean()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("unit", "points", "axis", "direction"),
    [
        ("INNER_BROW_UP", [21, 22], 1, -1),
        ("OUTER_BROW_UP", [17, 26], 1, -1),
        ("BROW_DOWN", [21, 22], 1, 1),
        ("BROW_DOWN", [21], 0, 1),
        ("LIDS_WIDE", [37, 38, 43, 44], 1, -1),
        ("CHEEKS_UP", [40, 41, 46, 47], 1, -1),
        ("LIDS_TIGHT", [37, 38, 43, 44], 1, 1),
        ("NOSE_WRINKLE", [31, 33, 35], 1, -1),
        ("LIP_UP", [50, 51, 52], 1, -1),
        ("SMILE", [48, 54], 1, -1),
        ("DIMPLE_LEFT", [48], 1, -1),
        ("DIMPLE_RIGHT", [54], 1, -1),
        ("CORNERS_DOWN", [48, 54], 1, 1),
        ("STRETCH", [54], 0, 1),
        ("PRESS", [50, 52], 1, 1),
        ("LIPS_PART", [65, 66, 67], 1, 1),
        ("JAW_DROP", [8, 57, 66], 1, 1),
        ("BLINK", [37, 38, 43, 44], 1, 1),
    ],
)
def test_a_unit_moves_its_part_of_the_face(seed, unit, points, axis, direction):
    assert (direction * moved(seed=seed, **{unit: 1.0})[points, axis] > 0.2).all()


def test_a_dimple_leaves_the_other_side_alone():
    shift = moved(DIMPLE_LEFT=1.0)
    np.testing.assert_allclose(shift[[53, 54, 55]], 0, atol=1e-9)
    assert not shift[:48].any()


def test_a_blink_closes_the_eyes():
    points = landmarks(look(), acting(BLINK=1.0), POSE)
    np.testing.assert_allclose(points[[37, 38]], points[[41, 40]], atol=1e-9)


def test_lips_never_cross():
    rng = np.random.default_rng(0)
    for seed in range(50):
        lips = landmarks(look(seed), rng.uniform(0, 1.2, size=len(Unit)), POSE)[LIPS, 1]
        assert (lips[[13, 14, 15]] <= lips[[19, 18, 17]] + 1e-9).all()


def test_a_pose_shifts_scales_leans_and_turns_the_head():
    face, at_rest = look(), landmarks(look(), acting(), POSE)
    larger = landmarks(face, acting(), Pose(56.0 + 3, 44.0 - 2, 50.0))
    np.testing.assert_allclose(larger, (at_rest - (56, 44)) * 2 + (59, 42))
    leaning = landmarks(face, acting(), Pose(56.0, 44.0, 25.0, roll_rad=0.1))
    assert leaning[8, 0] < at_rest[8, 0]
    turned = landmarks(face, acting(), Pose(56.0, 44.0, 25.0, turn_x=0.1)) - at_rest
    assert turned[30, 0] > 2
    assert turned[30, 0] > turned[0, 0] + 1


@pytest.mark.parametrize("seed", range(4))
def test_an_open_mouth_is_dark_between_the_lips_and_nowhere_near(seed):
    face, action = replace(look(seed), beard=False), acting(JAW_DROP=1.0)
    picture, points = paint_face(face, action, POSE, SIZE_HW), landmarks(face, action, POSE)
    rows, columns = np.nonzero(picture < 50)
    below_nose = (rows > points[33, 1] + 3) & (rows < points[8, 1])
    central = (columns > points[4, 0] + 3) & (columns < points[12, 0] - 3)
    rows, columns = rows[below_nose & central], columns[below_nose & central]
    assert len(rows) > 20
    assert points[60, 0] - 2 < columns.min() <= columns.max() < points[64, 0] + 2
    assert points[62, 1] < rows.min() <= rows.max() < points[66, 1] + 1


def test_eyes_are_painted_at_their_landmarks():
    face = look(1)
    closing = paint_face(face, acting(BLINK=1.0), POSE, SIZE_HW)
    change = np.abs(closing - paint_face(face, acting(), POSE, SIZE_HW))
    points = landmarks(face, acting(), POSE)[EYES]
    rows, columns = np.nonzero(change > 40)
    assert points[:, 1].min() - 3 < rows.min() <= rows.max() < points[:, 1].max() + 3
    assert points[:, 0].min() - 3 < columns.min() <= columns.max() < points[:, 0].max() + 3


def test_every_unit_is_to_be_seen():
    still = paint_face(look(), acting(), POSE, SIZE_HW)
    np.testing.assert_array_equal(still, paint_face(look(), acting(), POSE, SIZE_HW))
    assert still.shape == SIZE_HW
    for unit in Unit:
        moving = paint_face(look(), acting(**{unit.name: 1.0}), POSE, SIZE_HW)
        assert np.abs(moving - still).max() > 15, unit.name


def test_traits_are_drawn_each_by_itself():
    people = [look(seed) for seed in range(200)]
    assert len({person.width for person in people}) == 200
    for trait in ("glasses", "beard", "fringe", "long_hair"):
        share = np.mean([getattr(person, trait) for person in people])
        assert 0.05 < share < 0.6
    skin, hair = (np.array([getattr(p, name) for p in people]) for name in ("skin", "hair"))
    assert abs(np.corrcoef(skin, hair)[0, 1]) < 0.2
    assert skin.min() >= 125
    assert skin.max() <= 205


def test_a_head_larger_than_the_frame_can_be_painted():
    assert paint_face(look(), acting(SMILE=1.0), Pose(5.0, 5.0, 60.0), (32, 32)).shape == (32, 32)

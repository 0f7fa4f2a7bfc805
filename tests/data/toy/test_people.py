from dataclasses import replace

import numpy as np
import pytest

from attncli.data.toy.people import (
    BAG,
    UPPER,
    VIEWS,
    Pose,
    draw_person,
    draw_pose,
    paint_person,
)

GROUND = 128
PLAIN = replace(
    draw_person(np.random.default_rng(0)),
    upper=UPPER[3],
    upper_second=UPPER[5],
    upper_kind="plain",
    bag=BAG[1],
    bag_kind="none",
    height=1.0,
    long_hair=False,
)


def painted(person, view):
    picture = np.full((240, 200, 3), GROUND, dtype=np.uint8)
    pose = Pose(view, stride=0.03, swing=0.02)
    paint_person(picture, person, pose, feet_xy=(100.0, 220.0), height_px=200.0)
    return picture


def covered(picture):
    return (picture != GROUND).any(axis=2)


@pytest.mark.parametrize("view", VIEWS)
def test_someone_reaches_from_their_feet_to_their_height(view):
    rows = np.flatnonzero(covered(painted(PLAIN, view)).any(axis=1))
    assert rows[0] == pytest.approx(20, abs=3)
    assert rows[-1] == pytest.approx(220, abs=3)
    shorter = covered(painted(replace(PLAIN, height=0.9), view))
    assert np.flatnonzero(shorter.any(axis=1))[0] == pytest.approx(40, abs=3)


def test_sides_are_narrower_than_the_front():
    widths = {v: np.count_nonzero(covered(painted(PLAIN, v))[70]) for v in VIEWS}
    assert widths["left"] < widths["front"] == widths["back"]


def test_a_print_is_to_be_seen_from_the_front_alone():
    printed = replace(PLAIN, upper_kind="print")
    shows = {v: (painted(printed, v) == UPPER[5]).all(axis=2).any() for v in VIEWS}
    assert shows == {"front": True, "back": False, "left": False, "right": False}


def test_a_backpack_is_larger_from_the_back():
    carried = replace(PLAIN, bag_kind="backpack")
    size = {v: np.count_nonzero((painted(carried, v) == BAG[1]).all(axis=2)) for v in VIEWS}
    assert size["back"] > 2 * size["front"] > 0
    assert size["left"] > 0


@pytest.mark.parametrize(
    "part",
    [
        {"hair": (1, 2, 3)},
        {"upper": (1, 2, 3)},
        {"lower": (1, 2, 3)},
        {"shoes": (1, 2, 3)},
        {"skin": (1, 2, 3)},
        {"long_hair": True},
        {"upper_kind": "stripes"},
        {"upper_kind": "bars"},
        {"upper_kind": "halves"},
        {"long_sleeves": not PLAIN.long_sleeves},
        {"bag_kind": "shoulder"},
        {"bag_kind": "hand"},
    ],
)
def test_every_part_shows_from_the_front(part):
    assert (painted(replace(PLAIN, **part), "front") != painted(PLAIN, "front")).any()


@pytest.mark.parametrize("kind", ["trousers", "shorts", "skirt"])
@pytest.mark.parametrize("view", VIEWS)
def test_what_is_worn_below_has_its_colour(kind, view):
    picture = painted(replace(PLAIN, lower_kind=kind, lower=(1, 2, 3)), view)
    assert np.count_nonzero((picture == (1, 2, 3)).all(axis=2)) > 200


def test_people_share_parts_and_differ():
    people = [draw_person(np.random.default_rng(seed)) for seed in range(100)]
    assert len(set(people)) == 100
    assert max(sum(p.upper == other.upper for other in people) for p in people) > 8
    assert all(p.upper != p.upper_second for p in people)


def test_feet_are_further_apart_from_the_side():
    strides = {
        view: max(draw_pose(view, np.random.default_rng(n)).stride for n in range(50))
        for view in ("front", "left")
    }
    assert strides["left"] > 2 * strides["front"]

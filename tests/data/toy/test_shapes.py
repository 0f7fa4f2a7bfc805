import numpy as np
import pytest

from attncli.data.toy.shapes import SHAPES, cover

HERE = {"centre_xy": (32.0, 32.0), "bend": np.eye(2), "size_hw": (64, 64)}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_covers_the_same_area(name):
    mask = cover(name, area_px=400.0, **HERE)
    assert (mask.min(), mask.max()) == (0, 1)
    assert mask.sum() == pytest.approx(400, rel=0.05)


@pytest.mark.parametrize("name", SHAPES)
def test_a_mirrored_shape_stays_what_it_is(name):
    mask = cover(name, area_px=400.0, **HERE)
    assert np.abs(mask[:, ::-1] - mask).sum() < 0.12 * 400


def test_no_two_shapes_are_alike():
    masks = [cover(name, area_px=400.0, **HERE) for name in SHAPES]
    for i, one in enumerate(masks):
        assert all(np.abs(one - other).sum() > 0.15 * 400 for other in masks[:i])


def test_a_ring_has_a_hole_where_a_disc_has_none():
    assert cover("ring", area_px=300.0, **HERE)[32, 32] == 0
    assert cover("disc", area_px=300.0, **HERE)[32, 32] == 1


def test_bending_turns_about_the_middle():
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    upright = cover("triangle", area_px=300.0, **HERE)
    turned = cover("triangle", area_px=300.0, **(HERE | {"bend": quarter}))
    assert np.abs(np.rot90(upright, -1) - turned).sum() < 0.2 * 300


def test_what_lies_beyond_the_picture_is_cut_off():
    mask = cover("square", area_px=100.0, **(HERE | {"centre_xy": (0.0, 32.0)}))
    assert mask.sum() == pytest.approx(50, rel=0.15)

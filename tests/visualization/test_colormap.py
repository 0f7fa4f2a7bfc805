import matplotlib
import numpy as np
import pytest

from attncli.errors import UsageError
from attncli.visualization.colormap import color_table, colorize, over_grey, rising


@pytest.mark.parametrize("name", ["jet", "viridis", "gray", "tab10"])
def test_colours_are_those_of_matplotlib(name):
    values = np.random.default_rng(0).random((2, 5, 7), dtype=np.float32)
    values[0, 0, :2] = 0, 1
    expected = matplotlib.colormaps[name](values)[..., :3] * 255
    assert np.abs(colorize(values, color_table(name)) - expected).max() <= 1


def test_values_outside_zero_and_one_take_the_nearest_end():
    table = color_table("jet")
    drawn = colorize(np.array([-0.5, 0.0, 1.0, 1.5]), table)
    assert np.array_equal(drawn, table[[0, 0, 255, 255]])


def test_each_colour_covers_one_256th_of_the_range():
    table = color_table("viridis")
    edges = np.arange(256) / 256
    assert np.array_equal(colorize(edges, table), table)
    assert np.array_equal(colorize(np.nextafter(edges[1:], 0), table), table[:-1])


def test_a_whole_clip_is_coloured_as_its_values_are():
    values = np.random.default_rng(0).random((4, 9, 7), dtype=np.float32)
    table = color_table("viridis")
    one_by_one = [table[int(min(value * 256, 255))] for value in values.ravel()]
    assert np.array_equal(colorize(values, table).reshape(-1, 3), one_by_one)


def test_an_unknown_colour_map_is_refused_with_the_nearest_names():
    with pytest.raises(UsageError, match=r"--colormap: no such colour map: 'virids'.*viridis"):
        color_table("virids")


def test_opacity_rises_straight_with_attention():
    assert rising(0.8)[[0, 51, 255]] == pytest.approx([0, 0.16, 0.8])


def test_colours_over_grey_are_mixed_by_their_opacity():
    table, opacities = np.full((256, 3), 228, np.uint8), np.zeros(256, np.float32)
    opacities[1:3] = 0.5, 1.0
    assert over_grey(table, opacities)[:4, 0].tolist() == [128, 178, 228, 128]


def test_default_colours_are_told_apart_in_grey_and_by_those_who_see_no_green():
    """The upper half gets lighter and lighter, also as deuteranopes see it (Machado 2009)."""
    red = (0.367322, 0.860646, -0.227968)
    green = (0.280085, 0.672501, 0.047413)
    blue = (-0.01182, 0.04294, 0.968881)
    share = over_grey(color_table("viridis"), rising(0.85)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    for view in (linear, np.clip(linear @ np.array([red, green, blue]).T, 0, 1)):
        luminance = view @ (0.2126, 0.7152, 0.0722)
        assert (np.diff(luminance[128::8]) > 0).all()
        assert luminance[255] > 2 * luminance[0]

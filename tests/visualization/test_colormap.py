import matplotlib
import numpy as np
import pytest

from attncli.errors import UsageError
from attncli.visualization.colormap import color_table, colorize


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
    with pytest.raises(UsageError, match=r"--colormap: no colour map is called 'virids'.*viridis"):
        color_table("virids")

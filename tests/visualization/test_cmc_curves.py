import numpy as np
import pytest

from attncli.visualization.cmc_curves import CmcCurve, draw_cmc_curves, facts_of


def curve(percent=(40.0, 55.0, 60.0, 60.0, 80.0), name="XQDA all"):
    return CmcCurve(name, np.arange(1, len(percent) + 1), np.array(percent))


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_curve_says_what_is_found_within_a_rank():
    assert curve().at(5) == 80.0
    assert curve().at(10) is None


def test_the_legend_names_the_ranks_that_are_known():
    assert facts_of(curve()) == ("rank-1 40.0 %, rank-5 80.0 %", "rank-1 40.0 %", "40.0 %")
    assert facts_of(CmcCurve("a", np.array([3]), np.array([7.25]))) == ("7.2 %",)


def test_each_curve_is_drawn_as_it_is_with_a_dot_a_rank_where_there_are_few():
    figure = draw_cmc_curves([curve(), curve((30.0, 31.0), "average")], dpi=50)
    lines = {len(line.get_xdata()): line for line in figure.axes[1].lines}
    np.testing.assert_array_equal(lines[5].get_ydata(), curve().percent)
    np.testing.assert_array_equal(lines[2].get_xdata(), [1, 2])
    assert {line.get_marker() for line in lines.values()} == {"o"}
    assert {"XQDA all", "average", "rank-1 40.0 %, rank-5 80.0 %"} <= set(words(figure))


def test_the_axis_of_percents_begins_at_the_tens_below_all_curves():
    axes = draw_cmc_curves([curve(), curve((34.9, 90.0))], dpi=50).axes[1]
    assert axes.get_ylim() == (30, 100)
    assert draw_cmc_curves([curve((100.0,) * 30)], dpi=50).axes[1].get_ylim() == (90, 100)


def test_curves_beyond_the_colours_have_a_style_of_their_own():
    lines = draw_cmc_curves([curve(name=str(n)) for n in range(9)], dpi=50).axes[1].lines
    looks = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(looks) == 9


@pytest.mark.parametrize("width_in", [7.0, 3.4])
def test_nothing_overlaps_or_leaves_the_page(misplaced, width_in):
    curves = [curve(np.linspace(20, 99, 20), name) for name in ("XQDA conv4", "a" * 90)]
    assert misplaced(draw_cmc_curves(curves, width_in=width_in, dpi=50)) == []

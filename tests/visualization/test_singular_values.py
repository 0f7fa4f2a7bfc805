import numpy as np
import pytest

from attncli.visualization.singular_values import Spectrum, draw_singular_values, facts_of


def spectrum(values=(4.0, 2.0, 1.0, 1.0), name="I", marks=(0.75, 0.5)):
    return Spectrum(name, np.array(values), marks)


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_shares_are_those_worked_out_by_hand():
    shown = spectrum()
    np.testing.assert_allclose(shown.dimensions, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(shown.over_largest, [1, 0.5, 0.25, 0.25])
    np.testing.assert_allclose(shown.cumulated(1), [0.5, 0.75, 0.875, 1])
    np.testing.assert_allclose(shown.cumulated(2), [16 / 22, 20 / 22, 21 / 22, 1])
    assert shown.held_by_half(1) == pytest.approx(0.75)
    assert shown.held_by_half(2) == pytest.approx(20 / 22)


def test_half_of_an_odd_number_is_between_two():
    assert spectrum((2.0, 1.0, 1.0)).held_by_half(1) == pytest.approx((2 + 0.5) / 4)


def test_the_scale_of_values_does_not_matter():
    tiny = spectrum((4e-200, 2e-200, 1e-200, 1e-200))
    np.testing.assert_allclose(tiny.cumulated(2), spectrum().cumulated(2))


def test_lines_are_the_shares_and_dots_are_where_80_percent_is():
    shown = spectrum()
    _, fall, sums = draw_singular_values([shown], dpi=50).axes
    np.testing.assert_allclose(fall.lines[0].get_ydata(), shown.over_largest)
    assert fall.get_yscale() == "log"
    one, dot, two, other_dot = sums.lines[:4]
    np.testing.assert_allclose(one.get_ydata(), [0, *shown.cumulated(1)])
    np.testing.assert_allclose(two.get_ydata(), [0, *shown.cumulated(2)])
    assert [*dot.get_xdata(), *dot.get_ydata()] == [0.75, 0.8]
    assert [*other_dot.get_xdata(), *other_dot.get_ydata()] == [0.5, 0.8]
    flat = {(line.get_xdata()[0], line.get_ydata()[0]) for line in sums.lines[4:]}
    assert flat == {(0, 0.8), (0.5, 0)}


def test_values_of_next_to_nothing_are_not_shown():
    _, fall, _ = draw_singular_values([spectrum((1.0, 0.1, 1e-17, 0.0))], dpi=50).axes
    np.testing.assert_allclose(fall.lines[0].get_ydata(), [1.0, 0.1])
    assert fall.get_ylim()[0] == pytest.approx(0.1)


def test_the_legend_says_which_dimensions_hold_80_percent():
    assert "75.0 % for \N{GREEK SMALL LETTER SIGMA}, 50.0 %" in facts_of(spectrum())[0]
    shown = words(draw_singular_values([spectrum(), spectrum(name="P")], dpi=50))
    assert {"I", "P", facts_of(spectrum())[0]} <= set(shown)


@pytest.mark.parametrize("width_in", [7.0, 3.4])
def test_nothing_overlaps(misplaced, width_in):
    sources = [spectrum(name="I"), spectrum(np.geomspace(1, 1e-4, 50), name="places-" * 9)]
    assert misplaced(draw_singular_values(sources, width_in=width_in, dpi=50)) == []

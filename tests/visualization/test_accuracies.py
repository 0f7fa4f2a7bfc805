import numpy as np
import pytest

from attncli.visualization.accuracies import Accuracies, color_span, draw_accuracies

NAN = float("nan")
FACTS = ("mean ± standard deviation over 5 splits of 300 images", "5 splits")


def accuracies(percent, std=None):
    values = np.array(percent, dtype=np.float64)
    stds = np.full(values.shape, NAN) if std is None else np.array(std, dtype=np.float64)
    rows = tuple(f"random-conv{n}" for n in range(values.shape[0]))
    columns = tuple("I" + "+P" * n for n in range(values.shape[1]))
    return Accuracies(values, stds, rows, columns, "layer", "source")


def words(figure):
    return {text.get_text(): text for text in figure.axes[0].texts}


def test_each_cell_says_mean_and_deviation_and_a_dash_stands_for_nothing():
    shown = accuracies([[88.46, NAN], [70.0, 61.5]], [[0.42, NAN], [NAN, 1.25]])
    found = words(draw_accuracies(shown, "svm", FACTS, dpi=50))
    assert {"88.5", "± 0.4", "-", "70.0", "61.5", "± 1.2", "svm"} <= set(found)
    assert "± nan" not in found


def test_the_best_of_a_column_is_bold_even_where_two_are():
    shown = accuracies([[88.0, 50.0, NAN], [70.0, 50.0 + 1e-12, NAN]])
    np.testing.assert_array_equal(shown.best, [[True, True, False], [False, True, False]])
    found = words(draw_accuracies(shown, "svm", FACTS, dpi=50))
    assert [found[one].get_weight() for one in ("88.0", "70.0")] == ["bold", "normal"]


def test_numbers_are_white_on_dark_cells_and_black_on_light_ones():
    found = words(draw_accuracies(accuracies([[60.0, 92.0]]), "svm", FACTS, dpi=50))
    assert (found["60.0"].get_color(), found["92.0"].get_color()) == ("white", "black")


@pytest.mark.parametrize(
    ("values", "span"),
    [
        ([84.3, 91.9], (84, 92)),
        ([99.5, 99.9], (96, 100)),
        ([50.0, 50.0], (50, 54)),
        ([0.0, 100.0], (0, 100)),
        ([NAN, NAN], (0, 100)),
        ([1.5, 99.0], (0, 100)),
    ],
)
def test_colours_span_what_there_is_in_whole_percents(values, span):
    low, high = color_span(np.array([values]))
    assert (low, high) == span
    assert all(low <= value <= high for value in values if value == value)


def test_a_colour_bar_says_what_the_colours_span():
    figure = draw_accuracies(accuracies([[84.3, 91.9]]), "svm", FACTS, dpi=50)
    _, bar = figure.axes
    labels = [label.get_text() for label in bar.get_xticklabels()]
    assert labels[0] == "84"
    assert labels[-1] == "92"


@pytest.mark.parametrize(("rows", "columns", "width_in"), [(10, 3, 7.0), (7, 7, 3.4)])
def test_nothing_overlaps(misplaced, rows, columns, width_in):
    rng = np.random.default_rng(0)
    shown = accuracies(rng.uniform(50, 100, (rows, columns)), rng.uniform(0, 3, (rows, columns)))
    figure = draw_accuracies(shown, "cub_svm", FACTS, width_in=width_in, dpi=50)
    numbers = [word for word in words(figure) if any(letter.isdigit() for letter in word)]
    assert misplaced(figure, over_pictures=numbers) == []

import numpy as np
import pytest

from attncli.visualization.confusion import draw_confusion
from attncli.visualization.page.grid import PAGE_HEIGHT_IN
from attncli.visualization.page.matrix import EMPTY
from attncli.visualization.saving import save_figure

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
LONG = "Moving something and something so they collide"


def numbered(n):
    return [f"{LONG} {i}" for i in range(n)]


def matrix(k):
    rng = np.random.default_rng(0)
    return rng.integers(0, 5, (k, k)) * (rng.random((k, k)) < 0.4) + 9 * np.eye(k, dtype=int)


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def cells(figure):
    """Return what is written into the cells: all words that are a number or a dash."""
    return [word for word in words(figure) if word == "-" or word.replace(".", "").isdecimal()]


def counts_in(figure):
    """Return the counts in the cells."""
    return [word for word in words(figure) if word.startswith("(") and word[1:-1].isdecimal()]


@pytest.mark.parametrize(
    ("classes", "name", "width_in"),
    [
        (EXPRESSIONS, "Enhanced ConvLSTM", 7.0),
        (EXPRESSIONS, "a" * 60, 3.4),
        (EXPRESSIONS, "ec_ram", 2.0),
        (("no", "yes"), "enhanced-convlstm-ram with ten folds", 3.4),
        ((LONG, "no"), LONG, 7.0),
        (numbered(12), "a", 7.0),
        (numbered(12), "a", 3.4),
        (numbered(40), LONG, 7.0),
        (numbered(40), "a", 12.0),
        (("only",), "a", 2.0),
    ],
)
def test_nothing_overlaps_or_leaves_the_page(misplaced, classes, name, width_in):
    figure = draw_confusion(matrix(len(classes)), name, classes, width_in=width_in, dpi=150)
    assert misplaced(figure, over_pictures=cells(figure) + counts_in(figure)) == []
    width, height = figure.get_size_inches()
    assert width <= width_in + 1e-6
    assert height <= PAGE_HEIGHT_IN + 1e-6


def test_cells_are_the_percent_of_their_row_and_rows_without_samples_are_dashes():
    figure = draw_confusion(np.array([[2, 1, 0], [0, 4, 0], [0, 0, 0]]), "a", ("x", "y", "z"))
    assert cells(figure) == ["66.7", "33.3", "0", "0", "100.0", "0", "-", "-", "-"]
    assert counts_in(figure) == ["(2)", "(1)", "(0)", "(0)", "(4)", "(0)"]
    assert {"x (n = 3)", "y (n = 4)", "z (n = 0)"} <= {
        w.replace("\xa0", " ") for w in words(figure)
    }
    colors = figure.axes[0].images[0].get_array()
    assert (colors[2] == EMPTY).all()
    assert colors[0, 0].sum() < colors[0, 1].sum() < colors[0, 2].sum()  # from dark to light


@pytest.mark.parametrize(
    ("counts", "accuracy"),
    [([[3, 1], [0, 4]], "accuracy 87.50 % (n = 8)"), ([[0, 0], [0, 0]], "accuracy - (n = 0)")],
)
def test_the_title_is_name_and_accuracy(counts, accuracy):
    written = words(draw_confusion(np.array(counts), "ConvLSTM", ("x", "y")))
    assert written[:2] == ["ConvLSTM", accuracy]


def test_numbers_on_dark_cells_are_white_and_on_light_ones_black():
    page = draw_confusion(np.diag([5, 5]), "a", ("x", "y")).axes[0]
    colors = {text.get_text(): text.get_color() for text in page.texts}
    assert (colors["100.0"], colors["0"]) == ("white", "black")


def test_many_classes_have_a_colour_bar_instead_of_numbers_and_not_all_names():
    figure = draw_confusion(matrix(40), "a", [f"class{i}" for i in range(40)], width_in=3.4)
    assert cells(figure) == []
    assert len(figure.axes) == 2
    assert 10 <= sum(word.startswith("class") for word in words(figure)) < 80


def test_twelve_classes_have_whole_numbers_in_a_column():
    figure = draw_confusion(matrix(12), "a", [f"class{i}" for i in range(12)], width_in=3.4)
    assert len(cells(figure)) == 144


def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path):
    save_figure(draw_confusion(matrix(2), "$^$", ("$_$", "$x$")), tmp_path / "fig.png")

import numpy as np
import pytest

from attncli.visualization.comparison import PAGE_HEIGHT_IN
from attncli.visualization.confusion import EMPTY, draw_confusion
from attncli.visualization.saving import save_figure

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
LONG = "Moving something and something so they collide"


def numbered(n):
    return [f"{LONG} {i}" for i in range(n)]


def matrix(k, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 5, (k, k)) * (rng.random((k, k)) < 0.4) + 9 * np.eye(k, dtype=int)


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def cells(figure):
    """Return what is written into the cells: all words that are a number or a dash."""
    return [word for word in words(figure) if word == "-" or word.replace(".", "").isdecimal()]


@pytest.mark.parametrize(
    ("classes", "names", "width_in"),
    [
        (EXPRESSIONS, ["ConvLSTM", "Enhanced ConvLSTM", "ConvLSTM + RAM", "a" * 60], 7.0),
        (EXPRESSIONS, ["ec_ram"], 3.4),
        (EXPRESSIONS, ["c_ram", "ec_ram"], 3.4),
        (EXPRESSIONS, ["a", "b", "c"], 7.0),
        (("no", "yes"), ["enhanced-convlstm-ram with ten folds", "b"], 3.4),
        ((LONG, "no"), [LONG, LONG, LONG], 7.0),
        (numbered(12), ["a", "b"], 7.0),
        (numbered(12), ["a"], 3.4),
        (numbered(40), ["a", "b", "c"], 7.0),
        (("only",), ["a"], 2.0),
    ],
)
def test_nothing_overlaps_or_leaves_the_page(misplaced, classes, names, width_in):
    counts = [matrix(len(classes), seed) for seed in range(len(names))]
    figure = draw_confusion(counts, names, classes, width_in=width_in, dpi=150)
    assert misplaced(figure, over_pictures=cells(figure)) == []
    width, height = figure.get_size_inches()
    assert width <= width_in + 1e-6
    assert height <= PAGE_HEIGHT_IN + 1e-6


def test_cells_are_the_percent_of_their_row_and_rows_without_samples_are_dashes():
    figure = draw_confusion([np.array([[2, 1, 0], [0, 4, 0], [0, 0, 0]])], ["a"], ("x", "y", "z"))
    assert cells(figure) == ["66.7", "33.3", "0", "0", "100.0", "0", "-", "-", "-"]
    colors = figure.axes[0].images[0].get_array()
    assert (colors[2] == EMPTY).all()
    assert colors[0, 0].sum() < colors[0, 1].sum() < colors[0, 2].sum()  # from dark to light


def test_titles_are_name_and_accuracy():
    counts = [np.array([[3, 1], [0, 4]]), np.array([[0, 0], [0, 0]])]
    written = words(draw_confusion(counts, ["ConvLSTM", "none"], ("x", "y")))
    assert {"(a) ConvLSTM", "accuracy 87.50 % (n = 8)", "(b) none"} <= set(written)
    assert "accuracy - (n = 0)" in written


def test_numbers_on_dark_cells_are_white_and_on_light_ones_black():
    page = draw_confusion([np.diag([5, 5])], ["a"], ("x", "y")).axes[0]
    colors = {text.get_text(): text.get_color() for text in page.texts}
    assert (colors["100.0"], colors["0"]) == ("white", "black")


def test_four_runs_are_two_lines_of_two_and_two_runs_one_line():
    four = draw_confusion([matrix(7)] * 4, list("abcd"), EXPRESSIONS).axes[0].images
    assert len({image.get_extent()[0] for image in four}) == 2
    two = draw_confusion([matrix(7)] * 2, list("ab"), EXPRESSIONS).axes[0].images
    assert len({image.get_extent()[0] for image in two}) == 2


def test_many_classes_have_a_colour_bar_instead_of_numbers_and_not_all_names():
    figure = draw_confusion([matrix(40)], ["a"], [f"class{i}" for i in range(40)], width_in=3.4)
    assert cells(figure) == []
    assert len(figure.axes) == 2
    assert 10 <= sum(word.startswith("class") for word in words(figure)) < 80


def test_twelve_classes_have_whole_numbers_in_a_column():
    figure = draw_confusion([matrix(12)], ["a"], [f"class{i}" for i in range(12)], width_in=3.4)
    assert len(cells(figure)) == 144


def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path):
    save_figure(draw_confusion([matrix(2)], ["$^$"], ("$_$", "$x$")), tmp_path / "fig.png")

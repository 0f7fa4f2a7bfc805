import numpy as np
import pytest

from attncli.visualization.page.matrix import Matrix, draw_matrix

LONG = "Moving something and something so they collide"


def matrix(percent, rows, columns, **more):
    return Matrix(
        percent=percent,
        rows=rows,
        columns=columns,
        title="accuracy",
        subtitles=("of each layer and rank, in percent", "in percent"),
        row_axis="layer",
        column_axes=("rank (percent right)", "rank"),
        colormap="viridis",
        **more,
    )


@pytest.mark.parametrize(("rows", "columns"), [(2, 5), (9, 3), (1, 12), (30, 40)])
@pytest.mark.parametrize("name", ["{}", LONG + " {}"])
def test_nothing_overlaps_however_many_rows_and_columns(misplaced, rows, columns, name):
    values = np.random.default_rng(0).uniform(0, 100, (rows, columns))
    names = ([name.format(f"r{i}") for i in range(n)] for n in (rows, columns))
    figure = draw_matrix(matrix(values, *names), width_in=5.0, dpi=100)
    numbers = {f"{value:.{d}f}" for value in values.flat for d in (0, 1)}
    assert misplaced(figure, over_pictures=numbers) == []
    assert figure.axes[0].images[0].get_array().shape == (rows, columns, 3)


def test_values_are_written_into_their_cells():
    values = np.array([[12.34, np.nan, 0.0], [100.0, 0.01, 50.0]])
    page = draw_matrix(matrix(values, "ab", "xyz"), width_in=5.0, dpi=100).axes[0]
    places = {text.get_text(): text.get_position() for text in page.texts}
    assert places["12.3"][0] == places["100.0"][0] == places["x"][0]
    assert places["12.3"][1] == places["-"][1] == places["0"][1] == pytest.approx(places["a"][1])
    assert places["0.0"][0] == places["-"][0] == places["y"][0]
    assert places["50.0"][1] > places["0"][1]


def test_spread_stands_below_a_value_where_it_fits():
    spread = np.array([[0.26, np.nan], [1.0, 2.0]])
    values = np.array([[50.0, 60.0], [np.nan, 70.0]])
    figure = draw_matrix(matrix(values, "ab", "xy", spread=spread), width_in=5.0, dpi=50)
    texts = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert {"± 0.3", "± 2.0"} <= set(texts)
    assert not {"± 1.0", "± nan"} & set(texts)
    assert texts["± 0.3"][1] > texts["50.0"][1]
    small = matrix(np.full((30, 30), 50.0), ["r"] * 30, ["c"] * 30, spread=np.full((30, 30), 1.0))
    words = [t.get_text() for t in draw_matrix(small, width_in=7.0, dpi=50).axes[0].texts]
    assert not [word for word in words if "±" in word]


def test_colours_span_what_is_said_and_a_bar_says_so():
    plain = matrix(np.array([[80.0, 90.0]]), "a", "xy")
    spanned = matrix(np.array([[80.0, 90.0]]), "a", "xy", span=(80.0, 90.0))
    full = matrix(np.array([[0.0, 100.0]]), "a", "xy")
    np.testing.assert_array_equal(spanned.colors, full.colors)
    assert len(draw_matrix(plain, width_in=5.0, dpi=50).axes) == 1
    assert len(draw_matrix(spanned, width_in=5.0, dpi=50).axes) == 2


def test_counts_stand_below_values_where_they_fit():
    values, counts = np.array([[50.0, 50.0], [np.nan, np.nan]]), np.array([[3, 3], [0, 0]])
    figure = draw_matrix(matrix(values, "ab", "xy", counts=counts), width_in=5.0, dpi=50)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words.count("(3)") == 2
    assert "(0)" not in words

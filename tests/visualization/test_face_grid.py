import numpy as np
import pytest

from attncli.visualization.clips import MARKS, HeatStyle
from attncli.visualization.colormap import color_table
from attncli.visualization.face_grid import (
    FaceColumn,
    FaceMap,
    columns_on_a_page,
    draw_face_grid,
    mean_picture,
)
from attncli.visualization.page.grid import PAGE_HEIGHT_IN
from attncli.visualization.saving import save_figure

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
LONG = "Moving something and something so they collide"
NAMES = ("ConvLSTM + RAM", "Enhanced ConvLSTM + RAM", "third")


def column(title, runs=1, *, size_hw=(24, 24), predicted=None, correct=True, caption="S005/001"):
    rng = np.random.default_rng(0)
    maps = [
        FaceMap(rng.random((4, 4), np.float32), title if predicted is None else predicted, correct)
        for _ in range(runs)
    ]
    return FaceColumn(title, rng.integers(0, 256, (*size_hw, 3), np.uint8), tuple(maps), caption)


@pytest.mark.parametrize(
    ("titles", "runs", "size_hw", "width_in", "value_range"),
    [
        (EXPRESSIONS, 1, (24, 24), 7.0, "none"),
        (EXPRESSIONS, 2, (24, 24), 7.0, "frame"),
        (EXPRESSIONS, 1, (24, 24), 3.4, "frame"),
        (EXPRESSIONS, 2, (24, 24), 3.4, "clip"),
        (EXPRESSIONS, 3, (32, 24), 3.4, "none"),
        ((LONG, "HandstandPushups", "happy", LONG), 2, (24, 24), 3.4, "none"),
        ((LONG, "HandstandPushups", "happy") * 3, 2, (24, 32), 7.0, "none"),
        (("anger",), 1, (24, 24), 7.0, "frame"),
        (("",), 1, (24, 24), 2.0, "frame"),
    ],
)
def test_nothing_overlaps_or_leaves_the_page(
    misplaced, titles, runs, size_hw, width_in, value_range
):
    columns = [column(title, runs, size_hw=size_hw, correct=False) for title in titles]
    figure = draw_face_grid(
        columns,
        NAMES[:runs],
        style=HeatStyle(value_range=value_range),
        width_in=width_in,
        dpi=150,
    )
    assert len(figure.axes[0].images) == len(titles) * (1 + runs)
    assert misplaced(figure) == []
    width, height = figure.get_size_inches()
    assert width <= width_in + 1e-6
    assert height <= PAGE_HEIGHT_IN + 1e-6


def test_seven_expressions_are_one_line_on_a_page_and_two_in_a_column():
    columns = [column(title) for title in EXPRESSIONS]
    for width_in, most in ((7.0, 7), (3.4, 4)):
        page = draw_face_grid(columns, ["a"], style=HeatStyle(), width_in=width_in).axes[0]
        assert len({image.get_extent()[0] for image in page.images}) == most


def test_faces_of_different_shape_stand_in_the_middle_of_their_cells(misplaced):
    columns = [column("anger"), column("fear", size_hw=(36, 24)), column("happy", size_hw=(12, 24))]
    figure = draw_face_grid(columns, ["a"], style=HeatStyle(), dpi=150)
    assert misplaced(figure) == []
    faces = [image.get_extent() for image in figure.axes[0].images[:3]]
    assert len({round((bottom + top) / 2, 6) for _, _, bottom, top in faces}) == 1


def test_predictions_have_sign_and_colour_and_faces_their_caption():
    columns = [column("anger"), column("fear", predicted="sadness", correct=False)]
    page = draw_face_grid(columns, ["ec_ram"], style=HeatStyle()).axes[0]
    colors = {text.get_text(): text.get_color() for text in page.texts}
    assert colors["✓ anger"] == MARKS[True][1]
    assert colors["✗ sadness"] == MARKS[False][1]
    assert {"(a) face", "(b) ec_ram", "S005/001", "anger", "fear"} <= set(colors)


def test_means_have_no_sign():
    shown = column("anger", predicted="", correct=None, caption="n = 45")
    page = draw_face_grid([shown], ["a"], style=HeatStyle(), face_name="mean face").axes[0]
    written = [text.get_text() for text in page.texts]
    assert {"(a) mean face", "n = 45"} <= set(written)
    assert not any("✓" in word or "✗" in word for word in written)


def test_a_heat_map_is_the_colour_of_its_attention_over_the_face():
    face = np.full((8, 8, 3), 100, np.uint8)
    shown = FaceColumn("", face, (FaceMap(np.full((2, 2), 0.5, np.float32)),))
    style = HeatStyle(colormap="jet", opacity=0.25)
    drawn = draw_face_grid([shown], ["a"], style=style).axes[0].images
    assert (drawn[0].get_array() == face).all()
    expected = 0.25 * color_table("jet")[128] + 0.75 * 100
    assert np.asarray(drawn[1].get_array())[4, 4] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("width_in", "runs"), [(7.0, 2), (3.4, 1), (3.4, 2), (3.4, 3)])
def test_as_many_columns_as_are_said_to_fit_do_fit(misplaced, width_in, runs):
    fitting = columns_on_a_page(width_in, runs)
    assert fitting >= 8  # the expressions that people name, and a neutral face
    columns = [column(LONG, runs)] * fitting
    figure = draw_face_grid(
        columns, NAMES[:runs], style=HeatStyle(value_range="clip"), width_in=width_in, dpi=60
    )
    assert figure.get_size_inches()[1] <= PAGE_HEIGHT_IN + 1e-6


def test_the_mean_of_pictures_has_the_size_of_the_first():
    dark, light = np.full((4, 6, 3), 10, np.uint8), np.full((8, 8, 3), 31, np.uint8)
    assert (mean_picture([dark, light]) == np.full((4, 6, 3), 20)).all()  # 20.5 to even


def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path):
    figure = draw_face_grid([column("$_$", caption="$x")], ["$^$"], style=HeatStyle())
    save_figure(figure, tmp_path / "fig.png")

import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle
from attncli.visualization.score_maps import ScoredClass, ScoredImage, draw_score_maps

RNG = np.random.default_rng(0)


def image(name="2007_000033", classes=("cat", "dog"), *, runs=1, label="cat, dog"):
    scored = tuple(ScoredClass(name, RNG.random((24, 32)).astype(np.float16)) for name in classes)
    pixels = RNG.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return ScoredImage(name, label, pixels, (scored,) * runs)


def pictures(figure):
    return [shown.get_array() for shown in figure.axes[0].images]


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_row_is_the_image_and_a_heat_map_a_class():
    shown = image()
    figure = draw_score_maps([shown], ["cam"], style=HeatStyle(opacity=0.0))
    assert len(pictures(figure)) == 3
    for picture in pictures(figure):  # heat that cannot be seen leaves the image
        np.testing.assert_array_equal(picture, shown.image)
    assert {"cat", "dog", "2007_000033", "score"} <= set(words(figure))


def test_an_image_has_a_row_a_run_and_one_heading():
    figure = draw_score_maps([image(runs=2)], ["cam", "other"], style=HeatStyle())
    assert len(pictures(figure)) == 6
    assert words(figure).count("2007_000033") == 1
    assert words(figure).count("cat") == 2


def test_full_heat_shows_the_colours_of_the_scores_alone():
    flat = ScoredClass("cat", np.ones((24, 32), dtype=np.float16))
    shown = ScoredImage("a", "cat", image().image, ((flat,),))
    _, heat = pictures(draw_score_maps([shown], ["cam"], style=HeatStyle(opacity=1.0)))
    assert len(np.unique(heat.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize(("runs", "classes", "width_in"), [(1, 2, 7.0), (2, 5, 7.0), (3, 1, 3.4)])
def test_nothing_overlaps_or_leaves_the_page(misplaced, runs, classes, width_in):
    images = [
        image(name, tuple(f"class {n}" for n in range(classes)), runs=runs) for name in ("a", "b")
    ]
    names = [f"run{number}" for number in range(runs)]
    figure = draw_score_maps(images, names, style=HeatStyle(), width_in=width_in, dpi=50)
    assert misplaced(figure) == []


def test_an_image_that_shows_nothing_is_there_by_itself():
    figure = draw_score_maps([image(classes=(), label="")], ["cam"], style=HeatStyle())
    assert len(pictures(figure)) == 1

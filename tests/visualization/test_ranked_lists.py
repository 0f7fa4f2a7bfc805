import numpy as np
import pytest
from matplotlib.patches import Rectangle

from attncli.visualization.ranked_lists import Found, RankedList, draw_ranked_lists

RNG = np.random.default_rng(0)


def picture(height=32, width=16):
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


def ranked(rights=(True, False, False), *, name="", query="query/1", cameras="2", size=(32, 16)):
    found = tuple(Found(picture(*size), cameras, is_right) for is_right in rights)
    return RankedList(name, query, "0001", "1", picture(), found)


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def frames(figure):
    return [one for one in figure.axes[0].patches if isinstance(one, Rectangle)]


def test_a_row_is_the_query_and_what_was_found_nearest_first():
    shown = ranked()
    figure = draw_ranked_lists([shown], dpi=50)
    drawn = [one.get_array() for one in figure.axes[0].images]
    expected = [shown.picture, *(one.picture for one in shown.found)]
    for one, other in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {"query", "1", "2", "3", "query/1", "person 0001"} <= set(words(figure))


def test_right_and_wrong_differ_by_colour_by_sign_and_by_the_line_of_the_frame():
    figure = draw_ranked_lists([ranked((True, False))], dpi=50)
    right, wrong = frames(figure)
    assert right.get_edgecolor() != wrong.get_edgecolor()
    assert right.get_linestyle() == "-" != wrong.get_linestyle()
    assert {"✓ camera 2", "✗ camera 2", "camera 1"} <= set(words(figure))
    assert any("the same person" in text for text in words(figure))


def test_cameras_are_called_alike_by_a_wording_that_fits_them_all():
    shown = words(draw_ranked_lists([ranked((True,) * 10)], dpi=50))
    assert "✓ cam 2" in shown
    assert "cam 1" in shown
    named = words(draw_ranked_lists([ranked(cameras="gallery")], dpi=50))
    assert "✗ gallery" in named


def test_lists_of_several_features_are_named_and_shorter_ones_end_early():
    lists = [ranked(name="XQDA"), ranked((False,), name="average")]
    figure = draw_ranked_lists(lists, dpi=50)
    assert {"XQDA", "average"} <= set(words(figure))
    assert len(frames(figure)) == 4


def test_pictures_keep_their_shape():
    figure = draw_ranked_lists([ranked((True,), size=(20, 20))], dpi=50)
    (left, right, bottom, top) = figure.axes[0].images[1].get_extent()
    assert right - left == pytest.approx(bottom - top)


def test_columns_go_on_below_where_the_page_is_narrow_with_the_query_again():
    figure = draw_ranked_lists([ranked((False,) * 10)], width_in=3.4, dpi=50)
    assert words(figure).count("query") > 1
    assert len(frames(figure)) == 10
    assert figure.get_figwidth() <= 3.4 + 1e-6


@pytest.mark.parametrize("width_in", [7.0, 3.4])
def test_nothing_overlaps_or_leaves_the_page(misplaced, width_in):
    name = "XQDA of all layers together"
    query = "query/0001_c1s1_001051_00"
    lists = [ranked((False,) * 10, name=name, query=query, size=size) for size in ((48, 16),) * 2]
    assert misplaced(draw_ranked_lists(lists, width_in=width_in, dpi=50)) == []

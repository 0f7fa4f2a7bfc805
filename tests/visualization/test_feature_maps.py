import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle
from attncli.visualization.feature_maps import FeatureMap, MappedImage, draw_feature_maps

RNG = np.random.default_rng(0)
COLUMNS = ("CAM I", "SVD-CAM I", "CAM P", "SVD-CAM P")


def mapped(name="a/1", label="forest", n=4, caption="pier", sides=(24, 24)):
    pictures = [RNG.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in sides * 2]
    maps = (FeatureMap(picture, RNG.normal(size=(7, 7)), caption) for picture in pictures[:n])
    return MappedImage(name, label, tuple(maps))


def pictures(figure):
    return [shown.get_array() for shown in figure.axes[0].images]


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_shares_are_of_the_greatest_value_and_nothing_is_less_than_0():
    one = FeatureMap(np.zeros((2, 2, 3), np.uint8), np.array([[-3.0, 0.0], [1.0, 4.0]]))
    np.testing.assert_allclose(one.shares, [[0, 0], [0.25, 1]])
    np.testing.assert_array_equal(FeatureMap(one.image, -np.ones((1, 2))).shares, [[0, 0]])


def test_a_row_is_the_image_and_a_map_a_column_each_over_what_its_source_saw():
    shown = mapped(sides=(24, 32))
    figure = draw_feature_maps([shown], COLUMNS, style=HeatStyle(opacity=0.0), dpi=50)
    first, *heat = pictures(figure)
    np.testing.assert_array_equal(first, shown.maps[0].image)
    for picture, one in zip(heat, shown.maps, strict=True):
        np.testing.assert_array_equal(picture, one.image)
    assert {"image", *COLUMNS, "a/1", "forest", "pier"} <= set(words(figure))


def test_full_heat_shows_the_colours_of_the_shares_alone():
    flat = FeatureMap(np.zeros((8, 8, 3), np.uint8), np.full((7, 7), 5.0))
    shown = MappedImage("a", "", (flat,))
    _, heat = pictures(draw_feature_maps([shown], ["CAM"], style=HeatStyle(opacity=1.0)))
    assert len(np.unique(heat.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize(("n", "width_in"), [(4, 7.0), (2, 3.4)])
def test_nothing_overlaps_or_leaves_the_page(misplaced, n, width_in):
    images = [mapped(name, n=n, caption="great white shark") for name in ("test/a/image_1", "b")]
    looks = {"style": HeatStyle(), "width_in": width_in, "dpi": 50}
    assert misplaced(draw_feature_maps(images, COLUMNS[:n], **looks)) == []

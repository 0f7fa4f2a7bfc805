import numpy as np
import pytest

from attncli.visualization.clips import HeatStyle
from attncli.visualization.position_maps import (
    CameraPeople,
    PositionMap,
    draw_position_maps,
    weigh,
)

RNG = np.random.default_rng(0)


def people(n=2, size=(32, 16)):
    pictures = [RNG.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(n)]
    return [CameraPeople(f"camera {c}", 40, one) for c, one in enumerate(pictures, start=1)]


def weights(n=2, title="conv5", number=1):
    return PositionMap(title, (f"map {number}", "ratio 1.25"), RNG.normal(size=(n, 4, 2)))


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_shares_are_of_the_greatest_magnitude_of_all_cameras():
    one = PositionMap("conv5", (), np.array([[[1.0, -4.0]], [[2.0, 0.0]]]))
    np.testing.assert_allclose(one.shares, [[[0.25, -1]], [[0.5, 0]]])
    np.testing.assert_array_equal(PositionMap("a", (), np.zeros((1, 1, 2))).shares, [[[0, 0]]])


def test_places_without_weight_show_the_picture_in_grey():
    (shown,) = people(1)
    seen = weigh(shown.mean, np.zeros((4, 2), np.float32), HeatStyle())
    grey = np.rint(shown.mean.mean(axis=2)).astype(np.uint8)
    np.testing.assert_array_equal(seen, np.repeat(grey[..., None], 3, axis=2))


def test_the_greatest_weights_are_covered_by_the_ends_of_the_colours():
    (shown,) = people(1)
    style = HeatStyle(colormap="coolwarm", opacity=0.5)
    for sign, red_is_more in ((1, True), (-1, False)):
        seen = weigh(shown.mean, np.full((4, 2), sign, np.float32), style)
        (color,) = np.unique(seen.reshape(-1, 3), axis=0)
        assert (color[0] > color[2]) == red_is_more


def test_no_opacity_shows_no_weights():
    (shown,) = people(1)
    one = weights(1)
    plain = weigh(shown.mean, np.zeros((4, 2), np.float32), HeatStyle())
    np.testing.assert_array_equal(weigh(shown.mean, one.shares[0], HeatStyle(opacity=0.0)), plain)


def test_a_row_is_a_camera_with_its_mean_person_and_a_column_a_map():
    shown = people()
    figure = draw_position_maps(shown, [weights(), weights(number=2)], style=HeatStyle(), dpi=50)
    pictures = [one.get_array() for one in figure.axes[0].images]
    assert len(pictures) == 6
    np.testing.assert_array_equal(pictures[3], shown[1].mean)
    told = {"camera 1", "camera 2", "40 images", "mean person", "conv5", "map 2", "ratio 1.25"}
    assert told <= set(words(figure))


@pytest.mark.parametrize("width_in", [7.0, 3.4])
def test_nothing_overlaps_or_leaves_the_page(misplaced, width_in):
    maps = [weights(6, title, n) for title in ("conv4", "a_layer_of_a_long_name") for n in (1, 2)]
    looks = {"style": HeatStyle(), "width_in": width_in, "dpi": 50}
    assert misplaced(draw_position_maps(people(6, (48, 16)), maps, **looks)) == []

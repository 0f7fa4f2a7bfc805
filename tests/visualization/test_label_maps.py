import numpy as np
import pytest

from attncli.files.label_maps import voc_palette
from attncli.visualization.clips import HeatStyle
from attncli.visualization.label_maps import (
    ERROR_COLORS,
    Errors,
    Heat,
    LabelledImage,
    Labels,
    draw_contact_sheet,
    draw_label_maps,
    error_map,
)

CLASSES = ("background", "cat", "dog")
RNG = np.random.default_rng(0)


def halves(left, right, size_hw=(24, 32)):
    labels = np.full(size_hw, left, np.uint8)
    labels[:, size_hw[1] // 2 :] = right
    return labels


def image(name="2007_000033", *, size_hw=(24, 32), **panels):
    pixels = RNG.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    return LabelledImage(name, pixels, panels)


def pictures(figure):
    return [shown.get_array() for shown in figure.axes[0].images]


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_label_maps_have_vocs_colours_beside_the_image():
    shown = image(psa=Labels(halves(0, 1)), truth=Labels(halves(2, 255)))
    figure = draw_label_maps([shown], ["psa", "truth"], CLASSES, style=HeatStyle())
    first, psa, truth = pictures(figure)
    np.testing.assert_array_equal(first, shown.image)
    np.testing.assert_array_equal(psa, voc_palette()[halves(0, 1)])
    np.testing.assert_array_equal(truth[0, -1], (224, 224, 192))
    assert {"image", "psa", "truth", "2007_000033", "cat", "dog"} <= set(words(figure))
    (name,) = (text for text in figure.axes[0].texts if text.get_text() == "cat")
    assert name.get_color() == "#800000"
    assert len(figure.axes) == 1  # no colours of scores, as there are none


def test_scores_are_heat_with_a_colour_bar():
    shown = image(cam=Heat(np.zeros((24, 32), np.float16)))
    figure = draw_label_maps([shown], ["cam"], CLASSES, style=HeatStyle(opacity=0.0))
    np.testing.assert_array_equal(pictures(figure)[1], shown.image)
    assert "score" in words(figure)
    assert len(figure.axes) == 2


def test_an_image_without_something_has_a_gap_there():
    both = image("a", psa=Labels(halves(0, 1)), ssdd=Labels(halves(0, 1)))
    one = image("b", ssdd=Labels(halves(0, 2)))
    figure = draw_label_maps([both, one], ["psa", "ssdd"], CLASSES, style=HeatStyle())
    lefts = [round(shown.get_extent()[0], 3) for shown in figure.axes[0].images]
    assert len(lefts) == 5
    assert lefts[4] == lefts[2]


@pytest.mark.parametrize(
    ("truth", "given", "name"),
    [
        (1, 1, "right class"),
        (1, 0, "missed"),
        (1, 255, "missed"),
        (0, 2, "where there is none"),
        (1, 2, "another class"),
        (0, 255, "another class"),
    ],
)
def test_each_error_has_its_colour(truth, given, name):
    black = np.zeros((1, 2, 3), np.uint8)
    found = error_map(black, np.array([[given, 0]], np.uint8), np.array([[truth, 0]], np.uint8))
    assert found[0].tolist() == [list(ERROR_COLORS[name]), [127, 127, 127]]


def test_what_counts_for_nothing_is_white():
    found = error_map(image().image, halves(1, 255), halves(255, 255))
    assert (found == 255).all()


@pytest.mark.parametrize(
    ("columns", "size_hw", "width_in"), [(1, (24, 32), 7.0), (7, (60, 20), 3.4)]
)
def test_nothing_overlaps_or_leaves_the_page(misplaced, columns, size_hw, width_in):
    kinds = [Labels(halves(1, 2, size_hw)), Heat(np.ones(size_hw, np.float32))]
    kinds.append(Errors(halves(1, 2, size_hw), halves(0, 2, size_hw)))
    names = [f"column {n}" for n in range(columns)]
    panels = {name: kinds[n % 3] for n, name in enumerate(names)}
    images = [image(f"2007_00000{n}", size_hw=size_hw, **panels) for n in range(3)]
    images.append(image("wide", size_hw=(8, 60), **{names[0]: Labels(halves(1, 2, (8, 60)))}))
    figure = draw_label_maps(images, names, CLASSES, style=HeatStyle(), width_in=width_in, dpi=50)
    assert misplaced(figure) == []


def test_a_contact_sheet_tints_the_classes_and_leaves_the_background(misplaced):
    images = [
        image(f"2007_{n:06}", size_hw=((24, 32), (32, 20))[n % 2], seeds=Labels(labels))
        for n, labels in enumerate([halves(0, 1), halves(0, 2, (32, 20))] * 6)
    ]
    figure = draw_contact_sheet(images, opacity=0.5, dpi=50)
    first = pictures(figure)[0]
    np.testing.assert_array_equal(first[:, :16], images[0].image[:, :16])
    mixed = images[0].image[:, 16:] / 2 + voc_palette()[1] / 2
    np.testing.assert_allclose(first[:, 16:], mixed, atol=1)
    assert len(pictures(figure)) == 12
    assert misplaced(figure) == []

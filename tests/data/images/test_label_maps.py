import numpy as np
import pytest
from PIL import Image

from attncli.data.images.label_maps import classes_shown, read_label_map
from attncli.errors import AttncliError
from attncli.files.label_maps import voc_palette

LABELS = np.array([[0, 1, 20], [15, 255, 0]], dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.png"


def palette_image(labels, palette=None):
    image = Image.fromarray(labels)
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette((voc_palette() if palette is None else palette).ravel().tolist())
    return image


def test_indices_of_a_palette_count(path):
    palette_image(LABELS).save(path)
    np.testing.assert_array_equal(read_label_map(path, n_classes=20, size_hw=(2, 3)), LABELS)


def test_indices_count_whatever_other_colors_a_palette_has(path):
    palette_image(LABELS, 255 - voc_palette()).save(path)
    np.testing.assert_array_equal(read_label_map(path, n_classes=20), LABELS)


def test_indices_count_where_a_palette_ends_before_them_or_is_all_black(path):
    of_classes = voc_palette() * (np.arange(256) <= 20)[:, None].astype(np.uint8)
    for palette in (of_classes, of_classes[:21], of_classes * 0):
        for labels in (LABELS, LABELS[1:, :2]):  # with and without background
            palette_image(labels, palette).save(path)
            np.testing.assert_array_equal(read_label_map(path, n_classes=20), labels)


def test_palettes_of_few_colors_are_read(path):
    labels = np.array([[0, 1, 2]], dtype=np.uint8)
    palette_image(labels).save(path, bits=2)
    np.testing.assert_array_equal(read_label_map(path, n_classes=2), labels)


def test_voc_colors_in_another_order_are_refused(path):
    # Programs that make files smaller leave only the colours that are used.
    indices = np.array([[0, 1]], dtype=np.uint8)
    palette_image(indices, voc_palette()[[0, 15]]).save(path)
    with pytest.raises(AttncliError, match=r"m\.png: label map has PASCAL VOC's colours, but not"):
        read_label_map(path, n_classes=20)


def test_values_of_grey_count(path):
    Image.fromarray(LABELS).save(path)
    np.testing.assert_array_equal(read_label_map(path, n_classes=20), LABELS)


def test_grey_of_16_bits_is_read_where_values_fit(path):
    Image.fromarray(LABELS.astype(np.uint16)).save(path)
    np.testing.assert_array_equal(read_label_map(path, n_classes=20), LABELS)
    Image.fromarray(LABELS.astype(np.uint16) * 257).save(path)
    with pytest.raises(AttncliError, match=r"m\.png: label map has the value 257, which is no"):
        read_label_map(path, n_classes=20)


def test_rgb_of_voc_colors_is_read_exactly(path):
    for colors in (voc_palette()[LABELS], np.dstack([voc_palette()[LABELS], LABELS * 0 + 255])):
        Image.fromarray(colors).save(path)
        np.testing.assert_array_equal(read_label_map(path, n_classes=20), LABELS)


def test_rgb_of_another_color_is_refused(path):
    colors = voc_palette()[LABELS]
    colors[1, 1] = (129, 0, 0)
    Image.fromarray(colors).save(path)
    with pytest.raises(AttncliError, match=r"m\.png: label map has the colour \(129, 0, 0\), whic"):
        read_label_map(path, n_classes=20)


@pytest.mark.parametrize("make", [palette_image, Image.fromarray])
def test_a_value_that_is_no_class_is_named(path, make):
    make(np.array([[0, 21, 255]], dtype=np.uint8)).save(path)
    with pytest.raises(
        AttncliError, match=r"m\.png: label map has the value 21, which is no class"
    ):
        read_label_map(path, n_classes=20)
    assert read_label_map(path, n_classes=21)[0, 1] == 21


def test_another_size_than_the_image_is_named(path):
    palette_image(LABELS).save(path)
    with pytest.raises(AttncliError, match=r"m\.png: label map is 3x2, its image 2x3 as it is sho"):
        read_label_map(path, n_classes=20, size_hw=(3, 2))


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (Image.new("1", (2, 2)), "is grey with fewer than 8 bits"),
        (Image.new("LA", (2, 2), (1, 9)), "is transparent in parts"),
    ],
)
def test_pixels_that_may_mean_anything_are_refused(path, image, problem):
    image.save(path)
    with pytest.raises(AttncliError, match=problem):
        read_label_map(path, n_classes=20)


def test_a_jpeg_is_no_label_map(tmp_path):
    Image.fromarray(LABELS).save(tmp_path / "m.jpg")
    with pytest.raises(AttncliError, match=r"m\.jpg: label map is a JPEG image"):
        read_label_map(tmp_path / "m.jpg", n_classes=20)


def test_neither_background_nor_ignored_pixels_are_classes():
    assert classes_shown(LABELS) == {0, 14, 19}
    assert classes_shown(np.full((2, 2), 255, dtype=np.uint8)) == set()

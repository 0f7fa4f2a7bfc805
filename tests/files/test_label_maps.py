from pathlib import Path

import numpy as np
from PIL import Image

from attncli.files.label_maps import labels_of_colors, voc_palette, write_label_map

LABELS = np.array([[0, 1, 20], [15, 255, 0]], dtype=np.uint8)


def test_the_palette_is_that_of_voc():
    # Written down from the development kit's table of classes and colours.
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 4: (0, 0, 128), 8: (64, 0, 0)}
    known |= {15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    for label, color in known.items():
        assert tuple(voc_palette()[label].tolist()) == color
    assert len(np.unique(voc_palette(), axis=0)) == 256


def test_every_label_is_found_by_its_color() -> None:
    assert labels_of_colors(voc_palette()).tolist() == list(range(256))
    assert labels_of_colors(np.array([[1, 2, 3]], dtype=np.uint8)).tolist() == [-1]


def test_a_label_map_is_a_palette_image_in_vocs_colors(tmp_path: Path) -> None:
    write_label_map(tmp_path / "a" / "b.c.png", LABELS)
    with Image.open(tmp_path / "a" / "b.c.png") as image:
        assert (image.mode, image.size) == ("P", (3, 2))
        np.testing.assert_array_equal(np.asarray(image), LABELS)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), voc_palette()[LABELS])

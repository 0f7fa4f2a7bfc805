"""A few images by class, in torchvision's layout."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_image_folder(
    root: Path, *, n_train: int = 3, n_test: int = 2, classes: tuple[str, ...] = ("a", "b")
) -> Path:
    """Write images of noise, no two of one size, and return where they are.

    Args:
        root: Directory.
        n_train: Training images a class.
        n_test: Images for validation a class.
        classes: Their names.
    """
    number = 0
    for split, n_images in (("train", n_train), ("test", n_test)):
        for name in classes:
            (root / split / name).mkdir(parents=True, exist_ok=True)
            for index in range(n_images):
                number += 1
                size = (36 + number, 40 + 2 * (number % 5), 3)
                pixels = np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    return root

"""Images in VOC2012's layout, each of its own size, with seeds that nobody had to train for."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from attncli.data.images.seeds import Scored, write_scored
from attncli.data.layouts.voc2012 import CLASSES
from attncli.files.label_maps import write_label_map
from attncli.files.score_maps import write_score_maps
from attncli.files.seeds import write_description

CAT, DOG = 8, 12
"""Labels of label maps: positions among VOC's classes, from 1."""
SIZES = {"a": (18, 26), "b.c": (16, 16), "deep/ü": (9, 30), "one": (1, 1), "plain": (20, 12)}
"""Rows and columns of the training images; `plain` shows background alone."""
SHOWN = {"a": (CAT, DOG), "b.c": (CAT,), "deep/ü": (DOG,), "one": (CAT,), "plain": ()}


def truth_of(image_id: str) -> np.ndarray:
    """Return the true labels: the classes beside each other at the left, background at the right.

    Args:
        image_id: One of `SIZES`.
    """
    labels = np.zeros(SIZES[image_id], np.uint8)
    width = -(-labels.shape[1] // 4)
    for number, label in enumerate(SHOWN[image_id]):
        labels[:, number * width : (number + 1) * width] = label
    return labels


def write_voc(root: Path, *, val: Iterable[str] = ("a",)) -> Path:
    """Write the images with their label maps and lists, and return where they are."""
    for number, (image_id, size_hw) in enumerate(SIZES.items()):
        image = root / "JPEGImages" / f"{image_id}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (*size_hw, 3), np.uint8)
        Image.fromarray(noise).save(image)
        write_label_map(root / "SegmentationClass" / f"{image_id}.png", truth_of(image_id))
    write_list(root, SIZES)
    write_list(root, val, "val")
    return root


def write_list(root: Path, ids: Iterable[str], name: str = "train") -> None:
    """Write which images a split has."""
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / f"{name}.txt").write_text("".join(f"{image_id}\n" for image_id in ids), "utf-8")


def describe_seeds(path: Path, stage: str, classes: tuple[str, ...] = CLASSES) -> Path:
    """Write what the seeds of a directory are, and return it."""
    about = {"stage": stage, "parameters": {}, "ids": list(SIZES), "parents": {}}
    write_description(path, classes=classes, **about)
    return path


def write_seeds(path: Path, *, background: bool = True, seed: int = 0, shift: int = 0) -> Path:
    """Write noisy seeds of the images, and return where they are.

    Args:
        path: Directory.
        background: Whether the background is scored; class activation maps have none.
        seed: Of the noise.
        shift: Columns by which the classes are moved.
    """
    describe_seeds(path, "psa" if background else "cam")
    for number, image_id in enumerate(SIZES):
        classes = np.array([0] * background + list(SHOWN[image_id]), np.int64)
        noise = np.random.default_rng(100 * seed + number)
        scores = 0.4 * noise.random((len(classes), *SIZES[image_id]))
        truth = np.roll(truth_of(image_id), shift, axis=1)
        scores = (scores + 0.6 * (truth == classes[:, None, None])).astype(np.float32)
        if background:
            write_scored(path, image_id, Scored(classes, scores.clip(0, 1)))
        else:
            write_score_maps(path, image_id, classes, scores.clip(0, 1))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files of a directory."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

import numpy as np
import pytest

from attncli.metrics.background import CONSTANTS, best_constant, confusion_at, constant_histogram
from attncli.metrics.segmentation import mean_iou_percent, pixel_confusion

N = 3


def tables(seed):
    """Random truths, classes and scores of two images, and each constant's table as defined."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(np.array([0, 1, 2, 255], np.uint8), (2, 6, 7))
    labels = rng.integers(1, N, (2, 6, 7)).astype(np.uint8)
    highest = rng.choice(np.append(CONSTANTS, [0, 0.245, 0.999]).astype(np.float32), (2, 6, 7))
    expected = [
        pixel_confusion(truth, np.where(highest > c, labels, 0).astype(np.uint8), n_labels=N)
        for c in CONSTANTS
    ]
    parts = [
        constant_histogram(*one, n_labels=N) for one in zip(truth, labels, highest, strict=True)
    ]
    return sum(parts), expected


@pytest.mark.parametrize("seed", [0, 1])
def test_one_histogram_holds_the_tables_of_all_constants(seed):
    histogram, expected = tables(seed)
    for position, table in enumerate(expected):
        assert (confusion_at(histogram, position) == table).all()
    best = max(range(len(CONSTANTS)), key=lambda i: mean_iou_percent(expected[i]))
    assert best_constant(histogram) == best


def test_a_constant_as_high_as_the_score_is_background():
    at = np.full((1, 1), 24, np.uint8)
    truth, labels = np.zeros_like(at), np.ones_like(at)
    histogram = constant_histogram(truth, labels, np.full((1, 1), CONSTANTS[23]), n_labels=2)
    assert confusion_at(histogram, 23)[0].tolist() == [1, 0, 0]
    assert confusion_at(histogram, 22)[0].tolist() == [0, 1, 0]
    assert (best_constant(histogram), float(CONSTANTS[23])) == (23, pytest.approx(0.24))


def test_nothing_to_choose_by_takes_the_first():
    assert best_constant(np.zeros((N, N, len(CONSTANTS) + 1), np.int64)) == 0

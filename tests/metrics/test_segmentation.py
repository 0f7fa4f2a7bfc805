import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from attncli.metrics.segmentation import (
    iou_percent,
    mean_iou_percent,
    pixel_accuracy_percent,
    pixel_confusion,
    precision_percent,
    recall_percent,
    undefined_pixels,
)

N = 4
LABELS = st.sampled_from([*range(N), 255])
TRUTH = np.array([[0, 0, 0, 1], [1, 1, 255, 255]], np.uint8)
GIVEN = np.array([[0, 2, 255, 1], [1, 0, 1, 255]], np.uint8)


def voc_eval(truths, results, n):
    """PASCAL VOC's development kit (VOCevalseg) in plain loops, a pixel at a time."""
    counts = np.zeros((n, n + 1), int)
    for truth, result in zip(truths, results, strict=True):
        for t, r in zip(truth.ravel(), result.ravel(), strict=True):
            if t != 255:
                counts[t, n if r == 255 else r] += 1
    shares = []
    for label in range(n):
        union = counts[label].sum() + counts[:, label].sum() - counts[label, label]
        if union:
            shares.append(100 * counts[label, label] / union)
    return np.mean(shares) if shares else None


def test_rows_are_true_labels_and_the_last_column_is_no_label():
    counts = pixel_confusion(TRUTH, GIVEN, n_labels=N)
    assert counts.dtype == np.int64
    expected = np.zeros((N, N + 1))
    expected[0] = [1, 0, 1, 0, 1]
    expected[1, :2] = [1, 2]
    assert (counts == expected).all()


def test_figures_by_hand():
    counts = pixel_confusion(TRUTH, GIVEN, n_labels=N)
    # 0: 1 hit, 3 true, 2 given: 1/4. 1: 2 hits, 3 true, 2 given: 2/3. 2: only given. 3: neither.
    np.testing.assert_allclose(iou_percent(counts), [25, 200 / 3, 0, np.nan])
    assert mean_iou_percent(counts) == pytest.approx((25 + 200 / 3) / 3)
    np.testing.assert_allclose(recall_percent(counts), [100 / 3, 200 / 3, np.nan, np.nan])
    np.testing.assert_allclose(precision_percent(counts), [50, 100, 0, np.nan])
    assert pixel_accuracy_percent(counts) == 50
    assert undefined_pixels(counts) == 1


@given(arrays(np.uint8, (2, 3, 3), elements=LABELS), arrays(np.uint8, (2, 3, 3), elements=LABELS))
def test_tables_of_images_add_up_to_vocs_figure(truth, given):
    whole = pixel_confusion(truth, given, n_labels=N)
    parts = [pixel_confusion(t, g, n_labels=N) for t, g in zip(truth, given, strict=True)]
    assert (sum(parts) == whole).all()
    assert mean_iou_percent(whole) == pytest.approx(voc_eval(truth, given, N))


def test_the_mean_is_not_that_of_single_images():
    """A small object missed in one image of two weighs by its pixels, not by its image."""
    truth = np.array([[1] * 8 + [0] * 2, [1] + [0] * 9], np.uint8)
    given = np.array([[1] * 8 + [0] * 2, [0] * 10], np.uint8)
    whole = pixel_confusion(truth, given, n_labels=2)
    assert mean_iou_percent(whole) == pytest.approx(100 * (11 / 12 + 8 / 9) / 2)
    pairs = zip(truth, given, strict=True)
    single = [mean_iou_percent(pixel_confusion(t, g, n_labels=2)) for t, g in pairs]
    assert np.mean(single) == pytest.approx((100 + 45) / 2)


def test_nothing_counted_has_no_figures():
    counts = pixel_confusion(np.full((2, 2), 255, np.uint8), GIVEN[:, :2], n_labels=N)
    assert not counts.any()
    assert (mean_iou_percent(counts), pixel_accuracy_percent(counts)) == (None, None)
    assert np.isnan(iou_percent(counts)).all()


@pytest.mark.parametrize(("truth", "given"), [(4, 0), (0, 4), (0, 254)])
def test_what_is_no_label_is_refused(truth, given):
    with pytest.raises(ValueError, match="below 4, or 255"):
        pixel_confusion(np.array([truth], np.uint8), np.array([given], np.uint8), n_labels=N)

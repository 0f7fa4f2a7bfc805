import numpy as np
import pytest

from attncli.metrics.multi_label import class_figures


def naive_average_precision(scores: list[float], shown: list[bool]) -> float:
    """Mean over images that show the class of the precision at their rank (no equal scores)."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    hits, precisions = 0, []
    for rank, i in enumerate(order, start=1):
        if shown[i]:
            hits += 1
            precisions.append(hits / rank)
    return sum(precisions) / len(precisions)


def test_average_precision_is_the_mean_precision_at_the_hits() -> None:
    rng = np.random.default_rng(0)
    probabilities, shown = rng.random((40, 5)), rng.random((40, 5)) < 0.3
    found = class_figures(probabilities, shown).average_precision
    for k in range(5):
        expected = naive_average_precision(list(probabilities[:, k]), list(shown[:, k]))
        assert found[k] == pytest.approx(expected)


def test_precision_recall_and_f1_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.5, 0.2], [0.4, 0.3], [0.6, 0.1]])
    shown = np.array([[True, False], [True, False], [True, True], [False, False]])
    found = class_figures(probabilities, shown)
    assert found.images.tolist() == [3, 1]
    # Class 0: said of rows 0, 1 and 3, of which 0 and 1 show it, and row 2 is missed.
    assert found.precision[0] == pytest.approx(2 / 3)
    assert found.recall[0] == pytest.approx(2 / 3)
    assert found.f1[0] == pytest.approx(2 / 3)
    # Class 1 is never said: no precision, nothing recalled.
    assert np.isnan(found.precision[1])
    assert (found.recall[1], found.f1[1], found.average_precision[1]) == (0, 0, 1)


def test_a_class_that_no_image_shows_has_no_figures() -> None:
    found = class_figures(np.array([[0.9], [0.2]]), np.zeros((2, 1), dtype=bool))
    assert found.precision[0] == 0
    for figure in (found.average_precision, found.recall, found.f1):
        assert np.isnan(figure[0])

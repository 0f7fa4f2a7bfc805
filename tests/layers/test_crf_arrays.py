import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pydensecrf.densecrf import DenseCRF2D
from pydensecrf.utils import unary_from_labels, unary_from_softmax

from attncli.config.crf import CrfConfig
from attncli.errors import AttncliError
from attncli.layers.crf_arrays import dense_crf, one_hot_probabilities

CRF = CrfConfig()
TORCH = CrfConfig(crf_backend="torch")
BACKENDS = pytest.mark.parametrize("config", [CRF, TORCH], ids=["pydensecrf", "torch"])


def make_image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return an image of two textured halves."""
    generator = np.random.default_rng(seed)
    image = generator.normal(90, 12, (height, width, 3))
    image[:, width // 2 :] += 70
    return image.clip(0, 255).astype(np.uint8)


def make_scores(labels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((labels, height, width), dtype=np.float32)


def called_directly(image: np.ndarray, scores: np.ndarray, iterations: int = 10) -> np.ndarray:
    height, width, _ = image.shape
    field = DenseCRF2D(width, height, len(scores))
    field.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(scores)))
    field.addPairwiseGaussian(sxy=3, compat=3)
    field.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image.copy(), compat=10)
    return np.array(field.inference(iterations)).reshape(scores.shape)


@pytest.mark.parametrize("labels", [2, 4, 21])
def test_it_is_pydensecrf_called_directly(labels: int) -> None:
    image, scores = make_image(23, 38), make_scores(labels, 23, 38)
    scores[0, :5], scores[1, 3:9], scores[1, 9:12] = 1.2, 0, 1.2
    np.testing.assert_array_equal(dense_crf(image, scores, CRF), called_directly(image, scores))


def test_a_label_more_where_that_is_quicker_changes_nothing() -> None:
    image, scores = make_image(23, 38), make_scores(3, 23, 38)
    scores[0, :5], scores[1, 3:9], scores[2, :] = 1.2, 0, 0
    found = dense_crf(image, scores, CRF)
    np.testing.assert_allclose(found, called_directly(image, scores), atol=2e-6)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)


@BACKENDS
@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_a_lone_pixel_hears_itself_alone(config: CrfConfig, iterations: int) -> None:
    # Either kernel, normalised, is 1 there: Q <- softmax(-u + (3 + 10) Q).
    probabilities = [0.45, 0.0, 0.2, 1.2]
    costs = [-math.log(min(max(p, 1e-5), 1)) for p in probabilities]
    answer = _softmax([-cost for cost in costs])
    for _ in range(iterations):
        answer = _softmax([13 * q - cost for q, cost in zip(answer, costs, strict=True)])
    scores = np.float32(probabilities).reshape(4, 1, 1)
    image = np.full((1, 1, 3), 77, np.uint8)
    found = dense_crf(image, scores, replace(config, crf_iterations=iterations))
    np.testing.assert_allclose(found.ravel(), answer, atol=1e-6)


def _softmax(values: list[float]) -> list[float]:
    exponentials = [math.exp(value) for value in values]
    return [one / sum(exponentials) for one in exponentials]


@BACKENDS
def test_labels_follow_colours(config: CrfConfig) -> None:
    image = make_image(30, 40)
    scores = np.full((2, 30, 40), 0.5, np.float32)
    scores[1, 5:25, 24:36], scores[0, 5:25, 4:16] = 0.9, 0.9
    found = dense_crf(image, scores, config)
    assert (found.argmax(axis=0) == (np.arange(40) >= 20)).mean() > 0.98


@BACKENDS
def test_one_label_is_everywhere(config: CrfConfig) -> None:
    answer = dense_crf(make_image(4, 6), np.zeros((1, 4, 6), np.float32), config)
    np.testing.assert_array_equal(answer, np.ones((1, 4, 6), np.float32))


@BACKENDS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(config: CrfConfig, bad: float) -> None:
    scores = make_scores(2, 4, 6)
    scores[1, 2, 3] = bad
    with pytest.raises(AttncliError, match="scores for a CRF must be finite"):
        dense_crf(make_image(4, 6), scores, config)


def test_scores_of_another_size_and_of_no_label_are_refused() -> None:
    with pytest.raises(AttncliError, match="scores are of 6x5 pixels, their image has 6x4"):
        dense_crf(make_image(4, 6), make_scores(2, 5, 6), CRF)
    with pytest.raises(AttncliError, match="at least one label"):
        dense_crf(make_image(4, 6), make_scores(0, 4, 6), CRF)


@BACKENDS
def test_memory_may_lie_in_any_order_and_be_read_only(config: CrfConfig) -> None:
    image = make_image(9, 7).transpose(1, 0, 2)
    scores = make_scores(3, 9, 7).transpose(0, 2, 1).astype(np.float16)
    expected = dense_crf(image.copy(), scores.astype(np.float32).copy(), config)
    for ours, theirs in ((image, scores), (image.copy(), scores.copy())):
        ours.flags.writeable = theirs.flags.writeable = False
        np.testing.assert_array_equal(dense_crf(ours, theirs, config), expected)


def test_pydensecrf_comes_without_torch() -> None:
    code = "import sys, attncli.layers.crf_arrays; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_label_map_scores_as_pydensecrf_has_it() -> None:
    labels = np.array([[0, 3, 255], [15, 0, 3]], np.uint8)
    scores = one_hot_probabilities(labels, np.array([0, 3, 15]))
    numbers = np.array([[1, 2, 0], [3, 1, 2]])  # pydensecrf: 0 is unsure
    expected = unary_from_labels(numbers, 3, gt_prob=0.7)
    np.testing.assert_allclose(-np.log(scores).reshape(3, -1), expected, rtol=1e-6)


def test_a_label_map_of_one_class_or_of_a_foreign_one() -> None:
    labels = np.array([[0, 255]], np.uint8)
    answer = dense_crf(make_image(1, 2), one_hot_probabilities(labels, np.array([0])), CRF)
    np.testing.assert_array_equal(answer, np.ones((1, 1, 2), np.float32))
    with pytest.raises(AttncliError, match="holds class 7"):
        one_hot_probabilities(np.full((1, 2), 7, np.uint8), np.array([0, 3]))

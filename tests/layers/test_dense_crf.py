from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.config.crf import CrfConfig
from attncli.errors import AttncliError
from attncli.layers.dense_crf import dense_crf, dense_crf_batch

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


@settings(max_examples=12)
@given(
    labels=st.integers(2, 5),
    height=st.integers(1, 14),
    width=st.integers(1, 14),
    seed=st.integers(0, 99),
)
def test_the_backends_agree(labels: int, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    scores = make_scores(labels, height, width, seed)
    difference = dense_crf(image, scores, TORCH) - dense_crf(image, scores, CRF)
    assert np.abs(difference).max() < 1e-4


def test_the_backends_agree_on_a_whole_image() -> None:
    image, scores = make_image(101, 83), make_scores(4, 101, 83)
    difference = dense_crf(image, scores, TORCH) - dense_crf(image, scores, CRF)
    assert np.abs(difference).max() < 1e-4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_backends_agree_on_a_gpu() -> None:
    image, scores = make_image(375, 500), make_scores(4, 375, 500)
    difference = dense_crf(image, scores, TORCH, device="cuda") - dense_crf(image, scores, CRF)
    assert np.abs(difference).max() < 1e-4


@BACKENDS
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(config: CrfConfig, bad: float) -> None:
    scores = make_scores(2, 4, 6)
    scores[1, 2, 3] = bad
    with pytest.raises(AttncliError, match="scores for a CRF must be finite"):
        dense_crf_batch(
            torch.zeros(1, 3, 4, 6, dtype=torch.uint8),
            torch.from_numpy(scores)[None],
            torch.ones(1, 2, dtype=torch.bool),
            config,
        )


@BACKENDS
def test_a_batch_is_its_images_with_their_own_labels(config: CrfConfig) -> None:
    config = replace(config, crf_iterations=3)
    arrays = [make_image(11, 14, seed) for seed in range(3)]
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    scores = torch.from_numpy(make_scores(15, 11, 14)).view(3, 5, 11, 14).requires_grad_()
    present = torch.tensor([[1, 0, 0, 1, 0], [1, 1, 1, 0, 1], [1, 0, 0, 0, 0]], dtype=torch.bool)
    scores = scores.where(present[:, :, None, None], torch.nan)  # of no matter
    answers = dense_crf_batch(images, scores, present, config)
    assert not answers.requires_grad
    for image, score, labels, answer in zip(arrays, scores, present, answers, strict=True):
        expected = dense_crf(image, score[labels].detach().numpy(), config)
        np.testing.assert_allclose(answer[labels].numpy(), expected, atol=1e-6)
        assert not answer[~labels].any()


@BACKENDS
def test_an_image_of_a_batch_needs_a_label(config: CrfConfig) -> None:
    with pytest.raises(AttncliError, match="at least one label present in each image"):
        dense_crf_batch(
            torch.zeros(2, 3, 4, 6, dtype=torch.uint8),
            torch.rand(2, 2, 4, 6),
            torch.tensor([[True, False], [False, False]]),
            config,
        )


@pytest.mark.parametrize("backend", ["pydensecrf", "torch"])
def test_a_batch_without_images_has_no_answer(backend):
    found = dense_crf_batch(
        torch.empty(0, 3, 4, 5, dtype=torch.uint8),
        torch.empty(0, 2, 4, 5),
        torch.empty(0, 2, dtype=torch.bool),
        CrfConfig(crf_backend=backend),
    )
    assert found.shape == (0, 2, 4, 5)

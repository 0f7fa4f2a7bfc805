from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.build import build_backbone
from attncli.errors import AttncliError
from attncli.methods.ssdd import random_walk
from attncli.methods.ssdd.affinity import AffinityNetwork
from attncli.methods.ssdd.pairs import Graph
from attncli.methods.ssdd.random_walk import Walk, transition, walk, walk_image

COMPAT = Graph(compat_reference=True)


class Colors(nn.Module):
    """Its features are mean colours of cells, zeros beyond the image among them."""

    def forward(self, images: Tensor) -> Tensor:
        return functional.avg_pool2d(images.float() / 50, 8, ceil_mode=True, divisor_override=64)


def features_of(seed: int, grid_hw: tuple[int, int] = (6, 10)) -> Tensor:
    return torch.randn(5, *grid_hw, generator=torch.Generator().manual_seed(seed))


def reference_transition(features: Tensor, *, interior_only: bool) -> np.ndarray:
    """T of PSA's section 3.3 as one would write it down: dense, in float64, in loops."""
    f = features.double().numpy()
    _, height, width = f.shape
    w = np.eye(height * width)
    cells = list(product(range(height), range(width)))
    for (y, x), (v, u) in product(cells, cells):
        later = (v, u) > (y, x)
        begins = y < height - 4 and 4 <= x < width - 4
        if later and (y - v) ** 2 + (x - u) ** 2 < 25 and (begins or not interior_only):
            affinity = np.exp(-np.abs(f[:, y, x] - f[:, v, u]).mean())
            w[y * width + x, v * width + u] = w[v * width + u, y * width + x] = affinity
    powered = w**8
    return powered / powered.sum(axis=0, keepdims=True)


@pytest.mark.parametrize("graph", [Graph(), COMPAT])
def test_transition_and_walk_are_those_of_a_dense_matrix(graph: Graph) -> None:
    features = features_of(0)
    dense = reference_transition(features, interior_only=graph.compat_reference)
    shares = transition(features, graph)
    np.testing.assert_allclose(shares.toarray(), dense, atol=1e-6)
    scores = np.random.default_rng(0).random((3, 60), np.float32)
    walked = scores @ np.linalg.matrix_power(dense, 2**8)
    np.testing.assert_allclose(walk(shares, scores), walked, atol=1e-5)


def test_the_power_acts_on_affinities_and_the_steps_are_a_power_of_two() -> None:
    features, scores = features_of(1, (1, 2)), np.float32([[1.0, 0.0]])
    affinity = np.exp(-np.abs(np.diff(features.numpy(), axis=2)).mean())
    shares = transition(features, Graph(), power=3.0)
    stay = 1 / (1 + affinity**3)
    np.testing.assert_allclose(shares.toarray(), [[stay, 1 - stay], [1 - stay, stay]], atol=1e-6)
    # Two states that change places with the chance c: after n steps (1 + (1 - 2 c)^n) / 2 stay.
    for t in (0, 1, 3):
        expected = (1 + (2 * stay - 1) ** 2**t) / 2
        walked = walk(shares, scores, log2_steps=t)
        np.testing.assert_allclose(walked, [[expected, 1 - expected]], atol=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12), st.booleans())
@settings(max_examples=20, deadline=None)
def test_shares_sum_to_one_and_scores_stay_between_their_extremes(
    seed: int, height: int, width: int, compat: bool
) -> None:
    shares = transition(features_of(seed, (height, width)), Graph(compat_reference=compat))
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-6)
    assert shares.data.min() > 0
    scores = np.random.default_rng(seed).random((2, height * width), np.float32)
    walked = walk(shares, scores)
    assert scores.min() - 1e-5 <= walked.min() <= walked.max() <= scores.max() + 1e-5


def test_ten_cells_in_the_corners_keep_their_scores_as_the_reference_has_it() -> None:
    height, width = 13, 17
    shares = transition(features_of(2, (height, width)), COMPAT)
    alone = np.flatnonzero(np.diff(shares.indptr) == 1)
    assert len(alone) == 10
    scores = np.random.default_rng(2).random((4, height * width), np.float32)
    walked = walk(shares, scores)
    np.testing.assert_array_equal(walked[:, alone], scores[:, alone])
    assert np.diff(transition(features_of(2, (height, width)), Graph()).indptr).min() > 1


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_mirrored_features_and_scores_walk_mirrored(seed: int, height: int, width: int) -> None:
    features = features_of(seed, (height, width))
    scores = np.random.default_rng(seed).random((2, height, width), np.float32)
    for axis in (1, 2):
        there = walk(transition(features, Graph()), scores.reshape(2, -1))
        mirrored = np.ascontiguousarray(np.flip(scores, axis)).reshape(2, -1)
        back = walk(transition(features.flip(axis), Graph()), mirrored)
        back = np.flip(back.reshape(scores.shape), axis)
        np.testing.assert_allclose(back, there.reshape(scores.shape), atol=1e-5)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_mirrored_images_of_whole_cells_walk_mirrored(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (8 * rows, 8 * columns, 3), np.uint8)
    scores = rng.random((2, *image.shape[:2]), np.float32)
    for axis in (0, 1):
        there = walk_image(Colors(), image, scores, Walk(Graph()))
        mirrored = [
            np.ascontiguousarray(np.flip(x, a)) for x, a in ((image, axis), (scores, axis + 1))
        ]
        back = walk_image(Colors(), *mirrored, Walk(Graph()))
        np.testing.assert_allclose(np.flip(back, axis + 1), there, atol=1e-5)


def test_an_image_walks_as_the_reference_has_it() -> None:
    """Zeros to whole cells, means of 8x8, walk, bilinear back, cut: in float64, step by step."""
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (45, 83, 3), np.uint8)
    scores = rng.random((3, 45, 83), np.float32)
    padded = np.zeros((3, 48, 88))
    padded[:, :45, :83] = scores
    means = padded.reshape(3, 6, 8, 11, 8).mean((2, 4))
    features = Colors()(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    dense = reference_transition(features, interior_only=True)
    walked = means.reshape(3, -1) @ np.linalg.matrix_power(dense, 2**8)
    pixels = functional.interpolate(
        torch.from_numpy(walked).reshape(1, 3, 6, 11), (48, 88), mode="bilinear"
    )
    found = walk_image(Colors(), image, scores, Walk(COMPAT))
    np.testing.assert_allclose(found, pixels[0, :, :45, :83].numpy(), atol=1e-5)


def test_cells_of_one_color_share_their_scores_and_others_do_not() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 255
    scores = np.zeros((2, 64, 64), np.float32)
    scores[0, 8:16, 8:16] = 1  # seen in a corner of the dark half alone
    scores[1, 8:16, 48:56] = 1
    walked = walk_image(Colors(), image, scores, Walk(Graph()))
    assert (walked.argmax(0) == (image[..., 0] == 255)).all()
    np.testing.assert_allclose(walked.sum((1, 2)), scores.sum((1, 2)), rtol=0.5)


def test_other_devices_walk_alike() -> None:
    shares = transition(features_of(4), Graph())
    scores = np.random.default_rng(4).random((3, 60), np.float32)
    on_device = random_walk._walk_on(torch.device("cpu"), shares.T, scores.T.astype(np.float64), 8)
    np.testing.assert_allclose(on_device.T, walk(shares, scores), atol=1e-6)


def test_a_network_with_a_backbone_walks_images_of_any_size() -> None:
    backbone = build_backbone("resnet18", output_stride=8, weights="none")
    model = AffinityNetwork(backbone, graph=Graph()).eval()
    rng = np.random.default_rng(5)
    for size_hw in ((1, 1), (30, 50), (64, 64)):
        image = rng.integers(0, 256, (*size_hw, 3), np.uint8)
        scores = rng.random((2, *size_hw), np.float32)
        walked = walk_image(model, image, scores, Walk(model.graph))
        assert walked.shape == scores.shape
        assert 0 <= walked.min() <= walked.max() <= 1


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(AttncliError, match="not finite"):
        transition(torch.full((2, 3, 3), float("nan")), Graph())

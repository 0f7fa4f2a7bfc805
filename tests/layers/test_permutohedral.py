import math
from collections import defaultdict

import numpy as np
import pytest
import torch

from attncli.errors import UsageError
from attncli.layers.permutohedral import build_lattice


def looped_filter(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the paper's splat, blur and slice with a dictionary of vertices, in float64."""
    n, d = features.shape
    rotation = np.zeros((d + 1, d))  # section 3.1
    for column in range(d):
        rotation[: column + 1, column] = 1
        rotation[column + 1, column] = -(column + 1)
        rotation[:, column] /= math.sqrt((column + 1) * (column + 2))
    elevated = features @ rotation.T * math.sqrt(2 / 3) * (d + 1)
    filled = np.concatenate([elevated, np.zeros((-n % 4, d + 1))])
    corners = [_simplex(y, d) for y in filled]
    held: dict[tuple[int, ...], np.ndarray] = defaultdict(lambda: np.zeros(values.shape[1]))
    for number, vertices in enumerate(corners):
        for vertex, weight in vertices:
            held[vertex] = held[vertex] + (weight * values[number] if number < n else 0)
    for axis in range(d + 1):
        step = np.ones(d + 1, int)
        step[axis] = -d
        held = {v: old + _beside(held, v, step) / 2 for v, old in held.items()}
    scale = 1 / (1 + 2**-d)
    return np.stack([sum(scale * weight * held[v] for v, weight in corners[i]) for i in range(n)])


def _simplex(y: np.ndarray, d: int) -> list[tuple[tuple[int, ...], float]]:
    """Return the vertices around a point with its weights, by walking from the greatest residue."""
    base = np.floor(y / (d + 1)) * (d + 1)
    vertices, vertex = [], base.copy()
    residue = y - base
    order = np.argsort(-residue, kind="stable")
    # `base` need not lie on the hyperplane: raise the greatest residues until it does.
    for axis in order[: round(-base.sum() / (d + 1))]:
        vertex[axis] += d + 1
    residue = y - vertex
    order = np.argsort(-residue, kind="stable")
    ranked = residue[order] / (d + 1)
    for remainder in range(d + 1):
        point = vertex + remainder
        point[order[d + 1 - remainder :]] -= d + 1
        weight = (
            1 - (ranked[0] - ranked[-1])
            if remainder == 0
            else ranked[d - remainder] - ranked[d + 1 - remainder]
        )
        vertices.append((tuple(int(one) for one in point), float(weight)))
    return vertices


def _beside(held: dict, vertex: tuple[int, ...], step: np.ndarray) -> np.ndarray:
    at = np.array(vertex)
    return sum(held[tuple(two)] for two in (at + step, at - step) if tuple(two) in held)


@pytest.mark.parametrize(("d", "n", "spread"), [(1, 9, 3.0), (2, 40, 2.0), (5, 30, 0.5), (5, 8, 9)])
def test_it_is_the_papers_filter(d: int, n: int, spread: float) -> None:
    generator = np.random.default_rng(d * n)
    features = generator.normal(0, spread, (n, d)).astype(np.float32)
    values = generator.random((n, 3), dtype=np.float32)
    lattice = build_lattice(torch.from_numpy(features)[None])
    filtered = lattice.filter(torch.from_numpy(values)).numpy()
    expected = looped_filter(features.astype(np.float64), values.astype(np.float64))
    np.testing.assert_allclose(filtered, expected, rtol=1e-4, atol=1e-6)


def test_weights_are_a_share_of_each_corner_and_sum_to_one() -> None:
    torch.manual_seed(0)
    lattice = build_lattice(3 * torch.randn(2, 50, 5))
    assert lattice.weights.min() > -1e-5
    assert (lattice.weights.sum(dim=1) - 1).abs().max() < 1e-6


def test_neighbours_are_each_others() -> None:
    torch.manual_seed(0)
    lattice = build_lattice(torch.randn(1, 200, 2))
    number = lattice.before.shape[1]
    for before, behind in zip(lattice.before, lattice.behind, strict=True):
        there = before < number
        assert there.any()
        assert (behind[before[there]] == torch.arange(number)[there]).all()


def test_it_comes_close_to_a_gaussian() -> None:
    torch.manual_seed(0)
    features, values = 2 * torch.rand(1, 400, 2), torch.rand(400, 1)
    lattice = build_lattice(features)
    ours = lattice.filter(values) / lattice.filter(torch.ones(400, 1))
    kernel = (-torch.cdist(features[0], features[0]).square() / 2).exp()
    exact = kernel @ values / kernel.sum(dim=1, keepdim=True)
    assert (ours - exact).abs().max() < 0.02 < values.std()


def test_images_of_a_batch_do_not_touch_each_other() -> None:
    torch.manual_seed(0)
    features, values = torch.randn(3, 21, 5), torch.rand(3, 21, 2)
    together = build_lattice(features).filter(values.flatten(0, 1))
    alone = [
        build_lattice(own[None]).filter(value) for own, value in zip(features, values, strict=True)
    ]
    assert torch.allclose(together, torch.cat(alone))


def test_features_spread_too_widely_are_an_error_with_a_remedy() -> None:
    with pytest.raises(UsageError, match=r"--crf-backend: .*too small.*; use pydensecrf"):
        build_lattice(1e6 * torch.randn(1, 10, 5))

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attncli.methods.ssdd.pairs import Graph, pair_distances

grids = st.tuples(st.integers(1, 13), st.integers(1, 13))


def pairs_of(graph: Graph, grid_hw: tuple[int, int]) -> list[tuple[tuple[int, int], ...]]:
    """Return the pairs as rows and columns of both cells."""
    height, width = grid_hw
    first, second = graph.ends(torch.arange(height * width).reshape(height, width))
    return [
        (divmod(a, width), divmod(b, width))
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]


def test_there_are_34_offsets_below_a_distance_of_5() -> None:
    offsets = Graph(radius=5).offsets()
    assert len(set(offsets)) == len(offsets) == 34
    assert all(math.hypot(*offset) < 5 for offset in offsets)
    assert all((-dy, -dx) not in offsets for dy, dx in offsets)


@given(grids, st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_all_cells_within_the_radius_are_a_pair_once(grid_hw: tuple[int, int], radius: int) -> None:
    found = pairs_of(Graph(radius=radius), grid_hw)
    cells = [(y, x) for y in range(grid_hw[0]) for x in range(grid_hw[1])]
    expected = {
        frozenset((a, b)) for a in cells for b in cells if a < b and math.dist(a, b) < radius
    }
    assert {frozenset(pair) for pair in found} == expected
    assert len(found) == len(expected)


@given(grids)
@settings(max_examples=30, deadline=None)
def test_the_reference_begins_pairs_far_from_three_borders(grid_hw: tuple[int, int]) -> None:
    height, width = grid_hw
    found = pairs_of(Graph(compat_reference=True), grid_hw)
    expected = {
        ((y, x), (y + dy, x + dx))
        for y in range(height - 4)
        for x in range(4, width - 4)
        for dy in range(5)
        for dx in range(-4, 5)
        if (dy > 0 or dx > 0) and dy**2 + dx**2 < 25
    }
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("grid_hw", [(9, 12), (20, 11), (56, 56)])
def test_the_reference_leaves_ten_cells_in_the_corners_alone(grid_hw: tuple[int, int]) -> None:
    height, width = grid_hw
    touched = {cell for pair in pairs_of(Graph(compat_reference=True), grid_hw) for cell in pair}
    alone = {(y, x) for y in range(height) for x in range(width)} - touched
    last, right = height - 1, width - 1
    top = {(0, 0), (0, 1), (0, 2), (0, 3)}
    below = {(last, 0), (last, 1), (last - 1, 0), (last, right), (last, right - 1)}
    assert alone == top | below | {(last - 1, right)}
    assert len(alone) == 10


@pytest.mark.parametrize("compat", [False, True])
def test_distances_are_means_over_channels_in_the_order_of_the_ends(compat: bool) -> None:
    graph = Graph(compat_reference=compat)
    features = torch.randn(2, 3, 7, 11, generator=torch.Generator().manual_seed(0))
    first, second = graph.ends(features)
    by_hand = (first - second).abs().sum(1) / 3
    torch.testing.assert_close(pair_distances(features, graph), by_hand)


@pytest.mark.parametrize("compat", [False, True])
def test_distances_have_the_gradient_of_their_definition(compat: bool) -> None:
    graph = Graph(radius=3, compat_reference=compat)
    features = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: pair_distances(f, graph), (features,))


def test_alike_cells_have_no_gradient_and_half_precision_is_raised() -> None:
    features = torch.ones(1, 4, 3, 3, dtype=torch.bfloat16, requires_grad=True)
    distances = pair_distances(features, Graph())
    assert distances.dtype == torch.float32
    distances.sum().backward()
    assert features.grad is not None
    assert not features.grad.any()


def test_one_cell_has_no_pair() -> None:
    assert pair_distances(torch.ones(2, 3, 1, 1), Graph()).shape == (2, 0)

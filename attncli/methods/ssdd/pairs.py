"""Which cells of a grid are held against each other, and how much they differ (PSA, section 3.2).

J. Ahn, S. Kwak, "Learning Pixel-level Semantic Affinity with Image-level Supervision for Weakly
Supervised Semantic Segmentation" (PSA, CVPR 2018).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.autograd.function import once_differentiable

Window = tuple[slice, slice]
"""Rows and columns of a grid."""


@dataclass(frozen=True)
class Graph:
    """Which pairs of cells there are on a grid of any size; each pair once."""

    radius: int = 5
    """Cells are a pair if they are less than this apart, in cells."""
    compat_reference: bool = False
    """Whether to take the pairs of PSA's code alone. Each begins at a cell with `radius - 1` cells
    to its left, right and below, which leaves ten cells in the corners without any at radius 5."""

    def offsets(self) -> tuple[tuple[int, int], ...]:
        """Return rows and columns from the first cell of a pair to the second.

        Half of all directions, as the others are the same pairs seen from the second cell.

        >>> Graph(radius=2).offsets()
        ((0, 1), (1, -1), (1, 0), (1, 1))
        >>> len(Graph(radius=5).offsets())
        34
        """
        reach = range(1 - self.radius, self.radius)
        return tuple(
            (dy, dx)
            for dy in range(self.radius)
            for dx in reach
            if (dy > 0 or dx > 0) and dy**2 + dx**2 < self.radius**2
        )

    def windows(self, grid_hw: tuple[int, int]) -> Iterator[tuple[Window, Window]]:
        """Yield where the first cells of the pairs of each offset are, and the second ones.

        Args:
            grid_hw: Rows and columns of the grid; too few for an offset leave it without pairs.
        """
        for dy, dx in self.offsets():
            top, left, rows, columns = self._first_cells(grid_hw, dy, dx)
            first = slice(top, top + rows), slice(left, left + columns)
            yield first, (_moved(first[0], dy), _moved(first[1], dx))

    def ends(
        self, values: Shaped[Tensor, "*batch h w"]
    ) -> tuple[Shaped[Tensor, "*batch p"], Shaped[Tensor, "*batch p"]]:
        """Return the values at the first and at the second cell of each pair."""
        *_, height, width = values.shape
        pairs = list(self.windows((height, width)))
        first, second = (
            torch.cat([values[..., rows, columns].flatten(-2) for rows, columns in windows], dim=-1)
            for windows in zip(*pairs, strict=True)
        )
        return first, second

    def _first_cells(self, grid_hw: tuple[int, int], dy: int, dx: int) -> tuple[int, int, int, int]:
        """Return top, left, rows and columns of the cells that pairs of an offset begin at."""
        height, width = grid_hw
        if self.compat_reference:
            margin = self.radius - 1
            return 0, margin, max(0, height - margin), max(0, width - 2 * margin)
        return 0, max(0, -dx), max(0, height - dy), max(0, width - abs(dx))


class _Distances(torch.autograd.Function):
    """Mean absolute differences of pairs, which keeps the features alone for its gradient.

    Differences of all pairs would take 34 times their memory.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, graph: Graph) -> Tensor:
        ctx.save_for_backward(features)
        ctx.graph = graph
        found = [
            (features[..., *first] - features[..., *second]).abs_().mean(1).flatten(1)
            for first, second in graph.windows((features.shape[2], features.shape[3]))
        ]
        return torch.cat(found, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (features,) = ctx.saved_tensors
        result = torch.zeros_like(features)
        done = 0
        for first, second in ctx.graph.windows((features.shape[2], features.shape[3])):
            signs = (features[..., *first] - features[..., *second]).sign_()
            n, channels, rows, columns = signs.shape
            part = gradient[:, done : done + rows * columns].reshape(n, 1, rows, columns)
            done += rows * columns
            signs *= part / channels
            result[..., *first] += signs
            result[..., *second] -= signs
        return result, None


def pair_distances(features: Float[Tensor, "b c h w"], graph: Graph) -> Float[Tensor, "b p"]:
    """Return the mean over channels of |f_i - f_j| for each pair of cells, in the order of `ends`.

    An affinity is exp of its negative. Computed in at least 32 bits.
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    return _Distances.apply(features.to(dtype), graph)


def _moved(cells: slice, by: int) -> slice:
    return slice(cells.start + by, cells.stop + by)

"""Gaussian filtering of many features at once on the permutohedral lattice, in plain torch.

A. Adams, J. Baek, M. A. Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice",
Eurographics 2010. A sample of d features lies in a simplex of d + 1 lattice vertices. Its values
are spread over them (splat), the vertices are blurred along the d + 1 axes of the lattice, and the
sample gathers what its vertices then hold (slice).

Where the paper hashes vertices, here their keys are integers that are sorted, so that everything is
an operation of torch on whole tensors, on any device, for many images at once. Arithmetic, rounding
and the order of axes are those of P. Krähenbühl's C++ code, which pydensecrf wraps; that code fills
its last block of four samples with samples of zero features, whose vertices take part in the blur,
and so they do here.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from attncli.errors import UsageError

BLOCK = 4
"""Samples that the C++ code places at a time."""
LARGEST_KEY = 2**63


@dataclass(frozen=True)
class Lattice:
    """Where the samples of all images lie among the vertices that they touch."""

    vertices: Int64[Tensor, "n s"]
    """The s = d + 1 vertices around each sample."""
    weights: Float32[Tensor, "n s"]
    """The sample's barycentric coordinates among them; they sum to 1."""
    before: Int64[Tensor, "s m"]
    """Vertex before each along each axis; m, which holds nothing, where it does not exist."""
    behind: Int64[Tensor, "s m"]
    """Vertex behind each along each axis, likewise."""

    def filter(self, values: Float32[Tensor, "n k"]) -> Float32[Tensor, "n k"]:
        """Return the Gaussian-weighted sum of the values of all samples of the same image.

        Args:
            values: What each sample holds, a column a label.
        """
        n_axes, n_vertices = self.before.shape
        held = values.new_zeros(n_vertices + 1, values.shape[1])
        for corner in range(n_axes):
            held.index_add_(0, self.vertices[:, corner], self.weights[:, corner, None] * values)
        for before, behind in zip(self.before, self.behind, strict=True):
            held[:-1] = held[:-1] + 0.5 * (held[before] + held[behind])
        scale = 1 / (1 + 2.0 ** (1 - n_axes))
        gathered = torch.zeros_like(values)
        for corner in range(n_axes):
            weights = scale * self.weights[:, corner, None]
            gathered.addcmul_(weights, held[self.vertices[:, corner]])
        return gathered


def build_lattice(features: Float32[Tensor, "b n d"]) -> Lattice:
    """Place the samples of images on a lattice, one image apart from the others.

    Args:
        features: Features of each sample, in standard deviations of the filter.

    Raises:
        UsageError: The features are spread so widely that vertices cannot be numbered.
    """
    n_images, n_samples, n_features = features.shape
    padding = features.new_zeros(n_images, -n_samples % BLOCK, n_features)
    padded = torch.cat([features, padding], dim=1).flatten(0, 1)
    elevated = _elevate(padded)
    origin, rank = _enclosing_simplex(elevated)
    is_sample = torch.arange(padded.shape[0] // n_images, device=features.device) < n_samples
    keys, steps = _keys(origin, rank, n_images)
    unique, vertices = torch.unique(keys, return_inverse=True)
    before, behind = _neighbours(unique, steps)
    kept = is_sample.repeat(n_images)
    weights = _barycentric(elevated, origin, rank)
    return Lattice(vertices[kept], weights[kept], before, behind)


def _elevate(features: Float32[Tensor, "n d"]) -> Float32[Tensor, "n s"]:
    """Return the features on the hyperplane whose coordinates sum to 0 (section 3.1, y = Ex)."""
    n_features = features.shape[1]
    deviation = float(torch.tensor(math.sqrt(2 / 3) * (n_features + 1), dtype=torch.float32))
    elevated = features.new_empty(features.shape[0], n_features + 1)
    total = torch.zeros_like(features[:, 0])
    for axis in range(n_features, 0, -1):
        scaled = features[:, axis - 1] * (deviation / math.sqrt((axis + 1) * axis))
        elevated[:, axis] = total - axis * scaled
        total = total + scaled
    elevated[:, 0] = total
    return elevated


def _enclosing_simplex(
    elevated: Float32[Tensor, "n s"],
) -> tuple[Float32[Tensor, "n s"], Int64[Tensor, "n s"]]:
    """Return the closest vertex of remainder 0, and the rank of each coordinate's distance to it.

    Rank 0 is the greatest difference; vertex and ranks are brought back to the hyperplane where
    rounding left it.
    """
    n_axes = elevated.shape[1]
    rounded = torch.round(elevated * (1 / n_axes))
    origin = rounded * n_axes
    rank = _ranks(elevated - origin) + rounded.sum(dim=1, keepdim=True).long()
    shift = n_axes * ((rank < 0).long() - (rank >= n_axes).long())
    return origin + shift, rank + shift


def _ranks(differences: Float32[Tensor, "n s"]) -> Int64[Tensor, "n s"]:
    """Return how many coordinates of a sample come before each: greater ones, equal ones in order.

    >>> _ranks(torch.tensor([[0.5, 2.0, 0.5]]))
    tensor([[1, 0, 2]])
    """
    n_axes = differences.shape[1]
    other, own = differences[:, None, :], differences[:, :, None]
    is_earlier = torch.ones(n_axes, n_axes, device=differences.device).tril(-1).bool()
    precedes: Bool[Tensor, "n s s"] = (other > own) | ((other == own) & is_earlier)
    return precedes.sum(dim=2)


def _barycentric(
    elevated: Float32[Tensor, "n s"], origin: Float32[Tensor, "n s"], rank: Int64[Tensor, "n s"]
) -> Float32[Tensor, "n s"]:
    """Return the weight of each vertex of the enclosing simplex (proposition 4.2)."""
    n_axes = elevated.shape[1]
    differences = (elevated - origin) * (1 / n_axes)
    rising = torch.empty_like(differences).scatter_(1, n_axes - 1 - rank, differences)
    weights = rising - rising.roll(1, dims=1)
    weights[:, 0] = rising[:, 0] + (1 - rising[:, -1])
    return weights


def _keys(
    origin: Float32[Tensor, "n s"], rank: Int64[Tensor, "n s"], n_images: int
) -> tuple[Int64[Tensor, "n s"], list[int]]:
    """Return a number for each vertex around each sample, and how far it is to its neighbours.

    The last coordinate of a vertex follows from the others and is left out.

    Returns:
        The numbers, apart by image; and what leads from one to the vertex before along each axis.
    """
    n_axes = origin.shape[1]
    cells = origin[:, :-1].long()
    low = cells.amin(dim=0) - 2 * n_axes  # room for corners and for neighbours of theirs
    spans = [int(span) for span in cells.amax(dim=0) + 2 * n_axes + 1 - low]
    strides = [math.prod(spans[axis + 1 :]) for axis in range(n_axes - 1)]
    image_stride = math.prod(spans)
    if image_stride * n_images >= LARGEST_KEY:
        raise UsageError(
            "these standard deviations are too small for torch's lattice",
            where="--crf-backend",
            remedy="use pydensecrf, or larger ones",
        )
    scale = torch.tensor(strides, device=origin.device)
    images = torch.arange(n_images, device=origin.device).repeat_interleave(len(cells) // n_images)
    first = ((cells - low) * scale).sum(dim=1) + image_stride * images
    keys = [first + (_raise(rank, corner) * scale).sum(dim=1) for corner in range(n_axes)]
    steps = [n_axes * stride - sum(strides) for stride in (*strides, 0)]
    return torch.stack(keys, dim=1), steps


def _raise(rank: Int64[Tensor, "n s"], corner: int) -> Int64[Tensor, "n d"]:
    """Return what leads from the vertex of remainder 0 to the corner of another remainder."""
    n_axes = rank.shape[1]
    return corner - n_axes * (rank[:, :-1] >= n_axes - corner).long()


def _neighbours(
    keys: Int64[Tensor, " m"], steps: list[int]
) -> tuple[Int64[Tensor, "s m"], Int64[Tensor, "s m"]]:
    """Return the vertices on both sides of each along each axis, by sorted keys."""
    found = [(_find(keys, keys + step), _find(keys, keys - step)) for step in steps]
    before, behind = zip(*found, strict=True)
    return torch.stack(before), torch.stack(behind)


def _find(keys: Int64[Tensor, " m"], wanted: Int64[Tensor, " m"]) -> Int64[Tensor, " m"]:
    """Return where each wanted key is among the sorted ones; their number where it is not."""
    places = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
    return torch.where(keys[places] == wanted, places, len(keys))

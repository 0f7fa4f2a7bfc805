"""The random walk of PSA: scores spread to cells that belong together (PSA, section 3.3).

J. Ahn, S. Kwak, "Learning Pixel-level Semantic Affinity with Image-level Supervision for Weakly
Supervised Semantic Segmentation" (PSA, CVPR 2018).

    T = W^beta D^-1, D_jj = sum_i W_ij^beta, M* = M T^(2^t)

with scores M, a row a class and a column a cell, and affinities W, 1 of a cell with itself and 0 of
two cells that are no pair.

Differs from the paper's code: the scores are multiplied by the sparse T time and again, where the
code squares a dense T; the result is the same (M T T ... = M T^n), with less of an error. All pairs
within the radius count; see `pairs.Graph`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8
from scipy import sparse
from torch import Tensor
from torch.nn import functional

from attncli.config.ssdd import CELL_PX
from attncli.errors import AttncliError
from attncli.methods.ssdd.pairs import Graph, pair_distances

Size = tuple[int, int]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Walk:
    """How scores spread."""

    graph: Graph
    """Between which cells."""
    power: float = 8.0
    """Exponent beta of the affinities: the higher, the less the scores spread (8 in PSA)."""
    log2_steps: int = 8
    """Logarithm t of the number of steps to base 2 (8, that is 256 steps, in PSA)."""


def transition(
    features: Float32[Tensor, "c h w"], graph: Graph, *, power: float = 8.0
) -> sparse.csc_array:
    """Return T: in column j, what shares of its score cell j takes from which cells.

    Shares are at least 0, and those of a column sum to 1. A cell without any pair keeps its score.

    Args:
        features: Features f of the cells.
        graph: Which pairs of cells there are.
        power: Exponent beta of the affinities.

    Raises:
        AttncliError: Features are not finite.
    """
    height, width = features.shape[1:]
    distances = pair_distances(features[None], graph)[0]
    # In 32 bits 256 steps would add up to errors of 1e-5.
    affinities = (-power * distances.cpu().double()).exp().numpy()
    if not np.isfinite(affinities).all():
        remedy = "train the affinities anew, with a lower --lr"
        raise AttncliError("affinities of the network are not finite", remedy=remedy)
    cells = torch.arange(height * width, dtype=torch.int32).reshape(height, width)
    first, second = (end.numpy() for end in graph.ends(cells))
    every = cells.flatten().numpy()
    values = np.concatenate([affinities, affinities, np.ones(len(every))])
    rows = np.concatenate([first, second, every])
    columns = np.concatenate([second, first, every])
    matrix = sparse.coo_array((values, (rows, columns)), shape=(len(every), len(every))).tocsc()
    sums = np.add.reduceat(matrix.data, matrix.indptr[:-1])
    matrix.data /= np.repeat(sums, np.diff(matrix.indptr))
    return matrix


def walk(
    shares: sparse.csc_array,
    scores: Float32[np.ndarray, "k n"],
    *,
    log2_steps: int = 8,
    device: torch.device = CPU,
) -> Float32[np.ndarray, "k n"]:
    """Return the scores after 2^t steps: M T^(2^t).

    Args:
        shares: T, as `transition` returns it.
        scores: Scores M of each class at each cell.
        log2_steps: Logarithm t of the number of steps to base 2.
        device: Where to compute.
    """
    step, after = shares.T, scores.T.astype(np.float64, order="C")
    if device.type == "cpu":
        for _ in range(2**log2_steps):
            after = step @ after
    else:
        after = _walk_on(device, step, after, log2_steps)
    return after.T.astype(np.float32, order="C")


def walk_image(
    network: Callable[..., Tensor],
    image: UInt8[np.ndarray, "h w 3"],
    scores: Float32[np.ndarray, "k h w"],
    settings: Walk,
    *,
    device: torch.device = CPU,
) -> Float32[np.ndarray, "k h w"]:
    """Return the scores of an image's pixels after the walk; those of pixels stay in [0, 1].

    Image and scores are completed by zeros, at the right and below, to whole cells of 8x8 pixels;
    the mean scores of cells walk, and come back by bilinear interpolation (PSA's code).

    Args:
        network: Makes the features f of cells, such as an `AffinityNetwork`; in evaluation, on
            `device`.
        image: RGB values 0-255.
        scores: Scores of the classes that count, the background among them, in [0, 1].
        settings: How they spread.
        device: Where to compute.

    Raises:
        AttncliError: The network's features are not finite.
    """
    height, width = image.shape[:2]
    with torch.inference_mode():
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None].to(device)
        features = network(pixels)[0].float()
        shares = transition(features, settings.graph, power=settings.power)
        grid_hw = (features.shape[1], features.shape[2])
        del features
        at_cells = np.stack([_cell_means(each) for each in scores]).reshape(len(scores), -1)
        walked = walk(shares, at_cells, log2_steps=settings.log2_steps, device=device)
        result = np.empty_like(scores)
        for own, cells in zip(result, walked, strict=True):
            own[:] = _pixels(cells.reshape(grid_hw), (height, width))
    return result


def _walk_on(
    device: torch.device,
    step: sparse.csr_array,
    scores: Float64[np.ndarray, "n k"],
    log2_steps: int,
) -> Float64[np.ndarray, "n k"]:
    """Return what `walk` does, by torch."""
    triplets = step.tocoo()
    places = torch.from_numpy(np.stack([triplets.row, triplets.col]).astype(np.int64))
    values = torch.from_numpy(triplets.data)
    matrix = torch.sparse_coo_tensor(places, values, step.shape, check_invariants=False)
    matrix = matrix.to(device).coalesce()
    after = torch.from_numpy(scores).to(device)
    for _ in range(2**log2_steps):
        after = matrix @ after
    return after.cpu().numpy()


def _cell_means(scores: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "hf wf"]:
    """Return means over cells of 8x8 pixels, of which those beyond the image count as 0."""
    means = functional.avg_pool2d(
        torch.from_numpy(scores)[None], CELL_PX, ceil_mode=True, divisor_override=CELL_PX**2
    )
    return means[0].numpy()


def _pixels(cells: Float32[np.ndarray, "hf wf"], size_hw: Size) -> Float32[np.ndarray, "h w"]:
    """Return values of cells at each pixel of the image."""
    whole = functional.interpolate(
        torch.from_numpy(cells)[None, None], scale_factor=CELL_PX, mode="bilinear"
    )
    return whole[0, 0, : size_hw[0], : size_hw[1]].numpy()

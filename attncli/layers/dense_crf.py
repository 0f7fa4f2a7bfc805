"""Dense conditional random fields (CRFs) over the pixels of images, in torch.

The same fields as `attncli.layers.crf_arrays` has, where the paper is named: whole batches with the
labels present in each image, on any device.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from attncli.config.crf import CrfConfig
from attncli.errors import AttncliError
from attncli.layers.crf_arrays import (
    IMPOSSIBLE,
    LEAST_PROBABILITY,
    dense_crf,
    one_hot_probabilities,
)
from attncli.layers.permutohedral import Lattice, build_lattice

__all__ = ["dense_crf", "dense_crf_batch", "mean_field", "one_hot_probabilities", "refine_arrays"]

TINY = 1e-20
"""What pydensecrf adds to a normalisation before it divides by its root."""


def dense_crf_batch(
    images: UInt8[Tensor, "b 3 h w"],
    probabilities: Float[Tensor, "b k h w"],
    present: Bool[Tensor, "b k"],
    config: CrfConfig,
) -> Float32[Tensor, "b k h w"]:
    """Return what dense CRFs make of the scores of a batch, over the labels present in each image.

    Nothing is learnt through it. pydensecrf works on one image after another: a training step has
    few, and they are small.

    Args:
        images: RGB values 0-255.
        probabilities: Scores of each label, clipped to [1e-5, 1].
        present: Labels each image may show; those it may not are 0 in the answer.
        config: Kernels, iterations and backend.

    Raises:
        AttncliError: An image has no label, or scores are not finite.
    """
    if not present.any(dim=1).all():
        raise AttncliError("a CRF needs at least one label present in each image")
    scores = probabilities.detach()
    if not len(scores):
        return torch.zeros(scores.shape, dtype=torch.float32, device=scores.device)
    if config.crf_backend == "torch":
        return _torch_batch(images, scores, present, config)
    answers = torch.zeros(scores.shape, dtype=torch.float32)
    pixels, host, shown = images.permute(0, 2, 3, 1).cpu(), scores.float().cpu(), present.cpu()
    for answer, image, score, labels in zip(answers, pixels, host, shown, strict=True):
        found = dense_crf(image.numpy(), score[labels].numpy(), config)
        answer[labels] = torch.from_numpy(found)
    return answers.to(scores.device)


def refine_arrays(
    image: UInt8[np.ndarray, "h w 3"],
    probabilities: Float[np.ndarray, "k h w"],
    config: CrfConfig,
    device: torch.device | str,
) -> Float32[np.ndarray, "k h w"]:
    """Return what `dense_crf` does, computed by torch on a device."""
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)
    unary = _unary_of(torch.from_numpy(probabilities).to(device))
    return mean_field(pixels[None], unary[None], config)[0].cpu().numpy()


@torch.no_grad()
def mean_field(
    images: UInt8[Tensor, "b 3 h w"], unary: Float32[Tensor, "b k h w"], config: CrfConfig
) -> Float32[Tensor, "b k h w"]:
    """Return the mean-field distribution over labels at each pixel, by torch (algorithm 1).

    Args:
        images: RGB values 0-255.
        unary: Cost of each label at each pixel.
        config: Kernels and iterations.
    """
    kernels = _kernels(images, config)
    costs = unary.permute(0, 2, 3, 1).flatten(0, 2)
    answer = (-costs).softmax(dim=1)
    for _ in range(config.crf_iterations):
        energy = -costs
        for lattice, norm, weight in kernels:
            energy = energy + weight * (norm * lattice.filter(norm * answer))
        answer = energy.softmax(dim=1)
    batch, labels, height, width = unary.shape
    return answer.view(batch, height, width, labels).permute(0, 3, 1, 2).contiguous()


def _kernels(
    images: UInt8[Tensor, "b 3 h w"], config: CrfConfig
) -> list[tuple[Lattice, Float32[Tensor, "n 1"], float]]:
    """Return the lattice, the normalisation and the weight of both kernels."""
    positions = _positions(images)
    colors = images.permute(0, 2, 3, 1).flatten(1, 2).float() / config.bilateral_color
    gaussian = build_lattice(positions / config.gaussian_px)
    bilateral = build_lattice(torch.cat([positions / config.bilateral_px, colors], dim=2))
    return [
        (gaussian, _normalisation(gaussian), config.gaussian_weight),
        (bilateral, _normalisation(bilateral), config.bilateral_weight),
    ]


def _normalisation(lattice: Lattice) -> Float32[Tensor, "n 1"]:
    ones = lattice.weights.new_ones(len(lattice.weights), 1)
    return (lattice.filter(ones) + TINY).rsqrt()


def _positions(images: UInt8[Tensor, "b 3 h w"]) -> Float32[Tensor, "b n 2"]:
    """Return column and row of each pixel."""
    batch, _, height, width = images.shape
    rows = torch.arange(height, dtype=torch.float32, device=images.device)
    columns = torch.arange(width, dtype=torch.float32, device=images.device)
    grid = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([grid[1], grid[0]], dim=2).flatten(0, 1).expand(batch, -1, -1)


def _torch_batch(
    images: UInt8[Tensor, "b 3 h w"],
    scores: Float[Tensor, "b k h w"],
    present: Bool[Tensor, "b k"],
    config: CrfConfig,
) -> Float32[Tensor, "b k h w"]:
    """Return the answers of a batch, which has as many columns as the most labels of an image."""
    if not (scores.isfinite() | ~present[:, :, None, None]).all():
        raise AttncliError("scores for a CRF must be finite")
    most = int(present.sum(dim=1).max())
    chosen = present.int().argsort(dim=1, descending=True, stable=True)[:, :most]
    columns = chosen[:, :, None, None].expand(-1, -1, *scores.shape[2:])
    is_there = present.gather(1, chosen)[:, :, None, None]
    unary = _unary_of(scores.gather(1, columns)).where(is_there, torch.tensor(IMPOSSIBLE))
    answer = torch.zeros(scores.shape, dtype=torch.float32, device=scores.device)
    return answer.scatter_(1, columns, mean_field(images, unary, config))


def _unary_of(scores: Float[Tensor, "*any"]) -> Float32[Tensor, "*any"]:
    return -scores.float().clamp(LEAST_PROBABILITY, 1).log()

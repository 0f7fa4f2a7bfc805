"""MPN-CBP: compact bilinear pooling of a feature map whose bilinear feature is taken to a power.

T. Matsukawa, final report of KAKENHI 17K20008, "Feature extraction by fusing deep convolutional
neural networks trained on different large-scale datasets" (2021, in Japanese), section 4(2); the
parts are of P. Li, J. Xie, Q. Wang, W. Zuo, "Is Second-order Information Helpful for Large-scale
Visual Recognition?" (ICCV 2017), M. Gou, F. Xiong, O. Camps, M. Sznaier, "MoNet: Moments Embedding
Network" (CVPR 2018), and Y. Gao et al., "Compact Bilinear Pooling" (CVPR 2016). The bilinear
feature of n positions with c channels is the c x c matrix A'A, the mean of the positions' products
of any two channels. Its power is the bilinear feature of other rows Y, which can be sketched.

=====================  ================================================  =======================
Source                 What                                              Where
=====================  ================================================  =======================
MoNet, sub-matrix      A = X / sqrt n = U S V', Y = U S^p V', so that    `power_rows`
square root            Y'Y = (A'A)^p
CBP, algorithm 2       sketch of Y'Y                                     `TensorSketch`
CBP, section 4.3       z = sign z sqrt |z|, z = z / |z|                  `mpn_cbp`
report, 4(2)A          maps of several networks, one after another       `fuse_maps`
report, 4(2)B          n = 1: the pooled vector instead of the map       `mpn_cbp` of vectors
=====================  ================================================  =======================

Symbols: X `features`, a row a position; p `power`; D the sketch's `dim`.

No c x c matrix is needed: with A A' = U S^2 U', an n x n matrix, Y = U S^(p - 1) U' A. Where there
are fewer channels than positions, the c x c matrix A'A is the smaller one, and Y = S^p V' has the
same Y'Y with only c rows to sketch.

Differs from the papers:

- MoNet appends a constant channel of 1, and MPN subtracts the mean; the report does neither.
- CBP's root is of |z| + 1e-8, for the sake of gradients. Without it z passes 0 without a jump.
- p of one position is a scaling, which the division by |z| takes back; p has no effect there.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor
from torch.nn import functional

from attncli.methods.svd_fc.tensor_sketch import TensorSketch

VALUES_AT_ONCE = 2**18
"""Values of maps that are taken to a power at one time, in 64 bits."""


def power_rows(features: Float[Tensor, "b n c"], *, power: float = 0.5) -> Float64[Tensor, "b n c"]:
    """Return Y, whose Y'Y is the bilinear feature A'A to a power.

    Singular values of A below some 1e-7 of the largest one count as 0. An image with a value that
    is not finite gets nothing but NaN.

    Args:
        features: Rows X, one a position.
        power: Exponent p, at least 0; 1 is plain bilinear pooling.
    """
    rows = _mean_rows(features)
    if rows.shape[1] <= rows.shape[2]:
        values, vectors = _eigenpairs(rows @ rows.mT)
        return _function(values, vectors, power - 1) @ rows
    values, vectors = _eigenpairs(rows.mT @ rows)
    return rows @ _function(values, vectors, power - 1)


def mpn_cbp(
    maps: Float[Tensor, "b c h w"] | Float[Tensor, "b c"],
    sketch: TensorSketch,
    *,
    power: float = 0.5,
    normalize: bool = True,
) -> Float32[Tensor, "b d"]:
    """Return the MPN-CBP feature of each image, computed in 64 bits.

    A map or vector of zeros becomes zeros; one with a value that is not finite becomes NaN.

    Args:
        maps: Feature maps, for products of channels at the same place (A in the report), or pooled
            vectors, for products within the whole image (B).
        sketch: Where each channel goes; features of all images to compare need the same one.
        power: Exponent p of the bilinear feature, at least 0.
        normalize: Whether to take the signed square root and divide by the length.

    Raises:
        AttncliError: The sketch is for another number of channels.
    """
    rows = maps.flatten(2).mT if maps.ndim == 4 else maps[:, None]
    images = max(1, VALUES_AT_ONCE // (rows.shape[1] * rows.shape[2]))
    pooled = torch.cat([sketch(_fewest_rows(some, power)) for some in torch.split(rows, images)])
    return (_normalized(pooled) if normalize else pooled).float()


def fuse_maps(
    maps: Sequence[Float[Tensor, "b _ _ _"]], scales: Sequence[float]
) -> Float32[Tensor, "b c h w"]:
    """Return the maps of several networks as one, their channels one after another.

    Maps of smaller grids are interpolated bilinearly to the most rows and columns any map has.

    Args:
        maps: Of the same images, one a network.
        scales: What each is multiplied by, such that no network outweighs another.
    """
    grid_hw = [max(each.shape[side] for each in maps) for side in (2, 3)]
    scaled = [each.float() * scale for each, scale in zip(maps, scales, strict=True)]
    return torch.cat([_resized(each, grid_hw) for each in scaled], dim=1)


def _resized(maps: Float32[Tensor, "b c _ _"], grid_hw: list[int]) -> Float32[Tensor, "b c h w"]:
    """Return maps on a grid; as they are where it is theirs."""
    if list(maps.shape[2:]) == grid_hw:
        return maps
    return functional.interpolate(maps, grid_hw, mode="bilinear", align_corners=False)


def _fewest_rows(features: Float[Tensor, "b n c"], power: float) -> Float64[Tensor, "b m c"]:
    """Return rows with the Y'Y of `power_rows`: as many as positions or channels, the fewer."""
    if features.shape[1] <= features.shape[2]:
        return power_rows(features, power=power)
    rows = _mean_rows(features)
    values, vectors = _eigenpairs(rows.mT @ rows)
    return _raised(values, power)[:, :, None] * vectors.mT


def _mean_rows(features: Float[Tensor, "b n c"]) -> Float64[Tensor, "b n c"]:
    """Return A."""
    return features.double() / features.shape[1] ** 0.5


def _eigenpairs(
    gram: Float64[Tensor, "b m m"],
) -> tuple[Float64[Tensor, "b m"], Float64[Tensor, "b m m"]]:
    """Return eigenvalues S^2 and eigenvectors (columns); NaN as values of what is not finite."""
    finite = gram.isfinite().all(dim=2).all(dim=1)[:, None]
    values, vectors = torch.linalg.eigh(gram.where(finite[:, :, None], 0.0))
    return values.where(finite, torch.nan), vectors


def _raised(values: Float64[Tensor, "b m"], power: float) -> Float64[Tensor, "b m"]:
    """Return S^power of eigenvalues S^2; 0 of those that are nothing but rounding."""
    rounding = values.shape[1] * torch.finfo(values.dtype).eps * values.amax(dim=1, keepdim=True)
    is_rounding = values <= rounding  # false of NaN, which stays
    return values.masked_fill(is_rounding, 1.0).pow(power / 2).masked_fill(is_rounding, 0.0)


def _function(
    values: Float64[Tensor, "b m"], vectors: Float64[Tensor, "b m m"], power: float
) -> Float64[Tensor, "b m m"]:
    """Return the matrix of these eigenvectors and eigenvalues to half a power."""
    return (vectors * _raised(values, power)[:, None]) @ vectors.mT


def _normalized(pooled: Float64[Tensor, "b d"]) -> Float64[Tensor, "b d"]:
    """Return signed square roots, divided by their length; zeros of zeros."""
    return functional.normalize(pooled.sign() * pooled.abs().sqrt(), eps=1e-150)

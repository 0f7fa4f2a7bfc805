"""SVD-FC: the last layer of a classifier with its class representatives made orthonormal.

T. Matsukawa, "Extracting Fusion Features of Deep Convolutional Neural Networks Trained on Different
Large-scale Datasets" (KAKENHI report 17K20008, 2021), section 4 (1) ②.

The rows of a classifier's last weight represent the classes it was trained on. Classes share
concepts, so that rows point in similar directions: a few directions take up most of what the layer
answers, and features made with it serve other tasks badly. An orthonormal basis of the same rows
weighs all directions alike. It needs no image of the new task, and has no more dimensions than
there are classes.

================  ==============================================  ================================
Source            What                                            Where
================  ==============================================  ================================
4 (1) ②, SVD      W = U S V^T, W_o = U V^T (or V^T)               `orthonormal_basis`
4 (1) ②, SVD-FC   x_o = W_o GAP(F)                                `layers`, `svd-fc`
figure 2          M_o(p) = W_o F(p), GAP(M_o) = x_o               `layers`, `svd-cam`
4 (1) ②, text     half of the dimensions hold over 80 %           `share_of_dimensions`
(not there)       random orthonormal rows instead: the control    `random_basis`
================  ==============================================  ================================

Symbols: W `weight`, a row a class; U, S, V^T its singular value decomposition, `singular_values`;
W_o `Basis.rows`; F the last map of the network, `conv5`; d `dimensions` of the layer's input; k
classes.

Differs from the paper:

- It does not say which orthonormal rows it means. U V^T (the polar form, the default) keeps row and
  class together, as its figure 2 does, which compares maps of one class; it is the closest to W of
  all such rows. V^T ("vt") has other rows with the same span, so that inner products of features
  are the same in both.
- Singular values of next to nothing have directions that mean nothing, and are left out.
- Where there are as many classes as dimensions, or more, W_o only rotates conv5 (W_o^T W_o = I).
- A random basis of the same rank stands beside it, as on real data it can do as well.
- It does not say whether shares are of singular values or their squares: both are there.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64

from attncli.errors import AttncliError, UsageError

Form = Literal["polar", "vt", "random"]


@dataclass(frozen=True)
class Basis:
    """Rows that features are projected on, with what is known of the weight they stand for."""

    rows: Float64[np.ndarray, "_ d"]
    """W_o. With the polar form a row a class, of which `rank` directions are orthonormal; else
    `rank` orthonormal rows."""
    singular_values: Float64[np.ndarray, " _"]
    """All those of the weight, from the largest on."""
    rank: int
    """How many directions are kept."""
    form: Form
    """What the rows are."""


def orthonormal_basis(
    weight: Float[np.ndarray, "k d"],
    *,
    form: Literal["polar", "vt"] = "polar",
    tolerance: float = 1e-6,
) -> Basis:
    """Return the orthonormal rows W_o of a weight, computed in float64.

    Args:
        weight: W, a row a class.
        form: `polar` for U V^T, whose row i belongs to class i; `vt` for V^T, whose rows go from
            the direction W weighs most to the one it weighs least.
        tolerance: Part of the largest singular value, in [0, 1), up to which others count as
            nothing and their directions are left out.

    Raises:
        AttncliError: The weight is zero, or holds a value that is not finite.
    """
    left, values, right = np.linalg.svd(_checked(weight), full_matrices=False)
    rank = int((values > tolerance * values[0]).sum())
    right = right[:rank]
    if form == "polar":
        rows = left[:, :rank] @ right
    else:
        # Singular vectors are known up to their sign: the largest part of each is positive here.
        largest = np.abs(right).argmax(axis=1)
        rows = right * np.sign(right[np.arange(rank), largest])[:, None]
    return Basis(rows, values, rank, form)


def random_basis(weight: Float[np.ndarray, "k d"], *, rank: int, seed: int) -> Basis:
    """Return orthonormal rows that know nothing of a weight, drawn evenly from all there are.

    Args:
        weight: W, for the number of dimensions, and its singular values.
        rank: How many rows, from 1 to d.
        seed: Of the draw.

    Raises:
        UsageError: There are not so many dimensions.
        AttncliError: The weight is zero or not finite.
    """
    values = np.linalg.svd(_checked(weight), compute_uv=False)
    n_dims = weight.shape[1]
    if not 1 <= rank <= n_dims:
        raise UsageError(f"there are 1 to {n_dims} orthonormal rows, not {rank}", where="random-fc")
    drawn = np.random.default_rng(seed).standard_normal((n_dims, rank))
    columns, triangle = np.linalg.qr(drawn)
    # Evenly only with the signs that make the triangle's diagonal positive (Mezzadri, 2007).
    return Basis((columns * np.sign(np.diag(triangle))).T, values, rank, "random")


def share_of_dimensions(
    singular_values: Float64[np.ndarray, " _"], *, share: float = 0.8, power: Literal[1, 2] = 1
) -> float:
    """Return the part of dimensions, in (0, 1], that holds a share of all singular values.

    Args:
        singular_values: From the largest on, not all of them 0.
        share: Part of their sum, in (0, 1].
        power: 2 for the sum of squares.

    >>> share_of_dimensions(np.array([6.0, 2.0, 1.0, 1.0]))
    0.5
    """
    held = np.cumsum(singular_values**power)
    # Rounding must not ask for a dimension more where the share is met exactly.
    enough = held >= share * held[-1] * (1 - 1e-12)
    return (int(enough.argmax()) + 1) / len(held)


def _checked(weight: Float[np.ndarray, "k d"]) -> Float64[np.ndarray, "k d"]:
    values = weight.astype(np.float64)
    if not np.isfinite(values).all():
        what = "holds a value that is not finite"
    elif not values.any():
        what = "is zero"
    else:
        return values
    raise AttncliError(what, where="weight of the last layer", remedy="use other weights")

"""Kernel XQDA: XQDA on what a kernel says of each image beside all images to learn from.

T. Matsukawa, E. Suzuki, "Kernelized Cross-View Quadratic Discriminant Analysis for Person
Re-Identification" (MVA 2019), whose equations and code are not public. What is here has the form of
another kernelisation: T. M. Feroz Ali, S. Chaudhuri, "Cross-View Kernel Similarity Metric Learning
Using Pairwise Constraints for Person Re-identification" (EK-XQDA, 2019). A direction in the
kernel's space is a combination of images to learn from, so that a feature x counts only by its
kernel column k(x), with an entry k(x, t) for each of these images t.

=====================  ====================================================  ======================
Source (EK-XQDA)       What                                                  Where
=====================  ====================================================  ======================
kernel                 k(x, t) = exp(-|x-t|^2 / 2 mu^2), mu^2 = mean of      `KernelXqda.columns`,
                       |t-t'|^2 / 2 over all images to learn from            `rbf_width`
equations 31 and 45    covariances of differences of kernel columns          `xqda.pair_covariances`
eigenvectors           of (K_I + lambda identity)^-1 K_E, those with a       `fit_kernel_xqda`
                       value above 1, of length 1 in the kernel's space
theorem 3              (k(x)-k(z))' W M W' (k(x)-k(z)),                      `KernelXqda.distances`
                       M = (W'K_I W)^-1 - (W'K_E W)^-1
=====================  ====================================================  ======================

Symbols: t `training`, mu `width`, theta `Xqda.W`, Gamma `Xqda.M`, lambda `regularization` (1e-7).

Differs from XQDA:

- Directions are eigenvectors, not singular vectors; all that are kept have a value above 1 (or the
  greatest one alone, where none has), and M is diagonal.
- lambda is added in the space of kernel columns, whose size goes with the number of images; the
  linear kernel agrees with XQDA only where it is negligible and all directions are kept.

Time goes with the third power of the number of images to learn from, memory with the second.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy import linalg

from attncli.config.reid_metrics import KernelXqdaConfig
from attncli.methods.reid.xqda import (
    SQUARE_ARRAYS,
    Xqda,
    pair_covariances,
    positive_part,
    require_usable,
)
from attncli.reporting import Row
from attncli.training.metric import State, TwoViews

REGULARIZATION = 1e-7
"""EK-XQDA's lambda."""

Kernel = Literal["rbf", "linear"]


@dataclass(frozen=True)
class KernelXqda:
    """A subspace of a kernel's space, and a metric in it."""

    training: Float64[np.ndarray, "t d"]
    """Features of the images learnt from, gallery first."""
    width: float | None
    """Width mu of the Gaussian kernel; None of the linear one."""
    metric: Xqda
    """Directions and metric of kernel columns; its `singular_values` are eigenvalues."""

    def columns(self, features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n t"]:
        """Return the kernel column of each feature, as a row."""
        return kernel_rows(features.astype(np.float64), self.training, self.width)

    def distances(
        self, probe: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]
    ) -> Float64[np.ndarray, "q g"]:
        """Return the distance of each probe and gallery feature, lower is closer.

        Args:
            probe: A row a query.
            gallery: A row an image.
        """
        return self.between(self.embed(probe), self.embed(gallery))

    def embed(self, features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n r"]:
        """Return features in the subspace of the kernel's space."""
        return self.metric.embed(self.columns(features))

    def between(
        self, probe: Float64[np.ndarray, "q r"], gallery: Float64[np.ndarray, "g r"]
    ) -> Float64[np.ndarray, "q g"]:
        """Return the distance of each probe and gallery image in the subspace."""
        return self.metric.between(probe, gallery)

    @property
    def facts(self) -> Row:
        """How many directions were kept, the greatest value there is, and the kernel's width."""
        return {**self.metric.facts, "width": self.width}

    def state(self) -> State:
        """Return all that was learnt; the width is NaN of the linear kernel."""
        width = np.array([np.nan if self.width is None else self.width])
        return {**self.metric.state(), "training": self.training, "width": width}


def fit_kernel_xqda(
    gallery: Float[np.ndarray, "n d"],
    probe: Float[np.ndarray, "m d"],
    gallery_ids: Int64[np.ndarray, " n"],
    probe_ids: Int64[np.ndarray, " m"],
    *,
    kernel: Kernel = "rbf",
    regularization: float = REGULARIZATION,
    projection: bool = False,
) -> KernelXqda:
    """Return the subspace and metric learnt from two views of the same people, in 64 bits.

    Args:
        gallery: Features of one view.
        probe: Features of the other.
        gallery_ids: Person in each image of the gallery.
        probe_ids: Person in each probe.
        kernel: Gaussian, or the features' products.
        regularization: lambda, added to the diagonal of the covariance of one person; above 0.
        projection: Whether negative eigenvalues of M become 0.

    Raises:
        AttncliError: A feature is not finite, features do not differ, or there is no pair of one
            person or none of two.
    """
    require_usable(gallery, probe)
    training = np.concatenate([gallery, probe]).astype(np.float64)
    width = rbf_width(training) if kernel == "rbf" else None
    rows = kernel_rows(training, training, width)
    covariances = pair_covariances(
        rows[: len(gallery)], rows[len(gallery) :], gallery_ids, probe_ids
    )
    intra = covariances.intra + regularization * np.eye(len(rows))
    values, vectors = (found[..., ::-1] for found in linalg.eigh(covariances.extra, intra))
    n_kept = max(1, np.count_nonzero(values > 1))
    # eigh scales vectors so that w'K_I w = 1 and w'K_E w is the value.
    directions, weights = vectors[:, :n_kept], 1 - 1 / values[:n_kept]
    squares = np.einsum("tr,tr->r", rows @ directions, directions)
    metric = np.diag(weights * squares)
    return KernelXqda(
        training,
        width,
        Xqda(
            directions / np.sqrt(squares), positive_part(metric) if projection else metric, values
        ),
    )


@dataclass(frozen=True)
class KernelXqdaMaker:
    """Learns distances by kernel XQDA: an `attncli.training.metric.DistanceMaker`."""

    config: KernelXqdaConfig
    """Its settings."""

    def memory_bytes(self, n_rows: int, n_dims: int) -> int:
        """Return about how much memory it takes: features, and arrays of pairs of images.

        Args:
            n_rows: Training images, of both views.
            n_dims: Numbers of each.
        """
        return 8 * (3 * n_rows * n_dims + SQUARE_ARRAYS * n_rows**2)

    def fit(self, views: TwoViews) -> KernelXqda:
        """Learn a distance; `fit_kernel_xqda` says what is refused."""
        return fit_kernel_xqda(
            views.gallery,
            views.probe,
            views.gallery_ids,
            views.probe_ids,
            kernel=self.config.kernel,
            regularization=self.config.regularization,
            projection=self.config.projection,
        )

    def restored(self, state: State) -> KernelXqda:
        """Return a distance that was learnt before.

        Raises:
            KeyError: Something is missing.
        """
        width = float(state["width"][0])
        metric = Xqda(state["W"], state["M"], state["singular_values"])
        return KernelXqda(state["training"], None if math.isnan(width) else width, metric)


def build_kernel_xqda(config: KernelXqdaConfig) -> KernelXqdaMaker:
    """Return what learns distances by kernel XQDA."""
    return KernelXqdaMaker(config)


def kernel_rows(
    features: Float64[np.ndarray, "n d"], training: Float64[np.ndarray, "t d"], width: float | None
) -> Float64[np.ndarray, "n t"]:
    """Return the kernel of each feature (a row) and each image to learn from.

    Args:
        features: What to compare.
        training: With what.
        width: Width mu of the Gaussian kernel; None of the linear one.
    """
    if width is None:
        return features @ training.T
    return np.exp(-squared_lengths(features, training) / (2 * width**2))


def rbf_width(training: Float64[np.ndarray, "t d"]) -> float:
    """Return EK-XQDA's width: the root of half the mean squared distance.

    The mean is over all ordered pairs, those of an image and itself among them.
    """
    return float(np.sqrt(squared_lengths(training, training).mean() / 2))


def squared_lengths(
    features: Float64[np.ndarray, "n d"], training: Float64[np.ndarray, "t d"]
) -> Float64[np.ndarray, "n t"]:
    """Return |x-t|^2 of each feature (a row) and each image to learn from."""
    own = (np.einsum("id,id->i", rows, rows) for rows in (features, training))
    lengths = np.add.outer(*own) - 2 * features @ training.T
    return np.maximum(lengths, 0)

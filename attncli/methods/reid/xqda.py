"""XQDA: a subspace and a metric in which a person looks alike to two cameras.

S. Liao, Y. Hu, X. Zhu, S. Z. Li, "Person Re-identification by Local Maximal Occurrence
Representation and Metric Learning" (CVPR 2015), section 4. Differences x - z between a gallery and
a probe feature are of one person (intra-personal, I) or of two (extra-personal, E), either kind
normally distributed about 0. XQDA finds directions in which those of two people vary more, and
measures there by how much more likely a difference is of two people than of one.

===========================  ==============================================  ====================
Source                       What                                            Where
===========================  ==============================================  ====================
section 4.3, n_I Sigma_I     sum over pairs of one person of (x-z)(x-z)',    `pair_covariances`
                             as X~X~' + Z~Z~' - SR' - RS'
section 4.3, n_E Sigma_E     m XX' + n ZZ' - s r' - r s' - n_I Sigma_I       `pair_covariances`
section 4.2, criterion       W maximises W'Sigma_E W over W'Sigma_I W        `fit_xqda`
section 4.2, distance        (x-z)' W M W' (x-z),                            `Xqda.distances`
                             M = (W'Sigma_I W)^-1 - (W'Sigma_E W)^-1
section 4.4, singular        directions with a value above 1, Sigma_I +      `fit_xqda`
                             lambda identity (lambda = 0.001)
two views of many cameras    a reading of our own, see below                 `random_views`
===========================  ==============================================  ====================

Symbols: X, n `gallery`; Z, m `probe`; X~ rows times sqrt(m_k), Z~ times sqrt(n_k), with n_k and m_k
images of person k; S, R sums over each person, s, r over all; lambda `regularization`.

Where features have more dimensions than there are images, all images are first turned into the
space that they span (a QR decomposition), which changes no distance.

Differs from the paper:

- The paper speaks of eigenvectors of Sigma_I^-1 Sigma_E; as in its authors' code, W are the left
  singular vectors, which are orthonormal, and the values compared with 1 are singular values. One
  direction is kept where none is above 1.
- M may have negative eigenvalues, so that a distance is below 0; `projection` makes those 0.
- Two views are all that XQDA knows. Of more cameras `random_views` makes two: the cameras of each
  person are divided at random, so that halves of the images are compared and no pair of images of
  one person is by one camera. Pairs of two people may be. Who was seen by one camera is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy import linalg

from attncli.config.reid_metrics import XqdaConfig
from attncli.errors import AttncliError
from attncli.metrics.ranking import without_rounding
from attncli.reporting import Row
from attncli.training.metric import State, TwoViews

REGULARIZATION = 1e-3
"""The paper's lambda, for features of length 1."""


@dataclass(frozen=True)
class Xqda:
    """A subspace, and a metric in it."""

    W: Float64[np.ndarray, "d r"]
    """Directions, one a column."""
    M: Float64[np.ndarray, "r r"]
    """The metric, symmetric."""
    singular_values: Float64[np.ndarray, " _"]
    """All values in descending order; the first r are those of the directions."""

    def distances(
        self, probe: Float[np.ndarray, "q d"], gallery: Float[np.ndarray, "g d"]
    ) -> Float64[np.ndarray, "q g"]:
        """Return (x-z)' W M W' (x-z) of each probe and gallery feature, lower is closer.

        Gallery images with the same features are equally far, wherever they stand.

        Args:
            probe: A row a query.
            gallery: A row an image.
        """
        return self.between(self.embed(probe), self.embed(gallery))

    def embed(self, features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n r"]:
        """Return features in the subspace."""
        return features.astype(np.float64) @ self.W

    def between(
        self, probe: Float64[np.ndarray, "q r"], gallery: Float64[np.ndarray, "g r"]
    ) -> Float64[np.ndarray, "q g"]:
        """Return the distance of each probe and gallery image in the subspace."""
        x, z = probe, gallery
        measured_x, measured_z = x @ self.M, z @ self.M
        own_x, own_z = (measured_x * x).sum(axis=1), (measured_z * z).sum(axis=1)
        distances = own_x[:, None] + own_z - 2 * measured_x @ z.T
        scale_x, scale_z = _lengths(measured_x) * _lengths(x), _lengths(measured_z) * _lengths(z)
        return without_rounding(distances, np.maximum(scale_x, scale_z.max(initial=0)))

    @property
    def facts(self) -> Row:
        """How many directions were kept, and the greatest value there is."""
        return {"directions": self.W.shape[1], "greatest_value": float(self.singular_values[0])}

    def state(self) -> State:
        """Return all that was learnt."""
        return {"W": self.W, "M": self.M, "singular_values": self.singular_values}


@dataclass(frozen=True)
class PairCovariances:
    """How differences between gallery and probe features vary about 0."""

    intra: Float64[np.ndarray, "d d"]
    """Sigma_I: mean of (x-z)(x-z)' over the pairs of one person."""
    extra: Float64[np.ndarray, "d d"]
    """Sigma_E: the same over the pairs of two people."""


def fit_xqda(
    gallery: Float[np.ndarray, "n d"],
    probe: Float[np.ndarray, "m d"],
    gallery_ids: Int64[np.ndarray, " n"],
    probe_ids: Int64[np.ndarray, " m"],
    *,
    regularization: float = REGULARIZATION,
    qr: bool = True,
    projection: bool = False,
) -> Xqda:
    """Return the subspace and metric learnt from two views of the same people, in 64 bits.

    Args:
        gallery: Features of one view, of length 1 where lambda is the paper's.
        probe: Features of the other.
        gallery_ids: Person in each image of the gallery.
        probe_ids: Person in each probe.
        regularization: lambda, added to the diagonal of Sigma_I; above 0.
        qr: Whether features longer than there are images are turned into the space they span; it
            saves time and changes no distance.
        projection: Whether negative eigenvalues of M become 0.

    Raises:
        AttncliError: A feature is not finite, features do not differ, or there is no pair of one
            person or none of two.
    """
    require_usable(gallery, probe)
    rows = np.concatenate([gallery, probe]).astype(np.float64)
    basis = None
    if qr and rows.shape[1] > len(rows):
        basis, triangle = linalg.qr(rows.T, mode="economic")
        rows = triangle.T
    covariances = pair_covariances(
        rows[: len(gallery)], rows[len(gallery) :], gallery_ids, probe_ids
    )
    intra = covariances.intra + regularization * np.eye(rows.shape[1])
    ratio = linalg.solve(intra, covariances.extra, assume_a="pos")
    vectors, values, _ = linalg.svd(ratio)
    directions = vectors[:, : max(1, np.count_nonzero(values > 1))]
    metric = _metric(directions, PairCovariances(intra, covariances.extra))
    return Xqda(
        directions if basis is None else basis @ directions,
        positive_part(metric) if projection else metric,
        values,
    )


@dataclass(frozen=True)
class XqdaMaker:
    """Learns distances by XQDA: an `attncli.training.metric.DistanceMaker`."""

    config: XqdaConfig
    """Its settings."""

    def memory_bytes(self, n_rows: int, n_dims: int) -> int:
        """Return about how much memory it takes: features, and square arrays of the SVD.

        Args:
            n_rows: Training images, of both views.
            n_dims: Numbers of each.
        """
        return 8 * (3 * n_rows * n_dims + SQUARE_ARRAYS * min(n_rows, n_dims) ** 2)

    def fit(self, views: TwoViews) -> Xqda:
        """Learn a distance; `fit_xqda` says what is refused."""
        return fit_xqda(
            views.gallery,
            views.probe,
            views.gallery_ids,
            views.probe_ids,
            regularization=self.config.regularization,
            projection=self.config.projection,
        )

    def restored(self, state: State) -> Xqda:
        """Return a distance that was learnt before.

        Raises:
            KeyError: Something is missing.
        """
        return Xqda(state["W"], state["M"], state["singular_values"])


SQUARE_ARRAYS = 12
"""Arrays of the features' size, or of the number of images, that there are at a time at most."""


def build_xqda(config: XqdaConfig) -> XqdaMaker:
    """Return what learns distances by XQDA."""
    return XqdaMaker(config)


def pair_covariances(
    gallery: Float64[np.ndarray, "n d"],
    probe: Float64[np.ndarray, "m d"],
    gallery_ids: Int64[np.ndarray, " n"],
    probe_ids: Int64[np.ndarray, " m"],
) -> PairCovariances:
    """Return Sigma_I and Sigma_E of all pairs of a gallery and a probe feature.

    No pair is looked at: the cost is that of the products XX' and ZZ'.

    Args:
        gallery: Features X, one a row.
        probe: Features Z, one a row.
        gallery_ids: Person in each image of the gallery.
        probe_ids: Person in each probe.

    Raises:
        AttncliError: There is no pair of one person, or none of two.
    """
    x, z = _person_counts(gallery_ids, probe_ids)
    n_intra = int((x.counts * z.counts).sum())
    n_extra = len(gallery) * len(probe) - n_intra
    _require_pairs(n_intra, n_extra)
    between = x.sums(gallery).T @ z.sums(probe)
    weighted = _gram(gallery, z.counts[x.persons]) + _gram(probe, x.counts[z.persons])
    intra = weighted - between - between.T
    across = np.outer(gallery.sum(axis=0), probe.sum(axis=0))
    every = len(probe) * _gram(gallery) + len(gallery) * _gram(probe) - across - across.T
    return PairCovariances(intra / n_intra, (every - intra) / n_extra)


def random_views(
    ids: Int64[np.ndarray, " n"], cameras: Int64[np.ndarray, " n"], rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " _"]]:
    """Return rows of two views, gallery and probe, which share no camera of any person.

    The cameras that saw a person are divided in two at random, as evenly as can be, and all its
    images go with their cameras. Rows are in ascending order; those of people whom a single camera
    saw are in neither view.

    Args:
        ids: Person in each image.
        cameras: Camera that took it.
        rng: Where chance comes from.

    Raises:
        AttncliError: Nobody was seen by two cameras.
    """
    halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for rows in _rows_by_person(ids):
        seen_by = rng.permutation(np.unique(cameras[rows]))
        if len(seen_by) < 2:
            continue
        size = (len(seen_by) + rng.integers(2)) // 2
        is_first = np.isin(cameras[rows], seen_by[:size])
        halves[0].append(rows[is_first])
        halves[1].append(rows[~is_first])
    if not halves[0]:
        what = "nobody was seen by two cameras, so that there are no pairs of one person"
        raise AttncliError(what, remedy="use images of at least two cameras")
    return np.sort(np.concatenate(halves[0])), np.sort(np.concatenate(halves[1]))


def require_usable(gallery: Float[np.ndarray, "n d"], probe: Float[np.ndarray, "m d"]) -> None:
    """Check that features can be told apart.

    Raises:
        AttncliError: A value is not finite, or all rows are the same.
    """
    if not (np.isfinite(gallery).all() and np.isfinite(probe).all()):
        raise AttncliError("a feature is not finite", remedy="make the features anew")
    first = np.concatenate([gallery, probe])[:1]
    if (gallery == first).all() and (probe == first).all():
        remedy = "look at the network that made them"
        raise AttncliError("all images have the same features", remedy=remedy)


def positive_part(matrix: Float64[np.ndarray, "r r"]) -> Float64[np.ndarray, "r r"]:
    """Return a symmetric matrix with 0 for its negative eigenvalues."""
    values, vectors = linalg.eigh(matrix)
    return (vectors * np.maximum(values, 0)) @ vectors.T


@dataclass(frozen=True)
class _Persons:
    """The people in a view, numbered alike in both views."""

    persons: Int64[np.ndarray, " n"]
    """Number of the person in each image."""
    counts: Int64[np.ndarray, " k"]
    """Images of each person."""

    def sums(self, rows: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "k d"]:
        """Return the sum of the rows of each person."""
        totals = np.zeros((len(self.counts), rows.shape[1]))
        np.add.at(totals, self.persons, rows)
        return totals


def _person_counts(
    gallery_ids: Int64[np.ndarray, " n"], probe_ids: Int64[np.ndarray, " m"]
) -> tuple[_Persons, _Persons]:
    known, persons = np.unique(np.concatenate([gallery_ids, probe_ids]), return_inverse=True)
    views = persons[: len(gallery_ids)], persons[len(gallery_ids) :]
    gallery, probe = (_Persons(view, np.bincount(view, minlength=len(known))) for view in views)
    return gallery, probe


def _require_pairs(n_intra: int, n_extra: int) -> None:
    if n_intra == 0:
        what = "nobody is in both the gallery and the probes to learn from"
        raise AttncliError(what, remedy="use two views of the same people")
    if n_extra == 0:
        what = "only one person is in the images to learn from"
        raise AttncliError(what, remedy="use images of at least two people")


def _gram(
    rows: Float64[np.ndarray, "n d"], weights: Int64[np.ndarray, " n"] | None = None
) -> Float64[np.ndarray, "d d"]:
    weighted = rows if weights is None else rows * np.sqrt(weights)[:, None]
    return weighted.T @ weighted


def _metric(
    directions: Float64[np.ndarray, "d r"], covariances: PairCovariances
) -> Float64[np.ndarray, "r r"]:
    within, between = (
        linalg.inv(directions.T @ matrix @ directions)
        for matrix in (covariances.intra, covariances.extra)
    )
    metric = within - between
    return (metric + metric.T) / 2


def _lengths(rows: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
    return np.linalg.norm(rows, axis=1)


def _rows_by_person(ids: Int64[np.ndarray, " n"]) -> Sequence[Int64[np.ndarray, " _"]]:
    order = np.argsort(ids, kind="stable")
    _, starts = np.unique(ids[order], return_index=True)
    return np.split(order, starts[1:])

"""Linear SVMs on transfer features: scaling, the choice of C, an exact short cut, the fit.

T. Matsukawa's report classifies every feature by a linear SVM, one class against the rest, and says
neither how features are scaled nor which C is taken. The gap between the FC layer's features and
their orthonormal form comes from the SVM's regulariser alone, so that one C for all would measure
C. Here every fit chooses its own by stratified cross-validation on its training images, after
features were divided by their mean norm; features times any number give the same answers.

==========================  ====================================================================
`scales_of`, `scaled`       sources of equal mean norm side by side, then one scale for all
`rotated`                   n images span n dimensions at most: an SVM on coordinates in that span
                            is the same one, as only inner products count, and much cheaper
`choose_c`                  C by cross-validation
`LinearSvm`                 all of it, as an `Estimator`
==========================  ====================================================================

Differs from the paper: C and scaling are stated and recorded.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Float64, Int64

from attncli.config.linear_svm import LinearSvmConfig, Scaling
from attncli.errors import AttncliError
from attncli.reporting import Row
from attncli.training.estimator import FeatureTable, State

ROWS_AT_ONCE = 1024
"""Images that are answered about together."""
SMALLEST = 1e-30
"""Norm from which on features can be divided by it."""
ONE_SOURCE = (1.0,)


@dataclass(frozen=True)
class Scales:
    """What features are multiplied by."""

    sources: tuple[float, ...]
    """Factor of each source, before they are put side by side."""
    overall: float
    """Factor of all together."""
    is_by_row: bool
    """Whether each image's features are then divided by their norm."""


def scales_of(
    features: Sequence[Float[np.ndarray, "n _"]],
    *,
    scaling: Scaling,
    equal_sources: bool,
    where: str = "features",
) -> Scales:
    """Return how training features are scaled.

    Args:
        features: Those of each source; a row an image.
        scaling: How all together are.
        equal_sources: Whether several sources are brought to a mean norm of 1 first.
        where: What they are, in messages.

    Raises:
        AttncliError: They are zero throughout.
    """
    sources = tuple(1.0 for _ in features)
    if equal_sources and len(features) > 1:
        sources = tuple(1 / _mean_norm(part, where) for part in features)
    overall = 1.0
    if scaling == "mean-norm":
        joined = side_by_side(features, sources)
        overall = 1 / _mean_norm(joined, where)
    return Scales(sources, overall, is_by_row=scaling == "l2")


def side_by_side(
    features: Sequence[Float[np.ndarray, "n _"]], factors: Sequence[float]
) -> Float64[np.ndarray, "n d"]:
    """Return the features of all sources, each times its factor, in one table."""
    parts = zip(features, factors, strict=True)
    return np.concatenate([part.astype(np.float64) * factor for part, factor in parts], axis=1)


def scaled(
    features: Sequence[Float[np.ndarray, "n _"]], scales: Scales
) -> Float64[np.ndarray, "n d"]:
    """Return features as an SVM sees them; those of an image without any stay zero."""
    joined = side_by_side(features, scales.sources)
    joined *= scales.overall
    if scales.is_by_row:
        norms = np.linalg.norm(joined, axis=1, keepdims=True)
        joined /= np.where(norms > SMALLEST, norms, 1)
    return joined


def rotated(
    features: Float64[np.ndarray, "n d"],
) -> tuple[Float64[np.ndarray, "n r"], Float64[np.ndarray, "d r"] | None]:
    """Return features in coordinates of their own span, and its basis, where that is smaller.

    With the basis' columns q orthonormal and the weights w of an SVM on these coordinates, the
    weights on the features are q w: no other vector of the same answers is shorter.
    """
    n, d = features.shape
    if n >= d:
        return features, None
    basis, coordinates = np.linalg.qr(features.T)
    return np.ascontiguousarray(coordinates.T), basis


def choose_c(
    features: Float64[np.ndarray, "n d"],
    labels: Int64[np.ndarray, " n"],
    config: LinearSvmConfig,
    *,
    where: str = "features",
) -> tuple[float, float]:
    """Return the C of the grid that tells most training images rightly in cross-validation.

    Args:
        features: Scaled features of the training images.
        labels: Their classes.
        config: Grid, folds and seed.
        where: What they are, in messages.

    Returns:
        C, the smallest of equally good ones, and the percentage of images told rightly.

    Raises:
        AttncliError: There are too few images of a class.
    """
    parts = _folds(labels, config, where)
    right = dict.fromkeys(sorted(config.c_grid), 0)
    for c in right:
        for train, test in parts:
            machine = _machine(features[train], labels[train], c, config)
            right[c] += int(np.sum(machine.predict(features[test]) == labels[test]))
    best = max(right, key=lambda c: (right[c], -c))
    return best, 100 * right[best] / len(labels)


@dataclass(frozen=True)
class _Planes:
    """What was learnt."""

    weight: Float64[np.ndarray, "k d"]
    intercept: Float64[np.ndarray, " k"]
    present: Int64[np.ndarray, " k"]
    """Classes that there were training images of."""
    scales: Scales


class LinearSvm:
    """A linear SVM, one class against the rest; an `Estimator`.

    Args:
        config: Its settings.
    """

    shown: ClassVar[tuple[str, ...]] = ("c",)

    def __init__(self, config: LinearSvmConfig) -> None:
        self.config = config
        self._planes: _Planes | None = None

    def memory_bytes(self, n_rows: int, n_dims: int) -> int:
        """Return about how much memory a fit takes: tables of 8 bytes, and liblinear's of 16."""
        rank = min(n_rows, n_dims)
        tables = 8 * n_rows * n_dims * (2 if n_rows >= n_dims else 4)
        return tables + n_rows * rank * (8 + 8 + 16)

    def fit(self, table: FeatureTable) -> Row:
        """Learn from images that all have a label.

        Returns:
            `c`, `c_at_grid_end` (1 where another might be better beyond the grid; None, as the
            next, where C was given), `cv_accuracy` (percent), `scale` and `source_scales` (what
            features were multiplied by), `converged`, `iterations` and `smallest_class` (training
            images).

        Raises:
            AttncliError: There are too few classes, or images of a class, or no features.
        """
        counts = np.bincount(table.labels, minlength=len(table.classes))
        if np.count_nonzero(counts) < 2:
            remedy = "use training images of at least two classes"
            raise AttncliError(
                "training images are all of one class", where=table.name, remedy=remedy
            )
        scales = self._scales_of(table)
        features, basis = rotated(scaled(table.features, scales))
        c, percent = self.config.c, None
        if c is None:
            c, percent = choose_c(features, table.labels, self.config, where=table.name)
        machine = _machine(features, table.labels, c, self.config)
        self._planes = _planes(machine, basis, scales)
        iterations = int(np.max(machine.n_iter_))
        return {
            "c": c,
            "c_at_grid_end": None if percent is None else int(self._is_at_end(c)),
            "cv_accuracy": percent,
            "scale": scales.overall,
            "source_scales": ";".join(f"{factor:.9g}" for factor in scales.sources),
            "converged": int(iterations < self.config.max_iter),
            "iterations": iterations,
            "smallest_class": int(counts[counts > 0].min()),
        }

    def answer(self, table: FeatureTable) -> Float64[np.ndarray, "n k"]:
        """Return distances from the planes of all classes; -inf for classes never seen.

        Raises:
            AttncliError: The features have other dimensions.
            ValueError: Nothing was learnt yet.
        """
        planes = self._planes
        if planes is None:
            raise ValueError("nothing was learnt yet")
        if table.n_dims != planes.weight.shape[1]:
            what = f"has {table.n_dims} dimensions, not {planes.weight.shape[1]} as in training"
            raise AttncliError(what, where=table.name, remedy="extract the same features again")
        scores = np.full((len(table.labels), len(table.classes)), -np.inf)
        for start in range(0, len(scores), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            features = scaled([part[rows] for part in table.features], planes.scales)
            scores[rows, planes.present] = features @ planes.weight.T + planes.intercept
        return scores

    def state(self) -> State:
        """Return weights, intercepts, the classes they are of, and scales."""
        planes = self._planes
        if planes is None:
            raise ValueError("nothing was learnt yet")
        return {
            "weight": planes.weight.astype(np.float32),
            "intercept": planes.intercept,
            "classes": planes.present,
            "source_scales": np.array(planes.scales.sources),
            "scale": np.array([planes.scales.overall]),
        }

    def restore(self, state: State) -> None:
        """Take what another one of the same settings learnt."""
        scales = Scales(
            sources=tuple(state["source_scales"].tolist()),
            overall=float(state["scale"][0]),
            is_by_row=self.config.scaling == "l2",
        )
        weight, intercept = (state[name].astype(np.float64) for name in ("weight", "intercept"))
        self._planes = _Planes(weight, intercept, state["classes"].astype(np.int64), scales)

    def _is_at_end(self, c: float) -> bool:
        return c in (min(self.config.c_grid), max(self.config.c_grid))

    def _scales_of(self, table: FeatureTable) -> Scales:
        return scales_of(
            table.features,
            scaling=self.config.scaling,
            equal_sources=self.config.source_scale == "equal",
            where=table.name,
        )


def build_linear_svm(config: LinearSvmConfig) -> LinearSvm:
    """Return an SVM that has learnt nothing yet."""
    return LinearSvm(config)


def _mean_norm(features: Float[np.ndarray, "n d"], where: str) -> float:
    mean = float(np.linalg.norm(features.astype(np.float64), axis=1).mean())
    if mean < SMALLEST:
        remedy = "look at the weights they were extracted with"
        raise AttncliError("features are zero in all training images", where=where, remedy=remedy)
    return mean


def _folds(
    labels: Int64[np.ndarray, " n"], config: LinearSvmConfig, where: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return rows to fit to and rows to test, a pair a fold."""
    from sklearn.model_selection import StratifiedKFold  # takes half a second

    largest, second = sorted(np.bincount(labels), reverse=True)[:2]
    if largest < config.folds or second < 2:
        raise AttncliError(
            f"has at most {largest} training images of a class, too few to choose C in"
            f" {config.folds} folds",
            where=where,
            remedy="give --c, or fewer --folds" if second >= 2 else "give --c",
        )
    splitter = StratifiedKFold(config.folds, shuffle=True, random_state=config.seed % 2**32)
    with warnings.catch_warnings():
        # It warns of classes with fewer images than folds, which are in some folds alone.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(labels, labels))


def _machine(
    features: Float64[np.ndarray, "n d"],
    labels: Int64[np.ndarray, " n"],
    c: float,
    config: LinearSvmConfig,
) -> Any:
    """Return scikit-learn's SVM; it tells by `n_iter_` whether it converged."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(
        C=c,
        dual=True,  # whose steps depend on inner products alone, and so not on a rotation
        tol=config.tolerance,
        max_iter=config.max_iter,
        random_state=config.seed % 2**32,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return machine.fit(features, labels)


def _planes(machine: Any, basis: Float64[np.ndarray, "d r"] | None, scales: Scales) -> _Planes:
    """Return the planes of an SVM in the coordinates of the features, a class each."""
    weight, intercept = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # which share one plane
        weight, intercept = (
            np.concatenate([-weight, weight]),
            np.concatenate([-intercept, intercept]),
        )
    if basis is not None:
        weight = weight @ basis.T
    return _Planes(weight, intercept, machine.classes_.astype(np.int64), scales)

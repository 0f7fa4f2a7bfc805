"""Settings of linear SVMs on transfer features; what the paper leaves open is our choice."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from attncli.config.estimators import EstimatorConfig
from attncli.config.fields import Option
from attncli.config.training import require

Scaling = Literal["mean-norm", "l2", "none"]


@dataclass(frozen=True, kw_only=True)
class LinearSvmConfig(EstimatorConfig):
    """A linear SVM, one class against the rest (scikit-learn's `LinearSVC`)."""

    heading: ClassVar[str] = "Linear SVM"

    c: float | None = None
    """Weight C of the errors beside the margin; chosen by cross-validation for each fit where
    unset."""
    c_grid: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
    """Values of C to choose from; of equally good ones the smallest is taken."""
    folds: Annotated[int, Option(least=2, most=100)] = 3
    """Parts of the training images by which C is chosen, alike in classes."""
    scaling: Scaling = "mean-norm"
    """Divide features by the mean norm of the training images' (`mean-norm`), or those of each
    image by their own (`l2`), or not at all; C means little without."""
    source_scale: Literal["equal", "none"] = "equal"
    """Whether sources side by side have an equal mean norm on the training images."""
    max_iter: Annotated[int, Option(least=1)] = 10_000
    """Most passes over the training images in a fit."""
    tolerance: Annotated[float, Option(least=0)] = 1e-4
    """How far a fit may be from its optimum (`tol` of `LinearSVC`)."""

    def __post_init__(self) -> None:
        """Refuse a C that is no weight.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(self.c is None or _is_weight(self.c), "c", "must be positive and finite")
        require(len(self.c_grid) > 0, "c_grid", "must have a value")
        require(all(map(_is_weight, self.c_grid)), "c_grid", "must be positive and finite")
        require(self.tolerance > 0, "tolerance", "must be positive")


def _is_weight(value: float) -> bool:
    return 0 < value < math.inf

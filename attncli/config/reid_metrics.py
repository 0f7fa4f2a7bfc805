"""Settings of distances that are learnt between features of people."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Checked, Option
from attncli.config.training import LARGEST_SEED, require


@dataclass(frozen=True, kw_only=True)
class MetricConfig(Checked):
    """What any distance between features of people can be told."""

    data: Path
    """Feature directory of people, as `attncli svd-fc` writes it, or a run of c-dpcf."""
    layers: tuple[str, ...] = ()
    """Layers to learn a distance for, each by itself; `all` where it is there and nothing is named,
    else every one."""
    sources: tuple[str, ...] = ()
    """Sources to learn a distance for, each by itself; all that there are where unset."""
    splits: Annotated[int, Option(least=0, most=10_000)] = 0
    """Random divisions of all people into those to learn from and those to find again; 0 takes the
    dataset's own training and validation images."""
    train_share: float = 0.5
    """Share of the people to learn from in a random division."""
    seed: Annotated[int, Option(least=0, most=LARGEST_SEED)] = 0
    """Seed of random divisions, and of the two views that are made of more than two cameras."""

    def __post_init__(self) -> None:
        """Refuse what has no meaning.

        Raises:
            UsageError: A value is out of its range, or has no meaning beside another.
        """
        super().__post_init__()
        for name in ("layers", "sources"):
            given = getattr(self, name)
            require(len(set(given)) == len(given), name, "must not name the same one twice")
        require(0 < self.train_share < 1, "train_share", "must be in (0, 1)")
        is_used = self.train_share == MetricConfig.train_share or self.splits > 0
        require(is_used, "train_share", "needs --splits")


@dataclass(frozen=True, kw_only=True)
class XqdaConfig(MetricConfig):
    """Cross-view quadratic discriminant analysis; the default is the paper's."""

    heading: ClassVar[str] = "XQDA"

    regularization: float = 1e-3
    """Number added to the diagonal of the covariance of differences within a person."""
    projection: bool = False
    """Make the metric positive semidefinite, so that no distance is below 0."""

    def __post_init__(self) -> None:
        """Refuse what is no weight.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        _require_weight(self.regularization)


@dataclass(frozen=True, kw_only=True)
class KernelXqdaConfig(MetricConfig):
    """The same for kernels of features, as in EK-XQDA, with its default."""

    heading: ClassVar[str] = "Kernel XQDA"

    kernel: Literal["rbf", "linear"] = "rbf"
    """Gaussian, as wide as training images are apart, or the products of features."""
    regularization: float = 1e-7
    """Number added to the diagonal of the covariance of differences within a person."""
    projection: bool = False
    """Make the metric positive semidefinite, so that no distance is below 0."""

    def __post_init__(self) -> None:
        """Refuse what is no weight.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        _require_weight(self.regularization)


def _require_weight(value: float) -> None:
    require(0 < value < math.inf, "regularization", "must be positive and finite")

"""What is fitted at once to features of images, instead of being trained by steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64

from attncli.reporting import Row

UNKNOWN = -1
"""Label of an image whose class nobody knows."""
State = Mapping[str, np.ndarray]
"""All that was learnt, as arrays by name."""


@dataclass(frozen=True)
class FeatureTable:
    """Features of images: what an estimator is fitted to, or asked about."""

    features: tuple[Float[np.ndarray, "n ..."], ...]
    """Features by source, to be put side by side; a row an image, the same ones in each."""
    labels: Int64[np.ndarray, " n"]
    """Class of each image, or `UNKNOWN`."""
    classes: tuple[str, ...]
    """Names of the classes."""
    name: str
    """What the features are, in messages."""

    @property
    def n_dims(self) -> int:
        """Numbers of an image, over all sources."""
        return sum(int(np.prod(part.shape[1:])) for part in self.features)


@runtime_checkable
class Estimator(Protocol):
    """What is fitted at once, answers about any image, and is written as arrays, never pickled."""

    shown: ClassVar[tuple[str, ...]]
    """What of a fit's facts an evaluation shows, medians over several fits."""

    def memory_bytes(self, n_rows: int, n_dims: int) -> int:
        """Return about how much memory a fit takes.

        Args:
            n_rows: Training images.
            n_dims: Numbers of each.
        """
        ...

    def fit(self, table: FeatureTable) -> Row:
        """Learn from images that all have a label.

        Returns:
            What there is to tell of the fit, such as settings it chose.

        Raises:
            AttncliError: It cannot be fitted to these images.
        """
        ...

    def answer(self, table: FeatureTable) -> Float[np.ndarray, "n _"]:
        """Return class scores of images, the higher the likelier, or features made of theirs.

        Raises:
            AttncliError: Their features are of another kind than those it was fitted to.
        """
        ...

    def state(self) -> State:
        """Return all that was learnt."""
        ...

    def restore(self, state: State) -> None:
        """Take what another estimator of the same settings learnt.

        Raises:
            KeyError: Something is missing.
        """
        ...

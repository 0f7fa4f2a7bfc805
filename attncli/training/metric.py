"""Distances between features of people: what is learnt at once from two views of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64

from attncli.reporting import Row

State = Mapping[str, np.ndarray]
"""All that was learnt, as arrays by name."""


@dataclass(frozen=True)
class TwoViews:
    """Features of people, seen by one camera and by another."""

    gallery: Float32[np.ndarray, "n d"]
    """Features of one view, a row an image, of length 1."""
    probe: Float32[np.ndarray, "m d"]
    """Features of the other."""
    gallery_ids: Int64[np.ndarray, " n"]
    """Person in each image of the gallery."""
    probe_ids: Int64[np.ndarray, " m"]
    """Person in each probe."""


@runtime_checkable
class Distance(Protocol):
    """How far features are apart, in two steps: the first looks at each image once."""

    def embed(self, features: Float32[np.ndarray, "n d"]) -> np.ndarray:
        """Return what distances are made of, a row an image.

        Args:
            features: Features of length 1.
        """
        ...

    def between(self, probe: np.ndarray, gallery: np.ndarray) -> Float64[np.ndarray, "q g"]:
        """Return the distance of each embedded probe and gallery image, lower is closer."""
        ...


@runtime_checkable
class LearntDistance(Distance, Protocol):
    """A distance that was learnt; it is written as arrays, never pickled."""

    @property
    def facts(self) -> Row:
        """What there is to tell of it."""
        ...

    def state(self) -> State:
        """Return all that was learnt."""
        ...


@runtime_checkable
class DistanceMaker(Protocol):
    """Learns distances, all by the same settings."""

    def memory_bytes(self, n_rows: int, n_dims: int) -> int:
        """Return about how much memory it takes to learn one.

        Args:
            n_rows: Training images.
            n_dims: Numbers of each.
        """
        ...

    def fit(self, views: TwoViews) -> LearntDistance:
        """Learn a distance.

        Raises:
            AttncliError: There is none to be learnt from these images.
        """
        ...

    def restored(self, state: State) -> LearntDistance:
        """Return a distance that was learnt before.

        Raises:
            KeyError: Something is missing.
        """
        ...

"""Scatter of people's feature maps over positions, added up batch by batch.

The within- and between-person scatter of C-DPCF (see `c_dpcf` for the paper and its symbols), in
Fisher's sense. They come from sums over each person and camera, and over products within images, so
that no image is kept and no pair is ever looked at; the same figures are sums over pairs (M.
Sugiyama, "Dimensionality Reduction of Multimodal Labeled Data by Local Fisher Discriminant
Analysis", JMLR 2007, equations 4 to 7).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy import linalg

from attncli.errors import AttncliError, UsageError

ALL_CAMERAS = ""
"""Stands for every camera where they share maps."""
PEOPLE_AT_ONCE = 32
"""People whose sums are multiplied together."""

Draw = Literal["orthonormal", "gaussian"]
Key = tuple[int, str]


@dataclass(frozen=True)
class Scatter:
    """Mean squared deviations of pooled features, as matrices of position weights w of all cameras.

    A pooled feature's is w' S w. Weights are camera by camera, in each position by position.
    """

    within: Float64[np.ndarray, "q q"]
    """S_W: of images from the mean of their person."""
    between: Float64[np.ndarray, "q q"]
    """S_B: of persons' means from the mean of all images, by images."""
    cameras: tuple[str, ...]
    """Names in their order; empty where all cameras share weights."""
    mean_square: float
    """Mean over images of the sum of all squares in a map: what rounding is measured by."""

    @property
    def n_cameras(self) -> int:
        """Cameras with weights of their own."""
        return max(1, len(self.cameras))

    def __add__(self, other: "Scatter") -> "Scatter":
        """Return the scatter of both's channels together, of the same images.

        Raises:
            ValueError: They are of other cameras.
        """
        if self.cameras != other.cameras:
            raise ValueError(f"scatters of cameras {self.cameras} and {other.cameras}")
        return Scatter(
            self.within + other.within,
            self.between + other.between,
            self.cameras,
            self.mean_square + other.mean_square,
        )


def random_projection(
    n_channels: int, n_rows: int, *, seed: int, draw: Draw = "orthonormal"
) -> Float64[np.ndarray, "r c"]:
    """Return a random matrix for the channels, which keeps scatter as it is on average.

    Args:
        n_channels: c.
        n_rows: r, from 1 to c.
        seed: Of the draw.
        draw: Rows at right angles, which for r = c keep scatter exactly; or independent normal
            numbers.

    Raises:
        UsageError: There are not so many channels.
    """
    if not 1 <= n_rows <= n_channels:
        what = f"{n_channels} channels can be projected on 1 to {n_channels} rows, not {n_rows}"
        raise UsageError(what, where="--projection", remedy="use fewer, or 0 for none")
    drawn = np.random.default_rng(seed).standard_normal((n_channels, n_rows))
    if draw == "gaussian":
        return drawn.T / np.sqrt(n_rows)
    columns, triangle = np.linalg.qr(drawn)
    # Evenly drawn only with the signs that make the triangle's diagonal positive (Mezzadri, 2007).
    return (columns * np.sign(np.diag(triangle))).T * np.sqrt(n_channels / n_rows)


class ScatterSums:
    """Sums over training images, from which their scatter follows; in 64 bits.

    Memory: r x p numbers for each person and camera that saw it, of r channels after projection and
    p positions. Without a projection blocks of channels can be added up one after another, as
    `Scatter`s of the same images add.

    Args:
        projection: What the channel axis is multiplied by first, a row a new channel; None keeps
            all channels.
        cells: What positions are multiplied by, as `cells.cell_means` gives it; None keeps all.
        shared: Whether all cameras get the same weights.
    """

    def __init__(
        self,
        projection: Float[np.ndarray, "r c"] | None = None,
        *,
        cells: Float[np.ndarray, "_ _"] | None = None,
        shared: bool = False,
    ) -> None:
        self._projection, self._cells, self._shared = projection, cells, shared
        self._sums: dict[Key, np.ndarray] = {}
        self._counts: dict[int, int] = {}
        self._products: dict[str, np.ndarray] = {}

    def add(
        self,
        features: Float[np.ndarray, "n c h w"],
        identities: Int64[np.ndarray, " n"],
        cameras: Sequence[str],
    ) -> None:
        """Add a batch of images.

        Args:
            features: Their maps.
            identities: Person in each.
            cameras: Name of the camera of each.

        Raises:
            AttncliError: A map holds a value that is not finite.
        """
        maps = self._projected(features)
        if not np.isfinite(maps).all():
            what = "feature maps hold a value that is not finite"
            raise AttncliError(what, remedy="extract them anew")
        names = np.array([ALL_CAMERAS] * len(maps) if self._shared else cameras, dtype=object)
        for name in sorted(set(names)):
            self._add_camera(name, maps[names == name], identities[names == name])

    def scatter(self) -> Scatter:
        """Return the scatter of all images added.

        Raises:
            AttncliError: They show fewer than two people.
        """
        if len(self._counts) < 2:
            what = f"training images show {len(self._counts)} people, at least two are needed"
            raise AttncliError(what, remedy="add images of other people")
        cameras = sorted(self._products, key=in_order)
        n_images = sum(self._counts.values())
        products = linalg.block_diag(*(self._products[name] for name in cameras)) / n_images
        of_people = np.zeros_like(products)
        for sums in self._people(cameras):
            of_people += sums.T @ sums / n_images
        total = self._total(cameras) / n_images
        return Scatter(
            within=products - of_people,
            between=of_people - total.T @ total,
            cameras=() if self._shared else tuple(cameras),
            mean_square=float(np.trace(products)),
        )

    def _projected(self, features: Float[np.ndarray, "n c h w"]) -> Float64[np.ndarray, "n r p"]:
        """Return maps as they are added up; the big products are in the features' own precision."""
        maps = features.reshape(*features.shape[:2], -1)
        # Values that are not finite are found by the caller, in what is made of them.
        with np.errstate(invalid="ignore", over="ignore"):
            if self._projection is not None:
                maps = self._projection.astype(maps.dtype) @ maps
            if self._cells is not None:
                maps = maps @ self._cells.astype(maps.dtype)
        return maps.astype(np.float64)

    def _add_camera(
        self, name: str, maps: Float64[np.ndarray, "n r p"], identities: Int64[np.ndarray, " n"]
    ) -> None:
        rows = maps.reshape(-1, maps.shape[2])
        self._products[name] = self._products.get(name, 0) + rows.T @ rows
        for person in np.unique(identities).tolist():
            own = maps[identities == person]
            self._sums[person, name] = self._sums.get((person, name), 0) + own.sum(axis=0)
            self._counts[person] = self._counts.get(person, 0) + len(own)

    def _people(self, cameras: Sequence[str]) -> Iterable[Float64[np.ndarray, "_ q"]]:
        """Yield sums of people over the roots of their images, some people at a time."""
        people = sorted(self._counts)
        for first in range(0, len(people), PEOPLE_AT_ONCE):
            some = people[first : first + PEOPLE_AT_ONCE]
            rows = [self._side_by_side(k, cameras) / np.sqrt(self._counts[k]) for k in some]
            yield np.concatenate(rows)

    def _side_by_side(self, person: int, cameras: Sequence[str]) -> Float64[np.ndarray, "r q"]:
        """Return the sum of a person's images; zero where a camera did not see it."""
        empty = np.zeros_like(next(iter(self._sums.values())))
        return np.concatenate([self._sums.get((person, name), empty) for name in cameras], axis=1)

    def _total(self, cameras: Sequence[str]) -> Float64[np.ndarray, "r q"]:
        """Return the sum of all images."""
        totals: dict[str, np.ndarray] = {}
        for (_, name), own in self._sums.items():
            totals[name] = totals.get(name, 0) + own
        return np.concatenate([totals[name] for name in cameras], axis=1)


def in_order(name: str) -> tuple[int, str]:
    """Return what cameras are sorted by, so that camera 10 comes after camera 9.

    >>> sorted(["10", "9", "1"], key=in_order)
    ['1', '9', '10']
    """
    return len(name), name

"""C-DPCF: feature maps of people pooled by weights of positions, learnt for each camera.

T. Matsukawa, E. Suzuki, "Convolutional Feature Transfer via Camera-specific Discriminative Pooling
for Person Re-Identification" (ICPR 2020), as told in T. Matsukawa's KAKENHI report 17K20008 (2021),
section 4 (3).

**Experimental: a reconstruction of our own.** The equations are not in the text that we had, which
says this much: weight maps that pool convolutional maps of a network already trained are learnt
discriminatively, by camera; a random projection makes learning more than 30 times faster; features
of several layers, and XQDA on them, then surpass fine-tuning on few images.

=============================  =================================================  =================
Source                         What                                               Where
=============================  =================================================  =================
title, "camera-specific"       x_i = F_i w_v(i): a map w_v of position weights    `PositionMaps`
                               for each camera v, the same for all channels
(ours) F_i placed by camera    x_i = Z_i w, w = (w_1, ..., w_V), Z_i = F_i in     `scatter`
                               the columns of its camera and 0 in all others
4 (3), "discriminative"        max_w  w'S_B w / w'S_W w (Fisher), where           `scatter`,
                               S_W = 1/n sum_i (Z_i - M_k)'(Z_i - M_k)            `solve`
                               S_B = 1/n sum_k n_k (M_k - M)'(M_k - M)
(ours) joint over cameras      one problem of V p weights: S_B w = ratio S_W w    `solve`
(ours) several maps            features by the m best w, side by side             `PositionMaps`
4 (3), random projection       R F_i instead of F_i, in S_W and S_B alone         `scatter`
(not there) baselines          the same w for all cameras; stripes; average       `scatter`, `cells`
=============================  =================================================  =================

Symbols: F_i, channels x positions, the map of image i; v(i) its camera, of V; k its person, with
n_k images whose mean of Z_i is M_k; M the mean of all n images; p positions; R random, rows x
channels.

Differs from the paper: nobody can tell, except that figures need not be the paper's. Of our own,
besides what is marked above: S_W gets a share of its mean diagonal (`regularization`), without
which weights fit the images to learn from; maps are scaled so that each one's pooled features
deviate from their person's mean by 1 (with the regulariser's share), which makes pooled features
the same whatever the unit of F; and a fine grid can be weighed by parts (`cells`), as the problem
grows with the third power of positions times cameras.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy import linalg

from attncli.config.reid_features import CDpcfConfig
from attncli.errors import AttncliError, UsageError
from attncli.methods.reid.cells import average, cell_means, stripes, weighted_sums
from attncli.methods.reid.scatter import Scatter, ScatterSums, random_projection

REGULARIZATION = 0.1
"""Share of the mean diagonal of S_W that is added to it."""
SMALLEST = 1e-12
"""Share of the features' mean square up to which scatter within persons is rounding."""


@dataclass(frozen=True)
class PositionMaps:
    """Weights of positions by which feature maps are pooled."""

    maps: Float64[np.ndarray, "v m p"]
    """By camera (one that stands for all where `cameras` is empty), map and position. The largest
    weight of a map by size, over all cameras, is positive."""
    ratios: Float64[np.ndarray, " m"]
    """Scatter between persons over that within (regularised) of each map, from the best on."""
    cameras: tuple[str, ...]
    """Names of cameras; empty where all share maps."""

    def pool(
        self, features: Float[np.ndarray, "n c h w"], cameras: Sequence[str]
    ) -> Float32[np.ndarray, "n d"]:
        """Return pooled features: all channels by the first map, then by the next, m c in all.

        Args:
            features: Maps of images.
            cameras: Name of the camera of each; not looked at where all share maps.

        Raises:
            AttncliError: A camera was not learnt from, or maps are of another size.
        """
        _, n_maps, n_positions = self.maps.shape
        n, c, h, w = features.shape
        if h * w != n_positions:
            what = f"weights are of {n_positions} positions, and maps have {h}x{w}"
            raise AttncliError(what, remedy="pool features of the same layer and image size")
        if not self.cameras:
            return weighted_sums(features, self.maps[0])
        numbers = self._numbers(cameras)
        pooled = np.empty((n, n_maps * c), np.float32)
        for number in np.unique(numbers):
            rows = numbers == number
            pooled[rows] = weighted_sums(features[rows], self.maps[number])
        return pooled

    def _numbers(self, cameras: Sequence[str]) -> np.ndarray:
        known = {name: number for number, name in enumerate(self.cameras)}
        new = next((name for name in cameras if name not in known), None)
        if new is not None:
            what = f"no weights for camera {new!r}, only for {', '.join(self.cameras)}"
            remedy = "train on images of it too, or with --pooling shared-maps"
            raise AttncliError(what, remedy=remedy)
        return np.array([known[name] for name in cameras], dtype=np.int64)


@dataclass(frozen=True)
class Pooling:
    """How the maps of a layer become features of people: learnt, or as a baseline has it."""

    config: CDpcfConfig
    """Settings."""

    @property
    def is_learnt(self) -> bool:
        """Whether weights of positions have to be learnt first."""
        return self.config.pooling in ("c-dpcf", "shared-maps")

    @property
    def is_shared(self) -> bool:
        """Whether all cameras are pooled alike."""
        return self.config.pooling != "c-dpcf"

    def parts_hw(self, hw: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns of weights of a map."""
        rows, columns = (min(pair) for pair in zip(hw, self.config.grid_hw, strict=True))
        return rows, columns

    def require_maps(self, hw: tuple[int, int], n_cameras: int, *, name: str) -> None:
        """Make sure that there can be as many maps or stripes as are wanted, before any is read.

        Args:
            hw: Rows and columns of a layer's maps.
            n_cameras: Cameras with weights of their own.
            name: What the layer is called in the message.

        Raises:
            UsageError: There cannot.
        """
        if self.config.pooling == "stripes" and hw[0] < self.config.stripes:
            what = f"{name} has {hw[0]} rows, too few for {self.config.stripes} stripes"
            raise UsageError(what, where="--stripes", remedy="use fewer, or finer layers")
        rows, columns = self.parts_hw(hw)
        most = rows * columns * n_cameras
        if self.is_learnt and self.config.maps > most:
            what = f"{name} can have 1 to {most} maps of weights, not {self.config.maps}"
            raise UsageError(what, where="--maps", remedy="use fewer")

    def rows(self, n_channels: int) -> int:
        """Return how many channels there are while weights are learnt."""
        wanted = self.config.projection
        return wanted if 0 < wanted < n_channels else n_channels

    def sums(self, n_channels: int, hw: tuple[int, int], rows: range) -> ScatterSums:
        """Return what adds up the scatter of some channels, by which weights are learnt.

        Args:
            n_channels: Channels of the layer.
            hw: Rows and columns of its maps.
            rows: Which channels, of those that there are after projection. Where nothing is
                projected, what is added has to be cut to them.
        """
        projection = None
        if self.rows(n_channels) < n_channels:
            drawn = random_projection(n_channels, self.config.projection, seed=self.config.seed)
            projection = drawn[rows.start : rows.stop]
        return ScatterSums(projection, cells=self._cells(hw), shared=self.is_shared)

    def solve(self, scatter: Scatter, hw: tuple[int, int]) -> PositionMaps:
        """Return the weights that `solve` finds with these settings."""
        share, cells = self.config.regularization, self._cells(hw)
        return solve(scatter, self.config.maps, regularization=share, cells=cells)

    def pool(
        self,
        features: Float[np.ndarray, "n c h w"],
        cameras: Sequence[str],
        maps: PositionMaps | None,
    ) -> Float32[np.ndarray, "n d"]:
        """Return pooled features.

        Args:
            features: Maps of images.
            cameras: Name of the camera of each.
            maps: What was learnt; None where nothing is.

        Raises:
            AttncliError: A camera was not learnt from, or maps are of another size.
        """
        if maps is not None:
            return maps.pool(features, cameras)
        if self.config.pooling == "average":
            return average(features)
        return stripes(features, self.config.stripes)

    def _cells(self, hw: tuple[int, int]) -> Float64[np.ndarray, "p _"] | None:
        parts = self.parts_hw(hw)
        return None if parts == hw else cell_means(hw, parts)


def build_c_dpcf(config: CDpcfConfig) -> Pooling:
    """Return how maps are pooled."""
    return Pooling(config)


def solve(
    scatter: Scatter,
    n_maps: int,
    *,
    regularization: float = REGULARIZATION,
    cells: Float64[np.ndarray, "p _"] | None = None,
) -> PositionMaps:
    """Return the maps that tell persons apart best, for all cameras together.

    Args:
        scatter: Of the images to learn from.
        n_maps: How many, from 1 to positions times cameras.
        regularization: Share of the mean diagonal of S_W that is added to it, 0 or more.
        cells: What positions were multiplied by for the scatter; maps are of all positions.

    Raises:
        AttncliError: No person's images differ, or people do not; or the problem has no solution.
        UsageError: There are not so many maps.
    """
    size = len(scatter.within)
    if not 1 <= n_maps <= size:
        what = f"there are 1 to {size} maps, not {n_maps}"
        raise UsageError(what, where="--maps", remedy="use fewer")
    _require_scatter(scatter)
    added = regularization * np.trace(scatter.within) / size * np.eye(size)
    ratios, vectors = _largest(scatter.between, scatter.within + added, n_maps)
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(n_maps)])
    maps = vectors.reshape(scatter.n_cameras, -1, n_maps).transpose(0, 2, 1)
    whole = maps if cells is None else maps @ cells.T
    return PositionMaps(whole, ratios, scatter.cameras)


def _require_scatter(scatter: Scatter) -> None:
    """Refuse scatter that is nothing but rounding."""
    rounding = SMALLEST * scatter.mean_square
    if np.trace(scatter.within) <= rounding:
        what = "no person has two images that differ, so nothing is known of what to ignore"
        raise AttncliError(what, remedy="add images of the same people")
    if np.trace(scatter.between) <= rounding:
        what = "the features of all people are the same"
        raise AttncliError(what, remedy="look at the weights they were extracted with")


def _largest(
    between: Float64[np.ndarray, "q q"], within: Float64[np.ndarray, "q q"], count: int
) -> tuple[Float64[np.ndarray, " m"], Float64[np.ndarray, "q m"]]:
    """Return the largest generalised eigenvalues, from the greatest on, and their vectors."""
    size = len(within)
    try:
        values, vectors = linalg.eigh(between, within, subset_by_index=[size - count, size - 1])
    except linalg.LinAlgError:
        what = "positions do not vary independently within persons, so weights are not determined"
        raise AttncliError(what, where="--regularization", remedy="use a larger one") from None
    return values[::-1], vectors[:, ::-1]

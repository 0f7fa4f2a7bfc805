"""The tensor sketch: few numbers that stand for all products of two channels of a feature.

N. Pham, R. Pagh, "Fast and scalable polynomial kernels via explicit feature maps" (KDD 2013),
algorithm 1 of degree 2, as in Y. Gao, O. Beijbom, N. Zhang, T. Darrell, "Compact Bilinear Pooling"
(CVPR 2016), algorithm 2. The sketch of Y'Y, the sum of y_i y_i' over the rows of Y, is

    z = F^-1( sum_i F(cs_1(y_i)) F(cs_2(y_i)) ),  cs_k(y)_j = sum of s_k(c) y_c where h_k(c) = j

with two hashes h_k of each channel to one of D places, and two signs s_k. Over the draws of hashes
and signs, the mean of <z, z'> is the sum of all products of the two matrices' entries.

The sum over rows is taken before the inverse Fourier transform F^-1, so that an image costs one.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Complex128, Float, Float64, Int8, Int64
from torch import Tensor

from attncli.errors import AttncliError

VALUES_AT_ONCE = 2**18
"""Values of sketched rows that are held at one time: 2 MB, as larger blocks leave a CPU's cache."""


@dataclass(frozen=True, eq=False)
class TensorSketch:
    """Where each channel goes. Features can be compared only where one sketch made them."""

    hashes: Int64[np.ndarray, "2 c"]
    """Places h_1 and h_2 of each channel, in [0, dim)."""
    signs: Int8[np.ndarray, "2 c"]
    """Signs s_1 and s_2 of each channel, -1 or 1."""
    dim: int
    """Length D of a sketch."""

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise AttncliError(f"a sketch needs at least 1 dimension, not {self.dim}")
        if not ((self.hashes >= 0) & (self.hashes < self.dim)).all():
            raise AttncliError(f"hashes of the sketch are not all from 0 to {self.dim - 1}")
        if not (np.abs(self.signs) == 1).all():
            raise AttncliError("signs of the sketch are not all -1 or 1")

    @classmethod
    def draw(cls, channels: int, dim: int = 5000, *, seed: int) -> "TensorSketch":
        """Return a sketch at random; the same for the same arguments.

        Args:
            channels: Number c of channels of the features.
            dim: Length D of a sketch: its error falls with the square root.
            seed: What the draw starts from, at least 0.
        """
        rng = np.random.default_rng(seed)
        hashes = rng.integers(dim, size=(2, channels), dtype=np.int64)
        signs = rng.integers(2, size=(2, channels), dtype=np.int8) * np.int8(2) - np.int8(1)
        return cls(hashes, signs, dim)

    @property
    def channels(self) -> int:
        """Number of channels of the features it is for."""
        return self.hashes.shape[1]

    def __call__(self, rows: Float[Tensor, "b n c"]) -> Float64[Tensor, "b d"]:
        """Return the sketch of each image's Y'Y.

        It is computed in 64 bits; an image with a value that is not finite gets nothing but NaN.

        Args:
            rows: Rows y_i of each image's Y.

        Raises:
            AttncliError: The features have another number of channels.
        """
        if rows.shape[2] != self.channels:
            raise AttncliError(
                f"the sketch is for {self.channels} channels, these features have {rows.shape[2]}",
                remedy="use features of the layer and networks it was drawn for",
            )
        images = max(1, VALUES_AT_ONCE // (rows.shape[1] * self.dim))
        spectra = torch.cat([self._spectrum(some) for some in torch.split(rows, images)])
        return torch.fft.irfft(spectra, n=self.dim)

    def _spectrum(self, rows: Float[Tensor, "b n c"]) -> Complex128[Tensor, "b f"]:
        """Return the Fourier transform of images' sketches."""
        blocks = torch.split(rows, max(1, VALUES_AT_ONCE // self.dim), dim=1)
        total = self._block_spectrum(blocks[0])
        for block in blocks[1:]:
            total += self._block_spectrum(block)
        return total

    def _block_spectrum(self, rows: Float[Tensor, "b n c"]) -> Complex128[Tensor, "b f"]:
        """Return the part of the Fourier transform that some rows add."""
        first, second = (torch.fft.rfft(self._count_sketch(rows, which)) for which in (0, 1))
        return first.mul_(second).sum(dim=1)

    def _count_sketch(self, rows: Float[Tensor, "b n c"], which: int) -> Float64[Tensor, "b n d"]:
        """Return cs_k of each row."""
        hashes = torch.from_numpy(self.hashes[which]).to(rows.device)
        signs = torch.from_numpy(self.signs[which]).to(rows.device)
        places = rows.new_zeros((*rows.shape[:2], self.dim), dtype=torch.float64)
        return places.index_add_(2, hashes, rows.double() * signs)

"""What becomes of the layers of several networks: features of each alone, and fused."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from attncli.config.svd_fc import SvdFcConfig
from attncli.errors import AttncliError
from attncli.files.features import JOINT
from attncli.methods.svd_fc.mpn_cbp import fuse_maps, mpn_cbp
from attncli.methods.svd_fc.tensor_sketch import TensorSketch

Found = Mapping[str, Mapping[str, Tensor]]
"""What networks make of images: maps (b, c, h, w) or vectors (b, c), by source and layer."""
Features = dict[tuple[str, str], Tensor]
"""Features of images, by source (or fusion) and layer."""
DIGITS = 6
"""Of a scale: rounding of another machine does not change it, as a rule."""


@dataclass(frozen=True)
class Pooling:
    """Makes features of what networks find in images."""

    config: SvdFcConfig
    """What becomes of maps."""
    channels: Mapping[str, Mapping[str, int]]
    """Channels by source and layer."""
    fusions: Sequence[str] = ()
    """Sources that are pooled together, such as `I+P`."""
    scales: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What fused sources are multiplied by, by layer and source; 1 where nothing is said."""

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Sources (and fusions) and layers that there are features of."""
        sources = (*self.channels, *self.fusions)
        return [(source, layer) for source in sources for layer in self.config.layers]

    def sketches(self) -> dict[tuple[str, str], TensorSketch]:
        """Return where the channels of each source and layer go; nothing without MPN-CBP.

        Features of the same number of channels have the same sketch.
        """
        if self.config.pool != "mpn-cbp":
            return {}
        seed, dim = self.config.seed, self.config.sketch_dim
        return {key: TensorSketch.draw(self._width(*key), dim, seed=seed) for key in self.targets}

    def sketch_arrays(self) -> dict[str, np.ndarray]:
        """Return hashes and signs as they are kept, by name."""
        kept: dict[str, np.ndarray] = {}
        for key, sketch in self.sketches().items():
            name = "/".join(key)
            kept |= {f"{name}/hashes": sketch.hashes, f"{name}/signs": sketch.signs}
        return kept

    def features(self, found: Found, sketches: Mapping[tuple[str, str], TensorSketch]) -> Features:
        """Return the features of images.

        Args:
            found: What each network makes of them.
            sketches: What `sketches` returned.
        """
        return {
            (source, layer): self._pooled(self._maps(found, source, layer), sketches, source, layer)
            for source, layer in self.targets
        }

    def _pooled(
        self,
        maps: Tensor,
        sketches: Mapping[tuple[str, str], TensorSketch],
        source: str,
        layer: str,
    ) -> Tensor:
        if self.config.pool == "mpn-cbp":
            return mpn_cbp(maps, sketches[source, layer], power=self.config.power)
        return maps.mean((2, 3)) if self.config.pool == "gap" and maps.ndim == 4 else maps

    def _maps(self, found: Found, source: str, layer: str) -> Tensor:
        """Return the maps or vectors of a source, or of those that are fused."""
        if source in found:
            return found[source][layer]
        names = source.split(JOINT)
        scales = [self.scales.get(layer, {}).get(name, 1.0) for name in names]
        parts = [found[name][layer] for name in names]
        if parts[0].ndim == 4:
            return fuse_maps(parts, scales)
        return torch.cat([part * s for part, s in zip(parts, scales, strict=True)], dim=1)

    def _width(self, source: str, layer: str) -> int:
        names = (source,) if source in self.channels else source.split(JOINT)
        return sum(self.channels[name][layer] for name in names)


def norms(maps: Tensor) -> Tensor:
    """Return the root mean square length of a position of each image's map (b), in 64 bits.

    It is the map's Frobenius norm by the root of its positions, so that maps of several sizes
    compare.

    Args:
        maps: Maps (b, c, h, w), or vectors (b, c), which are maps of one position.
    """
    cells = maps[0, 0].numel()
    return maps.double().flatten(1).norm(dim=1) / math.sqrt(cells)


def equal_scales(means: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return what brings all sources to the same mean norm, which is the mean of theirs.

    Args:
        means: Mean norm, by layer and source.

    Raises:
        AttncliError: A layer of a source is nothing but zeros.
    """
    for layer, by_source in means.items():
        for source, mean in by_source.items():
            if not (mean > 0 and math.isfinite(mean)):
                what = f"layer {layer} has a mean norm of {mean:g}, which cannot be scaled"
                raise AttncliError(
                    what, where=source, remedy="leave it out, or --source-scale none"
                )
    return {
        layer: {
            source: float(f"{sum(by.values()) / len(by) / mean:.{DIGITS}g}")
            for source, mean in by.items()
        }
        for layer, by in means.items()
    }

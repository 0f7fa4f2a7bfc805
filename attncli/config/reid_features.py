"""Settings of how feature maps of people are pooled; what the paper leaves open is our choice."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import Checked, Option
from attncli.config.training import LARGEST_SEED, require

PoolingName = Literal["c-dpcf", "shared-maps", "stripes", "average"]


@dataclass(frozen=True, kw_only=True)
class CDpcfConfig(Checked):
    """Pooling of maps by what tells people apart, and what it is held against."""

    heading: ClassVar[str] = "C-DPCF"

    data: Path
    """Feature directory of maps, as `attncli svd-fc --pool none` writes it."""
    pooling: PoolingName = "c-dpcf"
    """Weights of positions that tell people apart, learnt for each camera (`c-dpcf`) or for all
    together (`shared-maps`); or, with nothing to learn, the mean of each horizontal stripe
    (`stripes`) or of all (`average`)."""
    layers: tuple[str, ...] = ()
    """Layers to pool, each by itself and all together; all that there are where unset."""
    maps: Annotated[int, Option(least=1)] = 4
    """Maps of weights of each camera: each channel is pooled by all of them."""
    projection: Annotated[int, Option(least=0)] = 48
    """Channels that those of a layer are projected on, at random, while weights are learnt; layers
    that have no more keep theirs, and 0 keeps all."""
    regularization: float = 0.1
    """Share of the mean scatter within people that is added to each position's."""
    grid_hw: tuple[int, int] = (24, 8)
    """Most rows and columns of weights; finer maps are weighed by parts of that many, as learning
    takes the third power of positions times cameras."""
    stripes: Annotated[int, Option(least=1)] = 6
    """Stripes of `--pooling stripes`."""
    seed: Annotated[int, Option(least=0, most=LARGEST_SEED)] = 0
    """Of the random projection."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        require(
            len(set(self.layers)) == len(self.layers), "layers", "must not name the same one twice"
        )
        is_share = 0 <= self.regularization < math.inf
        require(is_share, "regularization", "must be 0 or more, and finite")
        require(min(self.grid_hw) >= 1, "grid_hw", "must be at least 1 each")

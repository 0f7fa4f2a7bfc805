"""Settings of `attncli refine-seeds`: which images, how their seeds are refined, and where to."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.crf import CrfConfig
from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.seeds import Background
from attncli.config.training import require


@dataclass(frozen=True, kw_only=True)
class ImagesCall(Checked):
    """Which images have their seeds refined, and where these go."""

    data: Path
    """Dataset of the images: directory or manifest."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it."""
    split: Literal["train", "val", "test"] = "train"
    """Part of the dataset."""
    train_list: str | None = None
    """List of training images in ImageSets/Segmentation of VOC2012, such as `train`, or a file;
    `train_aug` where it is there, else `train`, where unset."""
    labels: str = "auto"
    """Where image labels of VOC2012 are from: `annotations` (XML), `label-maps`, or a CSV file;
    `auto` takes annotations where every image has them, else label maps."""
    workers: Annotated[int | None, Option(short="-j", least=1)] = None
    """Images worked on at the same time, where that is by processes; one a core where unset."""
    device: str = "auto"
    """Where networks compute: `auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""


@dataclass(frozen=True, kw_only=True)
class PsaSeedsConfig(Background):
    """How a random walk spreads class activation maps; kept beside the seeds."""

    run: Annotated[Path, ARGUMENT]
    """Run of `psa`, whose network tells affinities."""
    cams: Path
    """Run of `cam` that was evaluated on the split, or a directory of seeds."""
    checkpoint: str = "last"
    """Weights: `last`, `best`, or a file."""
    affinity_power: Annotated[float, Option(least=0)] = 8.0
    """Power of the affinities: the higher, the less scores spread (the paper's beta)."""
    log2_steps: Annotated[int, Option(least=0, most=20)] = 8
    """Steps of the walk, as a power of 2: 8 is 256 steps."""


@dataclass(frozen=True, kw_only=True)
class CrfSeedsConfig(CrfConfig, Background):
    """How a dense CRF refines seeds; kept beside them."""

    heading: ClassVar[str] = "Options"

    seeds: Path
    """Seed directory, or run of `cam` that was evaluated on the split."""


@dataclass(frozen=True, kw_only=True)
class SsddSeedsConfig(Checked):
    """How knowledge and advice become one; kept beside the seeds."""

    run: Annotated[Path, ARGUMENT]
    """Run of `ssdd`, whose network tells differences."""
    knowledge: Path
    """Seed directory that is refined."""
    advice: Path
    """Seed directory of what may be better."""
    checkpoint: str = "last"
    """Weights: `last`, `best`, or a file."""
    advice_bias: float = 0.1
    """Added to the confidence in the advice (the paper's b with a hat)."""
    background_bias: float = 0.1
    """Added where the advice says background, taken off where the knowledge does."""
    class_bias: float = 1.0
    """Added where the advice is of a class that shrinks, taken off where the knowledge is."""
    shrink_below: Annotated[float, Option(least=0)] = 0.5
    """A class shrinks where its pixels in the advice are fewer than this share of those in the
    knowledge."""
    flip: bool = True
    """Look at the mirrored image too, and take the mean of what is foreseen."""

    def __post_init__(self) -> None:
        """Refuse biases that are not finite.

        Raises:
            UsageError: A value is out of its range; the message names the option.
        """
        super().__post_init__()
        for name in ("advice_bias", "background_bias", "class_bias"):
            require(math.isfinite(getattr(self, name)), name, "must be finite")


@dataclass(frozen=True, kw_only=True)
class PsaSeedsCall(ImagesCall):
    """Which images, and where their seeds go."""

    out: Annotated[Path, Option(short="-o")] = Path("seeds/psa")
    """Seed directory to write."""


@dataclass(frozen=True, kw_only=True)
class CrfSeedsCall(ImagesCall):
    """Which images, and where their seeds go."""

    out: Annotated[Path, Option(short="-o")] = Path("seeds/crf")
    """Seed directory to write."""


@dataclass(frozen=True, kw_only=True)
class SsddSeedsCall(ImagesCall):
    """Which images, and where their seeds go."""

    out: Annotated[Path, Option(short="-o")] = Path("seeds/ssdd")
    """Seed directory to write."""

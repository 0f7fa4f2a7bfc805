"""Settings of `attncli svd-fc`: networks that see images, and what is kept of what they see."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from attncli.config.fields import ARGUMENT, Checked, Option
from attncli.config.images import LARGEST_IMAGE
from attncli.errors import UsageError

NONE = "none"
"""In the place of fusions: there are none."""


@dataclass(frozen=True, kw_only=True)
class SvdFcConfig(Checked):
    """How features are made; kept beside them."""

    heading: ClassVar[str] = "SVD-FC"

    weights: Annotated[tuple[str, ...], Option(is_repeated=True, metavar="NAME=WEIGHTS")]
    """A network, by a short name of its own: NAME=WEIGHTS, where WEIGHTS are a file of the whole
    network, a run of `train cam` or `train pcb` (called I where it has no name), `imagenet`
    (published), `efficientnet-lite0` or `1` (inside a package, see the extra offline-weights), or
    `none` (random). Repeat it for several."""
    network: Annotated[tuple[str, ...], Option(is_repeated=True, metavar="NETWORK")] = ("resnet50",)
    """Classifier of torchvision that the weights are of, or `timm:NAME`; NAME=NETWORK says so for
    one of several. Runs and packages name their own."""
    layers: tuple[str, ...] = ()
    """Layers to keep: conv2 to conv5, cam, svd-cam and random-cam, which are maps, and fc, svd-fc
    and random-fc (the control: a random basis of the same rank), which are vectors. Networks of
    `train pcb` have conv2 to conv5, and `stripes`, by which they tell people apart. Where unset:
    conv5,fc,svd-fc,random-fc; of networks of `train pcb` conv5,stripes; of both together conv5."""
    pool: Literal["gap", "mpn-cbp", "none"] = "gap"
    """What becomes of maps: their mean (`gap`), a sketch of their matrix-power-normalised bilinear
    pooling (`mpn-cbp`; vectors are maps of one cell), or nothing."""
    basis: Literal["polar", "vt"] = "polar"
    """Orthonormal basis that stands for the last layer's weight U S V': U V', with a row a class,
    or V'."""
    tolerance: Annotated[float, Option(least=0, most=1)] = 1e-6
    """Singular values below this share of the largest are left out."""
    sketch_dim: Annotated[int, Option(least=1)] = 5000
    """Numbers that MPN-CBP makes of an image."""
    power: Annotated[float, Option(least=0, most=1)] = 0.5
    """Power of the singular values of an image's features in MPN-CBP."""
    fuse: Annotated[tuple[str, ...], Option(is_repeated=True, metavar="NAME+NAME")] = ()
    """Networks whose maps MPN-CBP pools together besides each alone, such as I+P; `none` for no
    such. All of them where unset. Other poolings need none: classifiers join their features."""
    source_scale: Literal["equal", "none"] = "equal"
    """Scale networks to maps of the same mean norm before they are fused, or leave them."""
    resize_px: Annotated[int | None, Option(least=1, most=10_000)] = None
    """Pixels that an image's short side is resized to; each network's own where unset."""
    crop_px: Annotated[int | None, Option(least=1, most=10_000)] = None
    """Side of the square in its middle that the network sees; each network's own where unset."""
    size_hw: tuple[int, int] | None = None
    """Rows and columns that the whole image is resized to, instead of a square: 256,128 for people.
    Networks of `train pcb` have a size of their own."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the networks; bf16 is mixed precision."""
    seed: Annotated[int, Option(least=0)] = 0
    """Of random bases, sketches and random weights."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: A value is out of its range, or values do not go together; the message
                names the option.
        """
        super().__post_init__()
        _require(bool(self.weights), "--weights", "must name a network")
        twice = next((name for name in self.layers if self.layers.count(name) > 1), None)
        _require(twice is None, "--layers", f"names {twice} twice")
        if self.fuse and self.fuse != (NONE,):
            _require(self.pool == "mpn-cbp", "--fuse", "needs --pool mpn-cbp")
        if self.resize_px is not None and self.crop_px is not None:
            fits = self.crop_px <= self.resize_px
            _require(fits, "--crop-px", f"is more than --resize-px {self.resize_px}")
        if self.size_hw is not None:
            is_side = all(1 <= side <= LARGEST_IMAGE for side in self.size_hw)
            _require(is_side, "--size-hw", f"must be in [1, {LARGEST_IMAGE}]")
            is_whole = self.resize_px is None and self.crop_px is None
            _require(is_whole, "--size-hw", "shows whole images: leave out --resize-px, --crop-px")


@dataclass(frozen=True, kw_only=True)
class SvdFcCall(Checked):
    """Which images, where to and on what."""

    data: Annotated[Path, ARGUMENT]
    """Dataset of images: directory or manifest."""
    out: Annotated[Path, Option(short="-o")] = Path("feats")
    """Feature directory to write."""
    layout: str = "auto"
    """Layout of the dataset; `auto` recognises it."""
    split: Literal["all", "train", "val"] = "all"
    """Part of the dataset; which one an image is of is kept with its features."""
    multi_query: bool = False
    """Extract features of images that are queries together, too, for `eval --multi-query`: those in
    Market-1501's gt_bbox/, and those of role `multi-query` in manifests."""
    batch_size: Annotated[int, Option(least=1)] = 32
    """Images that are read and pooled at once, which takes memory. Networks always see 16 at a
    time: multiples of 16 are quickest, and features do not depend on it."""
    workers: Annotated[int | None, Option(short="-j", least=0)] = None
    """Processes that read images; 0 reads in the main one; one a core where unset."""
    device: str = "auto"
    """`auto` (first GPU, else CPU), `cpu`, `cuda` or `cuda:N`."""


def _require(is_so: bool, option: str, what: str) -> None:
    if not is_so:
        raise UsageError(what, where=option)

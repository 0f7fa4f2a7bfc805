"""AffinityNet: how much two cells near each other belong together; made for PSA's random walk.

J. Ahn, S. Kwak, "Learning Pixel-level Semantic Affinity with Image-level Supervision for Weakly
Supervised Semantic Segmentation" (PSA, CVPR 2018), whose result is the knowledge that SSDD
(W. Shimoda, K. Yanai, ICCV 2019) begins with.

A network learns features of cells such that those of one class are alike. What it learns from are
the class activation maps of a classifier, refined by a CRF under a high background and a low one:
only where both agree is a cell held for an object or the background, and only pairs of such cells
count.

========  =======================================================  ===============================
Source    What                                                     Where
========  =======================================================  ===============================
PSA, 3.2  features f of three stages                               `AffinityNetwork`
PSA, 3.2  W_ij = exp(-|f_i - f_j|), pairs within a radius          `pair_distances`, `pairs.Graph`
PSA, 3.2  sure objects, sure background, the rest ignored          `affinity_labels`
PSA, 3.2  L = L_fg / 4 + L_bg / 4 + L_neg / 2                      `affinity_losses`
PSA, 3.3  T = D^-1 W^beta, random walk T^t                         `random_walk`
========  =======================================================  ===============================

Symbols: f `features`; W `affinities`; P+_bg, P+_fg, P- are the masks `background`, `foreground`
and `different` of `pair_kinds`.

Differs from the paper and its code:

- The text sums |f_i - f_j| over channels, the code takes the mean, as is done here.
- The code holds those cells against their neighbours that are 4 cells or more from the left, right
  and lower border. Here all pairs within the radius count; `--compat-reference` takes the code's.
- Any backbone. PSA has Wide-ResNet-38 with all three stages on a grid of 8 pixels; where later
  stages of another one are coarser, their features are brought to the grid of `conv3` bilinearly.
- The code passes the weight decay for the momentum, so that its rate of 0.1 goes with hardly any.
  Here the momentum is 0.9 and the rate 0.01, but with `--compat-reference`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.backbone import ROLES, ImageBackbone, Role
from attncli.batches import ImageBatch
from attncli.config.ssdd import CELL_PX, PsaConfig
from attncli.errors import AttncliError
from attncli.files.label_maps import IGNORE_LABEL
from attncli.methods.ssdd.backbones import backbone_of
from attncli.methods.ssdd.pairs import Graph, pair_distances
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses

WIDTHS: Mapping[Role, int] = {"conv3": 64, "conv4": 128, "conv5": 256}
"""Channels that the features of each stage are brought to."""
SMALLEST = 1e-5
"""Added to numbers of pairs and to what a logarithm is taken of (PSA's code)."""
KINDS = {
    "cells": ("foreground", "background", "ignored"),
    "pairs": ("foreground", "background", "different", "ignored"),
}
"""What cells can be, and pairs of them."""


class AffinityNetwork(nn.Module):
    """Features of cells of 8x8 pixels that are alike where cells are of one class.

    Args:
        backbone: What it sees with; the features of its last three stages are used.
        graph: Pairs of cells that are held against each other.
    """

    def __init__(self, backbone: ImageBackbone, *, graph: Graph) -> None:
        super().__init__()
        self.backbone = backbone
        self.graph = graph
        self.project = nn.ModuleDict(
            {
                role: nn.Conv2d(backbone.channels[role], n, 1, bias=False)
                for role, n in WIDTHS.items()
            }
        )
        self.mix = nn.Conv2d(sum(WIDTHS.values()), sum(WIDTHS.values()), 1, bias=False)
        for projection in self.project.values():
            nn.init.kaiming_normal_(cast(nn.Conv2d, projection).weight)
        nn.init.xavier_uniform_(self.mix.weight, gain=4)

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 448 hf wf"]:
        """Return the features f of images of RGB values 0-255.

        The grid has a cell for every 8 pixels begun. What a cell has beyond an image is 0 after
        normalisation (PSA's code).
        """
        height, width = images.shape[2:]
        beyond = (0, -width % CELL_PX, 0, -height % CELL_PX)
        padded = functional.pad(self.backbone.normalize(images), beyond)
        parts = list(self._projected(padded))
        grid = parts[0].shape[2:]
        return functional.elu(self.mix(torch.cat([_on_grid(part, grid) for part in parts], dim=1)))

    def affinities(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b p"]:
        """Return the affinity of each pair of cells of images, in (0, 1]."""
        return (-pair_distances(self(images), self.graph)).exp()

    def pair_kinds(self, labels: UInt8[Tensor, "b h w"]) -> Mapping[str, Bool[Tensor, "b p"]]:
        """Return which pairs of cells are of which kind; see `pair_kinds`."""
        return pair_kinds(labels, self.graph)

    def _projected(self, x: Float[Tensor, "b 3 h w"]) -> Iterator[Tensor]:
        """Yield what each stage in use comes to; no stage's features stay longer than needed."""
        for role, features in zip(ROLES, self.backbone.stage_outputs(x), strict=True):
            if role in self.project:
                yield functional.elu(self.project[role](features))


def affinity_labels(
    low: UInt8[Tensor, "b h w"], high: UInt8[Tensor, "b h w"]
) -> UInt8[Tensor, "b h w"]:
    """Return the classes of the cells that are sure, and 255 for all others.

    A cell is background where it is even under a low background score, else of the class that it
    has even under a high one.

    Args:
        low: Labels under a power of the background score that is low (4 in PSA), so that the
            score is high: an object is one for sure. 255 where there is no score.
        high: Labels under a high power (32 in PSA): background is so for sure.
    """
    labels = low.masked_fill(low == 0, IGNORE_LABEL).masked_fill(high == 0, 0)
    return labels.masked_fill((low == IGNORE_LABEL) | (high == IGNORE_LABEL), IGNORE_LABEL)


def pair_kinds(labels: UInt8[Tensor, "b h w"], graph: Graph) -> Mapping[str, Bool[Tensor, "b p"]]:
    """Return which pairs are both `background`, both of one `foreground` class, or `different`.

    Args:
        labels: Class of each cell; pairs with a cell of 255 are of no kind.
        graph: Which pairs there are.
    """
    first, second = graph.ends(labels)
    known, same = (first != IGNORE_LABEL) & (second != IGNORE_LABEL), first == second
    return {
        "background": same & (first == 0),
        "foreground": same & known & (first != 0),
        "different": ~same & known,
    }


def affinity_losses(
    affinities: Float[Tensor, "b p"], kinds: Mapping[str, Bool[Tensor, "b p"]]
) -> Losses:
    """Return L = bg / 4 + fg / 4 + neg / 2, each a mean over all pairs of its kind in the batch.

    A kind without a pair has a loss of 0.

    Args:
        affinities: Affinity W of each pair, in (0, 1].
        kinds: Which pairs are of which kind, as `pair_kinds` tells.
    """
    together, apart = -(affinities + SMALLEST).log(), -(1 + SMALLEST - affinities).log()
    terms = {
        "bg": _mean(together, kinds["background"]),
        "fg": _mean(together, kinds["foreground"]),
        "neg": _mean(apart, kinds["different"]),
    }
    return Losses(total=terms["bg"] / 4 + terms["fg"] / 4 + terms["neg"] / 2, terms=terms)


@dataclass(frozen=True)
class AffinityObjective:
    """What AffinityNet minimises, of label maps `low` and `high` on the grid of its features."""

    graph: Graph
    """Which pairs of cells count."""

    def __call__(self, network: Callable[..., Tensor], batch: ImageBatch) -> Losses:
        """Return the loss and its terms `bg`, `fg` and `neg`.

        Raises:
            AttncliError: The label maps are on another grid than the features.
        """
        labels = affinity_labels(batch.label_maps["low"], batch.label_maps["high"])
        features = network(batch.images)
        if features.shape[2:] != labels.shape[1:]:
            found, asked = (" x ".join(map(str, g.shape[-2:])) for g in (labels, features))
            raise AttncliError(
                f"label maps have {found} cells, features have {asked}",
                where="--crop-px",
                remedy=f"use a multiple of {CELL_PX}",
            )
        affinities = (-pair_distances(features, self.graph)).exp()
        return affinity_losses(affinities, pair_kinds(labels, self.graph))


def label_counts(labels: UInt8[Tensor, "b h w"], graph: Graph) -> Counter[str]:
    """Return how many cells and pairs of cells are of each of `KINDS`, such as `ignored_cells`.

    Counts of several images add up.

    Args:
        labels: Class of each cell, as `affinity_labels` tells.
        graph: Which pairs there are.
    """
    background, ignored = labels == 0, labels == IGNORE_LABEL
    cells = {"background": background, "ignored": ignored, "foreground": ~(background | ignored)}
    pairs = {**pair_kinds(labels, graph)}
    pairs["ignored"] = ~torch.stack([*pairs.values()]).any(0)
    masks = {f"{kind}_cells": mask for kind, mask in cells.items()}
    masks |= {f"{kind}_pairs": mask for kind, mask in pairs.items()}
    return Counter({name: int(mask.sum()) for name, mask in masks.items()})


def label_shares(counts: Mapping[str, int]) -> Mapping[str, float]:
    """Return which percent of all cells, and of all pairs of cells, are of each of `KINDS`.

    Args:
        counts: What `label_counts` returns of some images, or a sum of that.
    """
    shares: dict[str, float] = {}
    for unit, kinds in KINDS.items():
        numbers = {f"{kind}_{unit}": counts.get(f"{kind}_{unit}", 0) for kind in kinds}
        total = max(1, sum(numbers.values()))
        shares |= {name: 100 * number / total for name, number in numbers.items()}
    return shares


def build_psa(
    config: PsaConfig,
    n_classes: int,  # noqa: ARG001 - features do not depend on it
    *,
    reporter: Reporter | None = None,
) -> Learned[ImageBatch]:
    """Return AffinityNet, whose own layers learn faster than its backbone, and its loss.

    Args:
        config: Backbone, initial weights, what of them stays, and which pairs count.
        n_classes: Number of classes.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    backbone = backbone_of(config, reporter=reporter)
    graph = Graph(radius=config.radius, compat_reference=config.compat_reference)
    model = AffinityNetwork(backbone, graph=graph).to(memory_format=torch.channels_last)
    rates = {"project.": config.head_rate, "mix.": config.head_rate}
    return Learned(model, AffinityObjective(graph), rates=rates)


def _on_grid(x: Float[Tensor, "b c _ _"], grid: Any) -> Float[Tensor, "b c _ _"]:
    """Return features on a grid; what is on it already stays as it is."""
    return x if x.shape[2:] == grid else functional.interpolate(x, size=grid, mode="bilinear")


def _mean(losses: Float[Tensor, "b p"], counted: Bool[Tensor, "b p"]) -> Float[Tensor, ""]:
    return (losses * counted).sum() / (counted.sum() + SMALLEST)

"""Segmentation of images, as SSDD learns it from seeds: the label of each cell, and features.

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019); the head is that of its published code. All answers are on the grid of
the low features, of 4 pixels a cell: cell (i, j) is of the pixels from row 4i and column 4j on.

==========  ===========================================================  ========================
Source      What                                                         Where
==========  ===========================================================  ========================
static      h(x; theta_s), scores of labels                              `SegmentationNetwork`
static      e^h, e^l: high and low features, for difference detection    `Segmented.hidden, .low`
static      L_seg = -mean over labelled cells of log h_u^(label)         `segmentation_loss`
==========  ===========================================================  ========================

Symbols: h `scores` (its softmax); e^h `hidden`; e^l `low`; the seed's mask `label_maps["seed"]`.

Differs from the paper:

- Any backbone serves, at any output stride; the paper's is `wide-resnet38` at 8.
- Grids no larger than the reach of the head's kernels are reflected to and fro; the paper's code
  takes crops of 448 pixels and larger images alone.
- The loss of a batch without a labelled cell is 0, not undefined.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.backbone import ImageBackbone, Role, strides
from attncli.batches import ImageBatch
from attncli.config.ssdd import SegmentationConfig, SegmenterConfig
from attncli.data.images.seed_maps import TRUE
from attncli.files.label_maps import IGNORE_LABEL
from attncli.layers.freezing import FreezableNorms
from attncli.methods.ssdd.backbones import backbone_of
from attncli.methods.ssdd.layers import ConvNormReLU, ReflectedConv, start
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses

WIDTH = 512
"""Channels of the high features."""
DILATION = 12
"""Cells from one tap of a head's kernels to the next."""


@dataclass(frozen=True)
class Segmented:
    """What a network says of the cells of images, on the grid of the low features."""

    scores: Float[Tensor, "b k h w"]
    """Scores of the labels (logits), the background first: one more than there are classes."""
    hidden: Float[Tensor, "b ch h w"]
    """High features e^h, 0 or more: what the scores are made of."""
    low: Float[Tensor, "b cl h w"]
    """Low features e^l: edges and colours."""


class SegmentationHead(FreezableNorms):
    """Two convolutions that see far: features to high features, these to scores.

    Where they would look beyond the grid they see it reflected, to and fro if it is smaller than
    their reach.

    Args:
        in_channels: Channels of the features.
        n_labels: Labels there are, the background among them.
        width: Channels of the high features.
        dilation: Cells from one tap of a kernel to the next.
    """

    def __init__(
        self, in_channels: int, n_labels: int, *, width: int = WIDTH, dilation: int = DILATION
    ) -> None:
        super().__init__()
        self.hide = ConvNormReLU(in_channels, width, 3, dilation=dilation, bias=True)
        self.score = ReflectedConv(width, n_labels, 3, dilation=dilation, bias=True)
        start(self)

    def forward(
        self, features: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b ch h w"], Float[Tensor, "b k h w"]]:
        """Return high features and scores of labels (logits), on the features' grid."""
        hidden = self.hide(features)
        return hidden, self.score(hidden)


class SegmentationNetwork(nn.Module):
    """A backbone and a head.

    Args:
        backbone: Makes the features: the coarsest for the head, the finest as low ones.
        n_classes: Number of classes, the background not among them.
        width: Channels of the high features.
        dilation: Cells from one tap of the head's kernels to the next.
    """

    def __init__(
        self,
        backbone: ImageBackbone,
        *,
        n_classes: int,
        width: int = WIDTH,
        dilation: int = DILATION,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.segment = SegmentationHead(
            backbone.channels["conv5"], n_classes + 1, width=width, dilation=dilation
        )

    def features(self, images: UInt8[Tensor, "b 3 h w"]) -> Mapping[Role, Float[Tensor, "b _ _ _"]]:
        """Return the features of images of RGB values 0-255 by role."""
        return self.backbone.features(images)

    def answer(
        self, features: Mapping[Role, Tensor], head: SegmentationHead | None = None
    ) -> Segmented:
        """Return what a head says of features.

        Args:
            features: As of `features`.
            head: Another head than the network's own, over the same features.
        """
        low = features["conv2"]
        hidden, scores = (head or self.segment)(features["conv5"])
        return Segmented(scores=self.up(scores, low), hidden=self.up(hidden, low), low=low)

    def up(
        self, x: Float[Tensor, "b c h w"], low: Float[Tensor, "b cl hl wl"]
    ) -> Float[Tensor, "b c hl wl"]:
        """Return maps of the coarsest grid on that of the low features, by linear interpolation.

        Cells keep their place whatever an image's size: the grid is made finer by a whole number,
        and cut where the image ends.

        Args:
            x: Maps on the grid of the coarsest features.
            low: Low features of the same images.
        """
        finest, *_, coarsest = strides(self.backbone.output_stride)
        factor = coarsest // finest
        fine = functional.interpolate(x, scale_factor=factor, mode="bilinear")
        return fine[..., : low.shape[2], : low.shape[3]]

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Segmented:
        """Return labels' scores and features of images of RGB values 0-255."""
        return self.answer(self.features(images))


def segmentation_loss(
    scores: Float[Tensor, "b k h w"], labels: UInt8[Tensor, "b h w"]
) -> Float[Tensor, ""]:
    """Return L_seg, the mean cross entropy of labelled cells; 0 where there is none.

    Args:
        scores: Scores of the labels (logits).
        labels: Label of each cell; 255 counts for nothing.
    """
    # By cells in a row, as no deterministic algorithm of a GPU takes them as a map.
    by_cell = scores.float().movedim(1, -1).flatten(0, -2)
    targets = labels.flatten().long()
    losses = functional.cross_entropy(by_cell, targets, ignore_index=IGNORE_LABEL, reduction="none")
    return losses.sum() / (targets != IGNORE_LABEL).sum().clamp(min=1)


def with_truth(batch: ImageBatch, seed: UInt8[Tensor, "b h w"]) -> UInt8[Tensor, "b h w"]:
    """Return seeds with true label maps in the place of those of images that have one to learn.

    Args:
        batch: Images, with label maps `TRUE` where there are any to learn from.
        seed: Label of each cell.
    """
    return torch.where(is_true(batch)[:, None, None], batch.label_maps.get(TRUE, seed), seed)


def is_true(batch: ImageBatch) -> Bool[Tensor, " b"]:
    """Return which images have a true label map to learn from."""
    if TRUE not in batch.label_maps:
        return torch.zeros_like(batch.rows, dtype=torch.bool)
    return (batch.label_maps[TRUE] != IGNORE_LABEL).flatten(1).any(dim=1)


@dataclass(frozen=True)
class SegmentationObjective:
    """The segmentation loss against the label maps `seed`, as the term `seg`."""

    def __call__(self, network: Callable[..., Segmented], batch: ImageBatch) -> Losses:
        """Return the loss of a batch whose seeds are on the grid of the scores."""
        target = with_truth(batch, batch.label_maps["seed"])
        loss = segmentation_loss(network(batch.images).scores, target)
        return Losses(total=loss, terms={"seg": loss})


def build_segmentation(
    config: SegmentationConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ImageBatch]:
    """Return a network that learns from fixed seeds, its head faster than its backbone.

    Args:
        config: Backbone, initial weights, output stride, head, and what of them does not learn.
        n_classes: Number of classes, the background not among them.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    model = segmentation_network(config, n_classes, reporter=reporter)
    return Learned(model, SegmentationObjective(), rates={"segment.": config.head_rate})


def segmentation_network(
    config: SegmenterConfig, n_classes: int, *, reporter: Reporter | None = None
) -> SegmentationNetwork:
    """Return the network that settings say, in training mode and channels-last in memory.

    Args:
        config: Backbone, initial weights, output stride, head, and what of them does not learn.
        n_classes: Number of classes, the background not among them.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    backbone = backbone_of(config, reporter=reporter)
    network = SegmentationNetwork(
        backbone, n_classes=n_classes, width=config.width, dilation=config.dilation
    )
    if config.freeze_norms:
        network.segment.freeze_norms()
    return network.to(memory_format=torch.channels_last)

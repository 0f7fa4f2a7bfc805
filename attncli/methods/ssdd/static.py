"""Static SSDD: two seeds of each image become one, once a network has learnt their differences.

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019). A segmentation network learns from the knowledge, so that its features
are good ones; on them a difference-detection network learns where knowledge and advice differ.

==============  =====================================================  ===========================
Source          What                                                   Where
==============  =====================================================  ===========================
L_seg           cross entropy against the knowledge                    `segmentation_loss`
L_change        excluded images left out                               `change_loss`
L_static        L_seg + L_change                                       `StaticObjective`
m^D             confidence and refinement, image by image              `methods.ssdd.refining`
==============  =====================================================  ===========================

Differs from the paper:

- L_change is halved, as it is of two maps (its code).
- Segmentation and difference detection share one optimiser. As no gradient passes from the one to
  the other, this is what two optimisers do, unless gradients are clipped.
- The learning rate falls to zero in the last epoch; the code's cosine ends after 1.2 times as many.
- Seeds are refined of whole images in their own aspect; the code takes crops, mirrored at random.
- Segmentation can be learnt alone for some epochs first: what is known of an image's change rests
  on its high features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from attncli.backbones.images.backbone import ImageBackbone
from attncli.batches import ImageBatch
from attncli.config.ssdd import DifferenceConfig, SsddConfig
from attncli.methods.ssdd.difference import (
    Exclusion,
    counted,
    difference_loss,
    differing,
    kept,
    mean_over_kept,
    shrinking,
)
from attncli.methods.ssdd.difference_network import DifferenceNetwork
from attncli.methods.ssdd.segmentation import (
    SegmentationNetwork,
    Segmented,
    segmentation_loss,
    segmentation_network,
    with_truth,
)
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses


@dataclass(frozen=True)
class Detected:
    """What a network says of images, and of the differences between label maps of them."""

    scores: Float[Tensor, "b k h w"]
    """Scores of the labels (logits), the background first."""
    differences: tuple[Float[Tensor, "b h w"], ...]
    """How likely each cell of each label map is to be another in the one it is paired with
    (logits)."""


class SsddNetwork(nn.Module):
    """A segmentation network, and one that detects differences on its features.

    Args:
        segmentation: Makes the features e^h and e^l.
        difference: Foresees changes.
    """

    def __init__(self, segmentation: SegmentationNetwork, difference: DifferenceNetwork) -> None:
        super().__init__()
        self.segmentation = segmentation
        self.difference = difference

    def forward(
        self,
        images: UInt8[Tensor, "b 3 h w"],
        label_maps: tuple[UInt8[Tensor, "b hs ws"], ...] = (),
    ) -> Detected:
        """Return what the network says of images and of label maps on its grid.

        Args:
            images: RGB values 0-255.
            label_maps: Label of each cell of 4 pixels, as often as there are label maps.
        """
        seen = self.segmentation(images)
        return Detected(seen.scores, self.differences(seen, label_maps))

    def differences(
        self, seen: Segmented, label_maps: tuple[UInt8[Tensor, "b hs ws"], ...]
    ) -> tuple[Float[Tensor, "b hs ws"], ...]:
        """Return the logits of d for label maps of images that were segmented."""
        if not label_maps:
            return ()
        image_part = self.difference.image_part(seen.hidden, seen.low)
        return tuple(self.difference(image_part, labels) for labels in label_maps)


class Warmup:
    """Whether differences are learnt yet.

    Args:
        epochs: Epochs at the beginning in which segmentation is learnt alone.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.is_over = epochs == 0

    def begin_epoch(self, epoch: int) -> None:
        """Take note of the epoch, counted from 0."""
        self.is_over = epoch >= self.epochs


@dataclass(frozen=True)
class StaticObjective:
    """L_static of knowledge and advice: the terms `seg` and `change`."""

    exclusion: Exclusion
    """Which images the loss of differences leaves out."""
    shrink_below: float
    """Share of a class's pixels below which it shrinks."""
    warmup: Warmup
    """Whether differences are learnt yet."""

    def __call__(self, network: Callable[..., Detected], batch: ImageBatch) -> Losses:
        """Return the losses of a batch, and how many images the one of differences is of."""
        pair = batch.label_maps["knowledge"], batch.label_maps["advice"]
        said = network(batch.images, pair if self.warmup.is_over else ())
        flags = shrinking(*pair, batch.labels, below=self.shrink_below)
        keep = kept(flags, batch.labels, self.exclusion)
        seg = segmentation_loss(said.scores, with_truth(batch, pair[0]))
        change = (
            change_loss(said.differences, *pair, keep) if said.differences else 0 * seg.detach()
        )
        terms = {"seg": seg, "change": change}
        return Losses(total=seg + change, terms=terms, hits={"kept": keep.sum()})


def change_loss(
    differences: tuple[Float[Tensor, "b h w"], ...],
    knowledge: UInt8[Tensor, "b h w"],
    advice: UInt8[Tensor, "b h w"],
    keep: Bool[Tensor, " b"],
) -> Float[Tensor, ""]:
    """Return L_change: the mean loss of d^K and d^A over the images that are kept.

    Args:
        differences: Logits of d^K and d^A.
        knowledge: Label of each cell.
        advice: Label of each cell.
        keep: Which images the mean is over.
    """
    differs, counts = differing(knowledge, advice), counted(knowledge, advice)
    of_k, of_a = (difference_loss(logits, differs, counts) for logits in differences)
    return mean_over_kept((of_k + of_a) / 2, keep)


def build_difference(
    config: DifferenceConfig, backbone: ImageBackbone, n_classes: int
) -> DifferenceNetwork:
    """Return a network for differences on the features of a backbone and a segmentation head."""
    network = DifferenceNetwork(
        config.width,
        backbone.channels["conv2"],
        n_labels=n_classes + 1,
        width=config.difference_width,
    )
    if config.freeze_norms:
        network.freeze_norms()
    return network


def build_ssdd(
    config: SsddConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ImageBatch]:
    """Return a network for segmentation and differences, and its losses.

    Args:
        config: Backbone, heads, and how differences are learnt.
        n_classes: Number of classes, the background not among them.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    segmentation = segmentation_network(config, n_classes, reporter=reporter)
    network = SsddNetwork(segmentation, build_difference(config, segmentation.backbone, n_classes))
    warmup = Warmup(config.segmentation_epochs)
    return Learned(
        model=network.to(memory_format=torch.channels_last),
        objective=StaticObjective(config.exclude, config.shrink_below, warmup),
        rates={
            "segmentation.segment.": config.head_rate,
            "difference.": config.difference_rate,
        },
        begin_epoch=warmup.begin_epoch,
    )

"""Dynamic SSDD: a segmentation network whose seeds are refined while it learns from them.

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019). Fixed seeds bound what can be learnt from them. Here each step refines
them twice: the network's own label map against what a dense CRF makes of it, and then the seed
against that. What is changed is what differences were foreseen in, and so is bound to the seed.

==============  ==================================================  ==============================
Source          What                                                Where
==============  ==================================================  ==============================
step 1          m^r and its CRF become refine0, by d^r              `Refinement.first`
step 2          the seed m^o and refine0 become refine1, by d^o     `Refinement.second`
L_refine        main branch: cross entropy against refine1          `DynamicObjective`, `main`
L_seed          other branch: half against m^o, half refine1        `DynamicObjective`, `sub`
L_cp-crf        M = [m^r is not its CRF], excluded images left out  `first_loss`
L_cp-seed       M = [m^o is not m^s], [refine1 is not m^s]          `second_loss`
==============  ==================================================  ==============================

Symbols: m^r `knowledge` of step 1; m^o `seed`; m^s `sub_labels`, what the other branch says, which
learns from the seed and stands in for it, as differences from a fixed seed are too easily told.

Differs from the paper:

- The second pair of L_cp-seed is taken with refine1 (its code), not with the first refinement.
- The losses of differences are quartered, as they are of four maps; those of step 2 are over the
  pixels of all images together (its code).
- Segmentation and difference detection share one optimiser, as in `attncli.methods.ssdd.static`.
- Pixels that the seed ignores stay ignored.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from attncli.batches import ImageBatch
from attncli.config.crf import CrfConfig
from attncli.config.ssdd import SsddDynamicConfig
from attncli.layers.dense_crf import dense_crf_batch
from attncli.methods.ssdd.difference import (
    Biases,
    Exclusion,
    confidence,
    counted,
    differing,
    gated,
    kept,
    pooled_difference_loss,
    refined,
    shrinking,
)
from attncli.methods.ssdd.difference_network import DifferenceNetwork
from attncli.methods.ssdd.segmentation import (
    SegmentationHead,
    SegmentationNetwork,
    Segmented,
    segmentation_loss,
    segmentation_network,
    with_truth,
)
from attncli.methods.ssdd.static import Warmup, build_difference, change_loss
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses


@dataclass(frozen=True)
class Given:
    """What a step is given besides images; labels are of cells of 4 pixels."""

    small_images: UInt8[Tensor, "b 3 h w"]
    """The images a pixel a cell, without changed colours: what the CRF sees."""
    labels: Bool[Tensor, "b k"]
    """Which classes each image shows, the background not among them."""
    seed: UInt8[Tensor, "b h w"]
    """m^o, the seed."""


@dataclass(frozen=True)
class Pair:
    """Two label maps, what is foreseen of their change, and what is made of them."""

    knowledge: UInt8[Tensor, "b h w"]
    """Label of each cell."""
    advice: UInt8[Tensor, "b h w"]
    """Label of each cell."""
    differences: tuple[Float[Tensor, "b h w"], Float[Tensor, "b h w"]]
    """Logits of d of knowledge and of advice."""
    flags: Bool[Tensor, "b k1"]
    """Which labels shrink from knowledge to advice."""
    refined: UInt8[Tensor, "b h w"]
    """The advice where it is trusted, else the knowledge."""


@dataclass(frozen=True)
class Refinement:
    """The two refinements of a step."""

    first: Pair
    """The main branch's labels, and their CRF."""
    second: Pair
    """The seed, and the first refinement."""
    sub_labels: UInt8[Tensor, "b h w"]
    """m^s, what the other branch says."""


@dataclass(frozen=True)
class DynamicOutputs:
    """What a network says of images, and, where more is given, what it makes of their seeds."""

    scores: Float[Tensor, "b k1 h w"]
    """Scores of the labels by the main branch (logits), the background first."""
    sub_scores: Float[Tensor, "b k1 h w"] | None = None
    """The other branch's, in a training step."""
    refinement: Refinement | None = None
    """The refinements, in a training step that makes them."""


@dataclass(frozen=True)
class Rules:
    """How label maps are refined in a step."""

    crf: CrfConfig
    """The dense CRF."""
    biases: Biases
    """What the confidence in the advice is moved by."""
    shrink_below: float
    """Share of a class's pixels below which it shrinks."""


class SsddDynamicNetwork(nn.Module):
    """Two segmentation branches on one backbone, and a network for differences of each.

    Args:
        segmentation: The backbone and the main branch.
        sub: Head of the other branch.
        first: Network for differences of step 1.
        second: Network for differences of step 2.
        rules: How label maps are refined.
    """

    def __init__(
        self,
        segmentation: SegmentationNetwork,
        sub: SegmentationHead,
        first: DifferenceNetwork,
        second: DifferenceNetwork,
        rules: Rules,
    ) -> None:
        super().__init__()
        self.segmentation = segmentation
        self.sub = sub
        self.first = first
        self.second = second
        self.rules = rules

    def forward(
        self,
        images: UInt8[Tensor, "b 3 h w"],
        given: Given | None = None,
        refine: bool = True,
    ) -> DynamicOutputs:
        """Return what the network says of images.

        Args:
            images: RGB values 0-255.
            given: What a training step is given; the main branch alone is asked without it.
            refine: Whether to refine seeds in a step.
        """
        features = self.segmentation.features(images)
        main = self.segmentation.answer(features)
        if given is None:
            return DynamicOutputs(main.scores)
        sub = self.segmentation.answer(features, self.sub)
        refinement = self.refine(main, sub, given) if refine else None
        return DynamicOutputs(main.scores, sub.scores, refinement)

    def refine(self, main: Segmented, sub: Segmented, given: Given) -> Refinement:
        """Return both refinements of a step; label maps are made without a gradient."""
        crf = self._crf(main.scores, given)
        first = self._pair(self.first, main, _labels(main.scores, given.labels), crf, given)
        second = self._pair(self.second, sub, given.seed, first.refined, given)
        return Refinement(first, second, _labels(sub.scores, given.labels))

    def _pair(
        self,
        network: DifferenceNetwork,
        seen: Segmented,
        knowledge: UInt8[Tensor, "b h w"],
        advice: UInt8[Tensor, "b h w"],
        given: Given,
    ) -> Pair:
        image_part = network.image_part(seen.hidden, seen.low)
        of_k, of_a = network(image_part, knowledge), network(image_part, advice)
        below = self.rules.shrink_below
        flags = shrinking(knowledge, advice, given.labels, below=below)
        d = (of_k.detach().float().sigmoid(), of_a.detach().float().sigmoid())
        w = confidence(*d, knowledge, advice, flags, self.rules.biases)
        return Pair(knowledge, advice, (of_k, of_a), flags, refined(knowledge, advice, w))

    @torch.no_grad()
    def _crf(self, scores: Float[Tensor, "b k1 h w"], given: Given) -> UInt8[Tensor, "b h w"]:
        """Return what a dense CRF makes of the main branch's labels: classes present alone."""
        probabilities = gated(scores.float(), given.labels).softmax(dim=1)
        present = nn.functional.pad(given.labels, (1, 0), value=True)
        found = dense_crf_batch(given.small_images, probabilities, present, self.rules.crf)
        return found.argmax(dim=1).to(torch.uint8)


def _labels(
    scores: Float[Tensor, "b k1 h w"], labels: Bool[Tensor, "b k"]
) -> UInt8[Tensor, "b h w"]:
    """Return the label of each cell among those that an image shows."""
    return gated(scores.detach(), labels).argmax(dim=1).to(torch.uint8)


@dataclass(frozen=True)
class DynamicObjective:
    """L_dynamic: the terms `main` (L_refine), `sub` (L_seed), `first` and `second`."""

    exclusion: Exclusion
    """Which images the first loss of differences leaves out."""
    warmup: Warmup
    """Whether seeds are refined yet; before, both branches learn from the seed."""

    def __call__(self, network: Callable[..., DynamicOutputs], batch: ImageBatch) -> Losses:
        """Return the losses of a batch, and how many images the first of differences is of."""
        seed = with_truth(batch, batch.label_maps["seed"])
        given = Given(_small_images(batch), batch.labels, seed)
        said = network(batch.images, given, self.warmup.is_over)
        made = said.refinement
        target = seed if made is None else with_truth(batch, made.second.refined)
        sub = said.scores if said.sub_scores is None else said.sub_scores
        terms = {
            "main": segmentation_loss(said.scores, target),
            "sub": (segmentation_loss(sub, seed) + segmentation_loss(sub, target)) / 2,
        }
        keep = torch.zeros_like(batch.labels[:, 0])
        terms |= dict.fromkeys(("first", "second"), terms["main"].new_zeros(()))
        if made is not None:
            keep = kept(made.first.flags, batch.labels, self.exclusion)
            terms |= {"first": first_loss(made, keep), "second": second_loss(made)}
        total = terms["main"] + terms["sub"] + (terms["first"] + terms["second"]) / 2
        return Losses(total=total, terms=terms, hits={"kept": keep.sum()})


def first_loss(made: Refinement, keep: Bool[Tensor, " b"]) -> Float[Tensor, ""]:
    """Return L_cp-crf: where the main branch's labels and their CRF differ."""
    pair = made.first
    return change_loss(pair.differences, pair.knowledge, pair.advice, keep)


def second_loss(made: Refinement) -> Float[Tensor, ""]:
    """Return L_cp-seed: where the other branch differs from the seed, and from refine1.

    The former is foreseen from the seed, the latter from the first refinement.
    """
    pair, sub = made.second, made.sub_labels
    targets = (pair.knowledge, pair.refined)
    losses = [
        pooled_difference_loss(logits, differing(target, sub), counted(target, sub))
        for logits, target in zip(pair.differences, targets, strict=True)
    ]
    return (losses[0] + losses[1]) / 2


def _small_images(batch: ImageBatch) -> UInt8[Tensor, "b 3 h w"]:
    assert batch.small_images is not None  # noqa: S101 - readers with seeds make them
    return batch.small_images


def build_ssdd_dynamic(
    config: SsddDynamicConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ImageBatch]:
    """Return a network that refines its seeds, and its losses.

    Args:
        config: Backbone, heads, and how seeds are refined.
        n_classes: Number of classes, the background not among them.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    segmentation = segmentation_network(config, n_classes, reporter=reporter)
    backbone = segmentation.backbone
    sub = SegmentationHead(
        backbone.channels["conv5"], n_classes + 1, width=config.width, dilation=config.dilation
    )
    if config.freeze_norms:
        sub.freeze_norms()
    first, second = (build_difference(config, backbone, n_classes) for _ in range(2))
    network = SsddDynamicNetwork(segmentation, sub, first, second, rules_of(config))
    warmup = Warmup(config.segmentation_epochs)
    return Learned(
        model=network.to(memory_format=torch.channels_last),
        objective=DynamicObjective(config.exclude, warmup),
        rates={
            **dict.fromkeys(("segmentation.segment.", "sub."), config.head_rate),
            **dict.fromkeys(("first.", "second."), config.difference_rate),
        },
        begin_epoch=warmup.begin_epoch,
    )


def rules_of(config: SsddDynamicConfig) -> Rules:
    """Return how settings say that label maps are refined in a step."""
    return Rules(
        crf=config,
        biases=Biases(config.advice_bias, config.background_bias, config.class_bias),
        shrink_below=config.shrink_below,
    )

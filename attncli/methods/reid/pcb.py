"""PCB: people told apart by horizontal stripes of what a network sees, a classifier a stripe.

Y. Sun, L. Zheng, Y. Yang, Q. Tian, S. Wang, "Beyond Part Models: Person Retrieval with Refined Part
Pooling (and A Strong Convolutional Baseline)" (ECCV 2018). A backbone whose last stage keeps its
grid makes a tensor T; its rows are pooled into p stripes g, each of which is reduced to h and tells
who is shown. After training the stripes themselves describe a person; other people are told apart
by the distance between their stripes.

========================  ==============================================  ==========================
Source                    What                                            Where
========================  ==============================================  ==========================
3.1, backbone             no stride in the last stage                     `backbone_of_stripes`
3.1, column vectors g     mean of T over each of p stripes                `PcbNetwork.stripes`
3.1, column vectors h     1 x 1 convolution to 256 channels               `PcbNetwork.reduce`
3.1, classifiers          y_i = softmax(W_i h_i), a layer a stripe        `PcbNetwork.forward`
3.1, training             the sum of p cross entropies                    `StripesObjective`
3.1, testing              G = [g_1 ... g_p]                               `PcbNetwork.test_feature`
========================  ==============================================  ==========================

Symbols: T `features(...)["conv5"]`; p `n_stripes`; g `stripes`; h what comes out of `reduce`; W_i
`classify[i]`.

What the paper leaves open is as in its authors' code: half of g is dropped in training, h is
normalised over the batch and rectified, the classifiers begin with a deviation of 0.001, and each g
has a length of 1 in G.

Differs from the paper:

- Any backbone, size of images and number of stripes.
- Biases and normalisations are spared weight decay.
- Refined part pooling, the paper's second half, is not built.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.backbone import ImageBackbone
from attncli.backbones.images.build import RANDOM, build_backbone
from attncli.batches import ImageBatch
from attncli.config.reid import PcbConfig
from attncli.methods.ssdd.backbones import backbone_of
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses

CLASSIFIER_STD = 1e-3
"""Deviation of the classifiers' weights at the start, about 0."""


class PcbNetwork(nn.Module):
    """A classifier of people by the stripes of an image, from the top to the bottom.

    Args:
        backbone: Makes the features, of which the coarsest are pooled.
        n_classes: Number of people.
        n_stripes: Number of stripes p.
        width: Channels that a stripe is reduced to.
        dropout: Probability with which a feature of a stripe is dropped in training.
    """

    def __init__(
        self, backbone: ImageBackbone, *, n_classes: int, n_stripes: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = nn.AdaptiveAvgPool2d((n_stripes, 1))
        self.reduce = nn.Sequential(
            nn.Dropout(dropout),
            nn.Conv2d(backbone.channels["conv5"], width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.classify = nn.ModuleList(nn.Linear(width, n_classes) for _ in range(n_stripes))
        self._initialize()

    def stripes(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b c s"]:
        """Return the stripes g of images of RGB values 0-255, from the top to the bottom."""
        return self.pool(self.backbone.features(images)["conv5"])[..., 0]

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b s k"]:
        """Return the scores (logits) of each person by each stripe."""
        reduced = self.reduce(self.stripes(images)[..., None])[..., 0]
        scores = [layer(h) for layer, h in zip(self.classify, reduced.unbind(2), strict=True)]
        return torch.stack(scores, dim=1)

    def test_feature(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b d"]:
        """Return what describes people who were never learnt: G, one stripe after the other.

        Each stripe has a length of 1, or of 0 where nothing is seen. Half precision is left before
        lengths are taken.

        Returns:
            Vectors of p times as many dimensions as the backbone has channels.
        """
        stripes = functional.normalize(self.stripes(images).float(), dim=1)
        return stripes.transpose(1, 2).flatten(1)

    def _initialize(self) -> None:
        for module in (*self.reduce, *self.classify):
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=CLASSIFIER_STD)
                nn.init.zeros_(module.bias)


@dataclass(frozen=True)
class StripesObjective:
    """The sum over stripes of cross entropies, each a mean over images, as the term `stripes`.

    An image's person is the one class that it is labelled with.
    """

    def __call__(self, network: Callable[..., Tensor], batch: ImageBatch) -> Losses:
        """Return the loss, and how many images all stripes together tell rightly."""
        scores = network(batch.images).float()
        people = batch.labels.int().argmax(dim=1)
        loss = torch.stack([functional.cross_entropy(s, people) for s in scores.unbind(1)]).sum()
        with torch.no_grad():
            right = (scores.log_softmax(2).sum(1).argmax(1) == people).sum()
        return Losses(total=loss, terms={"stripes": loss}, hits={"top1": right})


def build_pcb(
    config: PcbConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ImageBatch]:
    """Return a classifier of people, whose head learns faster than its backbone, and its loss.

    Args:
        config: Backbone, initial weights, output stride, stripes, width and dropout.
        n_classes: Number of people.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    model = PcbNetwork(
        backbone_of_stripes(config, reporter=reporter),
        n_classes=n_classes,
        n_stripes=config.stripes,
        width=config.width,
        dropout=config.dropout,
    ).to(memory_format=torch.channels_last)
    rates = {"reduce.": config.head_rate, "classify.": config.head_rate}
    return Learned(model, StripesObjective(), rates=rates)


def backbone_of_stripes(config: PcbConfig, *, reporter: Reporter | None = None) -> ImageBackbone:
    """Return a backbone whose last stages keep their grid, without dilation unless asked for.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    backbone = backbone_of(config, reporter=reporter)
    if not config.dilate and config.output_stride != "32":
        _undilate(backbone, config.backbone)
    return backbone


def _undilate(backbone: ImageBackbone, name: str) -> None:
    """Let convolutions see neighbouring cells again, as they do where no stage keeps its grid."""
    with torch.device("meta"):  # what is looked at has no weights
        published = build_backbone(name, weights=RANDOM)
    for module, other in zip(backbone.modules(), published.modules(), strict=True):
        if isinstance(module, nn.Conv2d) and isinstance(other, nn.Conv2d):
            # Its own padding, as that of a layer which halves the grid may be another one.
            module.padding = tuple(
                padding * plain // dilated
                for padding, plain, dilated in zip(
                    cast("tuple[int, int]", module.padding),
                    other.dilation,
                    module.dilation,
                    strict=True,
                )
            )
            module.dilation = other.dilation

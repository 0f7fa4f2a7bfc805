"""Class activation maps: where a classifier of images sees each class; the first seeds of SSDD.

W. Shimoda, K. Yanai, "Self-Supervised Difference Detection for Weakly-Supervised Semantic
Segmentation" (ICCV 2019), begins with the seeds of J. Ahn, S. Kwak, "Learning Pixel-level Semantic
Affinity with Image-level Supervision" (PSA, CVPR 2018), and those with the class activation maps of
B. Zhou et al. (CVPR 2016).

A network that ends in global average pooling and one linear layer scores a class by the mean of a
map: the layer applied to each cell of the features. Where that map is high the network saw the
class, though it was only ever told which classes an image shows.

==========  ===========================================================  =========================
Source      What                                                         Where
==========  ===========================================================  =========================
CAM, 1 - 2  s_k = mean over cells of M_k, M_k = w_k . f                  `CamNetwork`
PSA, 3.1    map over the whole image: the sum of relu(M_k) over scales   `evaluation.image_labels`
            and mirror images, divided by its maximum
==========  ===========================================================  =========================

Symbols: f `features`; w_k rows of `classify`; M_k `class_maps`; s_k `scores` (logits).

Differs from the paper:

- SSDD takes PSA's published seeds of Wide-ResNet-38 as they are. Here the classifier is trained, on
  any backbone, at an output stride of 16 cells by default (8 in PSA).
- PSA's learning rate falls by a power of 0.9 and its momentum is, by a slip, the weight decay. Ours
  falls by a cosine and the momentum is 0.9.
- The loss is the multi-label soft margin of PSA's code: the mean over classes of binary cross
  entropies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from attncli.backbones.images.backbone import ImageBackbone
from attncli.batches import ImageBatch
from attncli.config.ssdd import CamConfig
from attncli.methods.ssdd.backbones import backbone_of
from attncli.reporting import Reporter
from attncli.training.objective import Learned
from attncli.types import Losses


class CamNetwork(nn.Module):
    """A classifier of images that says where it sees each class.

    Args:
        backbone: Makes the features f, of which the coarsest are classified.
        n_classes: Number of classes, the background not among them.
        dropout: Probability with which a feature is dropped in training, in all cells alike.
    """

    def __init__(self, backbone: ImageBackbone, *, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout2d(dropout)
        # Without a bias, as a class's score then is the mean of its map.
        self.classify = nn.Conv2d(backbone.channels["conv5"], n_classes, 1, bias=False)
        nn.init.xavier_uniform_(self.classify.weight)

    def class_maps(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b k hf wf"]:
        """Return the maps M_k of images of RGB values 0-255, any real numbers."""
        features = self.backbone.features(images)["conv5"]
        return self.classify(self.dropout(features))

    def forward(self, images: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b k"]:
        """Return the class scores s_k (logits) of images of RGB values 0-255."""
        return self.class_maps(images).mean((2, 3))


@dataclass(frozen=True)
class MultiLabelObjective:
    """The mean over images and classes of binary cross entropies, as the term `cls`."""

    def __call__(self, network: Callable[..., Tensor], batch: ImageBatch) -> Losses:
        """Return the loss, and how many images have all their classes told rightly."""
        scores = network(batch.images).float()
        loss = functional.binary_cross_entropy_with_logits(scores, batch.labels.float())
        with torch.no_grad():
            right = ((scores >= 0) == batch.labels).all(dim=1).sum()
        return Losses(total=loss, terms={"cls": loss}, hits={"exact": right})


def build_cam(
    config: CamConfig, n_classes: int, *, reporter: Reporter | None = None
) -> Learned[ImageBatch]:
    """Return a classifier of images, whose head learns faster than its backbone, and its loss.

    Args:
        config: Backbone, initial weights, output stride and dropout.
        n_classes: Number of classes.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    backbone = backbone_of(config, reporter=reporter)
    model = CamNetwork(backbone, n_classes=n_classes, dropout=config.dropout)
    model = model.to(memory_format=torch.channels_last)
    return Learned(model, MultiLabelObjective(), rates={"classify.": config.head_rate})

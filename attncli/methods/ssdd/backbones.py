"""The backbone of each stage of SSDD, as its settings say."""

from typing import cast

from attncli.backbones.images.backbone import ImageBackbone, OutputStride
from attncli.backbones.images.build import build_backbone
from attncli.config.ssdd import NetworkConfig
from attncli.reporting import Reporter


def backbone_of(config: NetworkConfig, *, reporter: Reporter | None = None) -> ImageBackbone:
    """Return the backbone that settings name, with its initial weights, in training mode.

    Args:
        config: Backbone, initial weights, output stride, and what of it does not learn.
        reporter: Told what of the initial weights is not used.

    Raises:
        UsageError: There is no such backbone, or weights and backbone do not belong together.
        MissingDependencyError: The backbone or its weights are in a package that is not there.
        AttncliError: The initial weights cannot be had, or are of another architecture.
    """
    return build_backbone(
        config.backbone,
        output_stride=cast(OutputStride, int(config.output_stride)),
        weights=config.weights,
        freeze_norms=config.freeze_norms,
        freeze_stages=config.freeze_stages,
        normalization=config.normalization,
        allow_missing=config.allow_missing_weights,
        reporter=reporter,
    )
